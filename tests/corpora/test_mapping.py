import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from described import COLUMNS, NAMES, PAIRS, ROWS, describe, rows, write

from hybridlib.corpora import mapping
from hybridlib.errors import InputError


@pytest.fixture(autouse=True)
def datasets_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path / "cache")


def load(folder: Path, **fields: Any) -> list[tuple[str, ...]]:
    return rows(mapping.load(describe(folder, **fields)))


def fails(message: str, folder: Path, **fields: Any) -> None:
    """Assert that loading raises an error that starts with the message, in which ``.*`` stands for anything."""
    pattern = re.escape(message).replace(re.escape(".*"), ".*")
    with pytest.raises(InputError, match=f"(?s)^{pattern}"):
        load(folder, **fields)


# ------------------------------------------------------------------------------------------------------------- files


@pytest.mark.parametrize("name", ["d.jsonl", "d.jsonl.gz", "d.csv", "d.csv.gz", "d.parquet"])
def test_every_kind_of_file_gives_the_same_texts_as_written(tmp_path: Path, name: str):
    write(tmp_path / name, PAIRS)
    assert load(tmp_path, source=name, languages=NAMES) == ROWS


def test_quotes_in_tsv_are_part_of_the_text(tmp_path: Path):
    lines = [PAIRS[0] | {"q": '"Frage'}, PAIRS[1] | {"p": '"an" answer'}]
    write(tmp_path / "d.tsv", lines)
    texts = load(tmp_path, source="d.tsv", languages={"de": "ger", "en": "eng"})
    assert [text for *_, text in texts] == ['"Frage', "Antwort", "question", '"an" answer']


def test_a_pattern_reads_files_in_the_order_of_their_names(tmp_path: Path):
    for number, row in zip((2, 1, 3), PAIRS, strict=True):
        write(tmp_path / "parts" / f"{number}.jsonl", [row])
    assert load(tmp_path, source="parts/*.jsonl", languages=NAMES) == ROWS[2:4] + ROWS[:2] + ROWS[4:]


def test_codes_in_the_language_column_need_no_list(tmp_path: Path):
    write(tmp_path / "data.jsonl", [row | {"lang": "pt-BR"} for row in PAIRS])
    corpus = mapping.load(describe(tmp_path))
    assert (corpus.name, corpus.languages, corpus.notes) == ("mine", ["pt-BR"], ())


def test_rows_in_other_languages_than_those_listed_or_that_of_the_file_are_left_out(tmp_path: Path):
    for name in ("data", "ger", "eng"):
        write(tmp_path / f"{name}.jsonl", PAIRS)
    assert load(tmp_path, languages={"fr": "fra"}) == ROWS[4:]
    assert load(tmp_path, source="{language}.jsonl", languages={"de": "ger", "en": "eng"}) == ROWS[:4]


def test_numbers_may_name_concepts(tmp_path: Path):
    write(tmp_path / "d.parquet", [row | {"id": 7} for row in PAIRS])
    assert {row[0] for row in load(tmp_path, source="d.parquet", languages=NAMES)} == {"7"}


def test_one_language_without_a_column_for_it_and_for_the_concept(tmp_path: Path):
    write(tmp_path / "data.jsonl", PAIRS[:2])
    texts = load(tmp_path, languages=["sw"], columns={"query": "q", "passage": "p"})
    assert [row[:2] for row in texts] == [("sw/1", "sw"), ("sw/1", "sw"), ("sw/2", "sw"), ("sw/2", "sw")]


def test_concepts_with_a_single_text_are_left_out_and_counted(tmp_path: Path):
    write(tmp_path / "data.jsonl", PAIRS)
    columns = {"concept": "id", "language": "lang", "text": "q"}
    corpus = mapping.load(describe(tmp_path, languages=NAMES, columns=columns))
    assert rows(corpus) == [("a", "de", "text", "Frage"), ("a", "en", "text", "question")]
    assert corpus.notes == ("concepts with a single text, left out: 1",)


def test_a_row_that_says_what_one_before_it_says_is_left_out_and_counted(tmp_path: Path):
    write(tmp_path / "data.jsonl", [*PAIRS, PAIRS[0] | {"other": "y"}, PAIRS[0], PAIRS[1] | {"p": "an answer"}])
    corpus = mapping.load(describe(tmp_path, languages=NAMES))
    assert rows(corpus) == [*ROWS, ("a", "en", "query", "question"), ("a", "en", "passage", "an answer")]
    assert corpus.notes == ("rows that stand twice, left out: 2",)


def test_a_text_that_stands_twice_is_not_its_own_answer(tmp_path: Path):
    write(tmp_path / "data.jsonl", [*PAIRS, PAIRS[2]])
    corpus = mapping.load(
        describe(tmp_path, languages=NAMES, columns={"concept": "id", "language": "lang", "text": "q"})
    )
    assert {row[0] for row in rows(corpus)} == {"a"}
    assert corpus.notes == ("rows that stand twice, left out: 1", "concepts with a single text, left out: 1")


def test_rows_of_parallel_files_are_concepts_by_their_number(tmp_path: Path):
    write(tmp_path / "1.ger.tsv", [{"s": "eins"}, {"s": "zwei"}])
    write(tmp_path / "2.ger.tsv", [{"s": "drei"}])
    write(tmp_path / "1.eng.tsv", [{"s": "one"}, {"s": "two"}, {"s": "three"}])
    languages = {"de": "ger", "en": "eng"}
    fields = {"source": "*.{language}.tsv", "languages": languages, "columns": {"text": "s"}, "parallel": True}
    german, english = ("eins", "zwei", "drei"), ("one", "two", "three")
    assert load(tmp_path, **fields) == [
        *((f"{number}", "de", "text", word) for number, word in enumerate(german, start=1)),
        *((f"{number}", "en", "text", word) for number, word in enumerate(english, start=1)),
    ]
    write(tmp_path / "2.eng.tsv", [{"s": "four"}])
    fails(f"{tmp_path}/mine.yaml: found 3 rows of 'de' and 4 of 'en', expected parallel ones", tmp_path, **fields)


def test_rows_of_files_that_are_not_parallel_are_concepts_of_their_own(tmp_path: Path):
    for code in ("de", "en"):
        write(tmp_path / f"{code}.csv", PAIRS[:1])
    texts = load(tmp_path, source="{language}.csv", languages=["en", "de"], columns={"query": "q", "passage": "p"})
    assert [row[:2] for row in texts] == [("en/1", "en"), ("en/1", "en"), ("de/1", "de"), ("de/1", "de")]


def test_a_column_for_each_language(tmp_path: Path):
    write(tmp_path / "data.jsonl", [{"id": "x", "ger": "ja", "eng": "yes"}])
    texts = load(tmp_path, languages={"de": "ger", "en": "eng"}, columns={"concept": "id", "text": "{language}"})
    assert texts == [("x", "de", "text", "ja"), ("x", "en", "text", "yes")]


# --------------------------------------------------------------------------------------------------------------- hub


def hub_folder(folder: Path) -> Path:
    """Write a data set as the hub has it: Parquet, and a README that says which file is which subset and split."""
    configs = []
    for code, row in zip(NAMES.values(), PAIRS, strict=True):
        files = [{"split": split, "path": f"{code}/{split}-*.parquet"} for split in ("train", "dev")]
        configs.append({"config_name": code, "data_files": files})
        write(folder / code / "train-00000-of-00001.parquet", [row])
        write(folder / code / "dev-00000-of-00001.parquet", [row | {"id": "b"}, row | {"id": "c"}])
    (folder / "README.md").write_text(f"---\n{yaml.safe_dump({'configs': configs})}---\n")
    return folder


HUB = {"source": "hub", "subset": "{language}", "languages": NAMES}


def test_a_folder_in_the_hubs_form(tmp_path: Path):
    hub_folder(tmp_path / "hub")
    columns = {"concept": "id", "query": "q", "passage": "p"}
    assert load(tmp_path, columns=columns, **HUB) == ROWS
    assert {row[0] for row in load(tmp_path, columns=columns, split="dev[:1]", **HUB)} == {"b"}


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"subset": "x{language}"}, "xger train: found nothing that can be read .*'ger'.*, expected data"),
        ({"split": "test"}, "ger test: found nothing that can be read .*test.*, expected data"),
        (
            {"columns": COLUMNS | {"query": "nix"}},
            "ger train: found the columns id lang q p other, expected 'nix' (query)",
        ),
    ],
)
def test_a_wrong_subset_split_or_column_is_named(tmp_path: Path, fields: dict[str, Any], message: str):
    fails(f"{hub_folder(tmp_path / 'hub')} {message}", tmp_path, **HUB | fields)


def test_an_empty_text_of_a_data_set_is_named(tmp_path: Path):
    folder = hub_folder(tmp_path / "hub")
    write(folder / "eng" / "train-00000-of-00001.parquet", [PAIRS[0], PAIRS[1] | {"p": None}])
    fails(f"{folder} eng train:row 2: found None as column 'p', expected a text", tmp_path, **HUB)


def test_a_hub_that_cannot_be_reached_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("datasets.config.HF_HUB_OFFLINE", True)
    message = (
        "owner/name train: found nothing that can be read (Couldn't reach 'owner/name' on the Hub.*), expected data"
    )
    fails(message, tmp_path, source="owner/name", revision="0" * 40)


def test_a_local_folder_is_not_taken_for_the_hubs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    hub_folder(tmp_path / "owner" / "name")
    monkeypatch.chdir(tmp_path)
    message = "owner/name ger train: found a local owner/name, expected none"
    fails(message, tmp_path, **HUB | {"source": "owner/name", "revision": "v1"})


# -------------------------------------------------------------------------------------------------------- bad inputs


@pytest.mark.parametrize("column", ["q", "p", "id", "lang"])
@pytest.mark.parametrize(("name", "place"), [("d.jsonl", ":2"), ("d.tsv", ":3"), ("d.parquet", ":row 2")])
def test_an_empty_value_is_named(tmp_path: Path, name: str, place: str, column: str):
    file = write(tmp_path / name, [PAIRS[0], PAIRS[0] | {column: " "}])
    message = f"{file}{place}: found ' ' as column {column!r}, expected a text that is not empty"
    fails(message, tmp_path, source=name, languages={"de": "ger"})


def test_a_column_that_is_not_there_is_named(tmp_path: Path):
    file = write(tmp_path / "data.jsonl", [PAIRS[0], {"id": "a", "q": "x"}])
    fails(f"{file}:2: found the columns id q, expected 'p' (passage)", tmp_path, languages={"de": "ger"})


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"id,lang,q,p\na,de,x\n", ":2: found 3 values, expected 4: id, lang, q, p"),
        (
            b'id,lang,q,p\na,de,"x"y,z\n',
            ":2: found a line that cannot be divided (.*), expected values with ',' between",
        ),
        (b"id,lang,q,p\na,de,gr\xfcn,x\n", ": found bytes that are not UTF-8 (.*), expected UTF-8"),
    ],
)
def test_a_csv_file_that_cannot_be_divided_is_named(tmp_path: Path, data: bytes, message: str):
    (tmp_path / "d.csv").write_bytes(data)
    fails(f"{tmp_path}/d.csv{message}", tmp_path, source="d.csv")


@pytest.mark.parametrize(
    ("name", "found"), [("d.csv.gz", "a cut or damaged archive"), ("d.parquet", "no Parquet data")]
)
def test_a_cut_file_is_named(tmp_path: Path, name: str, found: str):
    file = write(tmp_path / name, PAIRS)
    file.write_bytes(file.read_bytes()[:-20])
    fails(f"{file}.*: found {found} (.*), expected a whole", tmp_path, source=name, languages=NAMES)


def test_what_is_not_there_is_named(tmp_path: Path):
    with pytest.raises(InputError, match=f"^{tmp_path / 'nix'}: found no such file, expected a description"):
        mapping.load(tmp_path / "nix")
    fails(f"{tmp_path}/nix.csv: found no such file or folder, expected one, or a hub", tmp_path, source="nix.csv")
    write(tmp_path / "data.jsonl", PAIRS)
    message = f"{tmp_path}/mine.yaml: found no row in 'sv' (called 'swe'), expected one at least"
    fails(message, tmp_path, languages=NAMES | {"sv": "swe"})


BAD_FIELDS = {
    "unknown name": ({"colums": {}}, "found unknown name 'colums', expected one of columns name source revision"),
    "unknown column": (
        {"columns": COLUMNS | {"txt": "q"}},
        "found unknown name 'columns.txt', expected one of query passage text concept language",
    ),
    "no name": ({"name": ""}, "found name = '', expected at least 1 character"),
    "Norway": ({"languages": [False, "de"]}, "found languages.False = False, expected a valid string in quotes"),
    "number as revision": ({"revision": 1234}, "found revision = 1234, expected a valid string in quotes"),
    "no code": ({"languages": ["German"]}, "languages: found language 'German', expected a code"),
    "empty list": ({"languages": []}, "found languages {}, expected one or more, each called differently"),
    "one name twice": ({"languages": {"de": "x", "en": "x"}}, "found languages .*, expected one or more, each called"),
    "query alone": ({"columns": {"query": "q"}}, "found query in columns, expected either query and passage, or text"),
    "all roles": ({"columns": COLUMNS | {"text": "q"}}, "found .*query, passage, text.* in columns, expected either"),
    "no language": ({"columns": {"query": "q", "passage": "p"}}, "found 0 languages, expected one, or a column for"),
    "place": ({"source": "{language}.csv"}, "found {language} and no languages, expected their codes"),
    "one file": ({"parallel": True}, "found parallel, expected it with {language} and without a column for"),
    "lone texts": ({"columns": {"text": "q", "language": "lang"}}, "found nothing that tells which texts mean the"),
    "another kind": ({"source": "mine.yaml"}, "found a file of another kind, expected .jsonl, .csv, .tsv"),
    "split of files": ({"source": "mine.yaml", "split": "dev"}, "found a subset or a split of files, expected neither"),
}


@pytest.mark.parametrize(("fields", "message"), BAD_FIELDS.values(), ids=BAD_FIELDS)
def test_a_bad_description_is_named(tmp_path: Path, fields: dict[str, Any], message: str):
    fails(f"{tmp_path}/mine.yaml: {message}", tmp_path, **fields)


@pytest.mark.parametrize("text", ["[1, 2]", "name: {{", ""])
def test_a_file_that_is_no_description_is_named(tmp_path: Path, text: str):
    (tmp_path / "mine.yaml").write_text(text)
    with pytest.raises(InputError, match=f"(?s)^{tmp_path}/mine.yaml: found .*, expected a"):
        mapping.load(tmp_path / "mine.yaml")
