import gzip
import json
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybridlib.corpora import beir
from hybridlib.corpora.collection import Collection
from hybridlib.errors import InputError

PASSAGES = (
    {"_id": "d1", "title": "Einstein", "text": "A physicist."},
    {"_id": "d2", "title": "", "text": "Wheat beer "},
    {"_id": "d3", "text": "No title"},
    {"_id": "d4", "title": None, "text": "Null as title"},
)
QUERIES = ({"_id": "q1", "text": "Who?"}, {"_id": "q2", "text": "What?"}, {"_id": "q3", "text": "Why?"})
QRELS = ("q1\td1\t2", "q3\td2\t1", "q1\td3\t0")
JUDGED = {("q1", "d1", 2), ("q3", "d2", 1), ("q1", "d3", 0)}


@pytest.fixture(autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("HYBRIDLIB_CACHE", str(folder))
    return folder


def write(folder: Path, passages=PASSAGES, queries=QUERIES, qrels=QRELS, suffix=".jsonl", split="test") -> Path:
    """Write a folder in BEIR's form; each object is a line, as are bytes."""
    (folder / "qrels").mkdir(parents=True, exist_ok=True)
    for name, lines in (("corpus", passages), ("queries", queries)):
        data = b"".join((x if isinstance(x, bytes) else json.dumps(x).encode()) + b"\n" for x in lines)
        (folder / f"{name}{suffix}").write_bytes(gzip.compress(data) if suffix.endswith(".gz") else data)
    (folder / "qrels" / f"{split}.tsv").write_text("\n".join(["query-id\tcorpus-id\tscore", *qrels]) + "\n")
    return folder


def tagged(lines: Any, code: str, field: str = "language") -> list[dict[str, Any]]:
    return [{**line, field: code} for line in lines]


def judged(collection: Collection) -> set[tuple[str, str, int]]:
    """Return the qrels with ids instead of positions."""
    query, passage = collection.queries["id"], collection.passages["id"]
    return {(query[q], passage[p], r) for q, p, r in collection.qrels.itertuples(index=False)}


# ----------------------------------------------------------------------------------------------------------- content


@pytest.mark.parametrize("suffix", [".jsonl", ".jsonl.gz"])
def test_a_folder_in_one_language(tmp_path: Path, suffix: str):
    collection = beir.load(write(tmp_path / "mine", suffix=suffix), language="de")
    assert collection.passages.to_dict() == {
        "id": ["d1", "d2", "d3", "d4"],
        "language": ["de"] * 4,
        "text": ["Einstein A physicist.", "Wheat beer", "No title", "Null as title"],
    }
    assert collection.queries.to_numpy().tolist() == [["q1", "de", "q1", "Who?"], ["q3", "de", "q3", "Why?"]]
    assert judged(collection) == JUDGED
    assert (collection.name, collection.settings, collection.notes) == ("mine", ("monolingual",), ())


def test_each_split_has_its_own_queries(tmp_path: Path):
    write(tmp_path, split="dev", qrels=["q2\td4\t1"])
    assert beir.load(write(tmp_path), split="dev", language="de").queries["id"].tolist() == ["q2"]


@pytest.mark.parametrize("field", ["language", "lang"])
def test_each_line_may_name_its_language(tmp_path: Path, field: str):
    passages = tagged(PASSAGES[:2], "en", field) + tagged(PASSAGES[2:], "sw", field)
    folder = write(tmp_path, passages, tagged(QUERIES[:1], "sw", field) + tagged(QUERIES[1:], "en", field))
    collection = beir.load(folder)
    assert collection.queries["language"].tolist() == ["sw", "en"]
    assert collection.passages["language"] == ["en", "en", "sw", "sw"]
    assert collection.settings == ("monolingual", "crosslingual", "multilingual")


def test_the_language_of_a_line_goes_before_that_of_the_folder(tmp_path: Path):
    folder = write(tmp_path, [*tagged(PASSAGES[:1], "en"), *PASSAGES[1:]])
    assert beir.load(folder, language="fr").passages["language"] == ["en", "fr", "fr", "fr"]


def test_queries_with_one_concept_field_are_one_concept(tmp_path: Path):
    queries = [line | {"concept": "c"} for line in QUERIES]
    assert beir.load(write(tmp_path, queries=queries), language="de").queries["concept"].tolist() == ["c", "c"]


def test_one_sub_folder_a_language(tmp_path: Path):
    write(tmp_path / "pt-BR", qrels=["q3\td4\t1"])
    write(tmp_path / "de", queries=QUERIES[::-1], suffix=".jsonl.gz")
    (tmp_path / "notes").mkdir()
    collection = beir.load(tmp_path)
    assert collection.queries[["id", "language", "concept"]].to_numpy().tolist() == [
        ["de/q3", "de", "q3"],
        ["de/q1", "de", "q1"],
        ["pt-BR/q3", "pt-BR", "q3"],
    ]
    assert collection.passages["id"] == [f"{code}/d{i}" for code in ("de", "pt-BR") for i in range(1, 5)]
    assert collection.passages["language"] == ["de"] * 4 + ["pt-BR"] * 4
    german = {(f"de/{query}", f"de/{passage}", relevance) for query, passage, relevance in JUDGED}
    assert judged(collection) == german | {("pt-BR/q3", "pt-BR/d4", 1)}


def test_empty_passages_are_kept_and_noted(tmp_path: Path):
    collection = beir.load(write(tmp_path, [*PASSAGES, {"_id": "d5", "title": " ", "text": ""}]), language="en")
    assert collection.passages[4]["text"] == ""
    assert collection.notes == ("1 of 5 passages are empty",)


def test_a_passage_that_is_the_query_is_not_ranked_for_it(tmp_path: Path):
    passages = [
        {"_id": "a", "title": "T", "text": "same text"},
        {"_id": "b", "text": "same id alone"},
        {"_id": "c", "text": "relevant all the same"},
        *PASSAGES,
    ]
    queries = [
        {"_id": "c", "text": "relevant all the same"},
        {"_id": "a", "text": "same text "},
        {"_id": "b", "text": "another text"},
        {"_id": "q", "text": "same text"},
    ]
    folder = write(tmp_path, passages, queries, ["a\td1\t1", "a\ta\t0", "b\td1\t1", "c\tc\t1", "q\td1\t1"])
    assert beir.load(folder, language="en").itself.tolist() == [-1, 0, -1, -1]


def test_itself_counts_passages_over_all_sub_folders(tmp_path: Path):
    for code in ("de", "en"):
        write(tmp_path / code, [*PASSAGES, {"_id": "q1", "text": "Who?"}], qrels=QRELS[:1])
    assert beir.load(tmp_path).itself.tolist() == [4, 9]


@settings(max_examples=20, deadline=None)
@given(st.data())
def test_any_order_of_lines_gives_the_same_judgements(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject):
    folder = write(
        tmp_path_factory.mktemp("shuffled"),
        data.draw(st.permutations(PASSAGES)),
        data.draw(st.permutations(QUERIES)),
        data.draw(st.permutations(QRELS)),
    )
    assert judged(beir.load(folder, language="de")) == JUDGED


# ------------------------------------------------------------------------------------------------------------- cache


def test_passages_stand_on_disk_and_are_written_once(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(beir, "_BLOCK", 3)
    folder = write(tmp_path)
    first = beir.load(folder, language="de")
    (written,) = [path for path in cache.rglob("*") if path.is_file()]
    assert first.passages.cache_files == [{"filename": str(written)}]
    monkeypatch.setattr(beir, "_passage_rows", None)
    assert beir.load(folder, language="de").fingerprint == first.fingerprint


def test_a_changed_corpus_is_read_anew(tmp_path: Path):
    beir.load(write(tmp_path), language="de")
    folder = write(tmp_path, [*PASSAGES, {"_id": "d5", "text": "new"}])
    assert beir.load(folder, language="de").passages[4]["text"] == "new"
    assert set(beir.load(folder, language="en").passages["language"]) == {"en"}


def test_a_bad_corpus_leaves_nothing_in_the_cache(tmp_path: Path, cache: Path):
    with pytest.raises(InputError):
        beir.load(write(tmp_path, [*PASSAGES, PASSAGES[0]]), language="de")
    assert not [path for path in cache.rglob("*") if path.is_file()]


# --------------------------------------------------------------------------------------------------------- bad files

BAD_LINES = {
    "no id": ({"text": "x"}, "found None as _id, expected a text"),
    "number as id": ({"_id": 7, "text": "x"}, "found 7 as _id, expected a text"),
    "language": ({"_id": "z", "text": "x", "lang": "German"}, "found language 'German', expected a code"),
}


@pytest.mark.parametrize(("line", "message"), BAD_LINES.values(), ids=BAD_LINES)
@pytest.mark.parametrize("name", ["corpus", "queries"])
def test_a_bad_line_is_named(tmp_path: Path, name: str, line: Any, message: str):
    lines = {"corpus": PASSAGES, "queries": QUERIES} | {name: [QUERIES[0], b"", line, QUERIES[1]]}
    with pytest.raises(InputError, match=f"^{tmp_path / name}.jsonl:3: {message}"):
        beir.load(write(tmp_path, lines["corpus"], lines["queries"]), language="de")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ({"_id": "z"}, "found title '' and text None, expected texts"),
        ({"_id": "z", "title": ["x"], "text": "x"}, r"found title \['x'\] and text 'x', expected texts"),
        (b'{"_id": "z", "text": "cut emoji \\ud83d"}', "found half a surrogate pair"),
        (PASSAGES[0], "found passage 'd1' again, expected different ids"),
    ],
)
def test_a_bad_passage_is_named(tmp_path: Path, line: Any, message: str):
    with pytest.raises(InputError, match=rf"^{tmp_path}/de/corpus\.jsonl:6: {message}"):
        beir.load(write(tmp_path / "de", [*PASSAGES, b"", line]).parent)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ({"_id": "q9", "text": " "}, "found ' ' as text, expected a text that is not empty"),
        ({"_id": "q9", "text": "x", "concept": ""}, "found '' as concept, expected a text that is not empty"),
        (QUERIES[1], "found query 'q2' again, expected different ids"),
    ],
)
def test_a_bad_query_is_named(tmp_path: Path, line: Any, message: str):
    folder = write(tmp_path, queries=[*QUERIES, line], qrels=[*QRELS, "q9\td1\t1"])
    with pytest.raises(InputError, match=rf"^{tmp_path}/queries\.jsonl:4: {message}"):
        beir.load(folder, language="de")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("q7\td1\t1", ":5: found query 'q7', expected the _id of a query"),
        ("q1\td9\t1", ":5: found passage 'd9', expected the _id of a passage"),
        ("q1\td2\t0.5", ":5: found score '0.5', expected an integer"),
        ("q1\td1\t1", ":5: found query 'q1' and passage 'd1' again, expected a pair once"),
        ("q1\td2", ":5: found 2 values, expected 3: query-id, corpus-id, score"),
        ('q1\t"d2\t1', ":5: found a line that cannot be divided"),
    ],
)
def test_a_bad_judgement_is_named(tmp_path: Path, line: str, message: str):
    with pytest.raises(InputError, match=f"^{tmp_path}/qrels/test.tsv{message}"):
        beir.load(write(tmp_path, qrels=[*QRELS, line]), language="de")


def test_an_unknown_passage_of_a_sub_folder_is_named(tmp_path: Path):
    write(tmp_path / "de")
    write(tmp_path / "en", PASSAGES[1:])
    with pytest.raises(InputError, match=rf"^{tmp_path}/en/qrels/test\.tsv:2: found passage 'en/d1', expected"):
        beir.load(tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("q1 0 d1 1\nq3 0 d2 1\n", "found 'q1 0 d1 1' as names of columns, expected query-id corpus-id score"),
        ("query-id\tcorpus-id\tscore\n", "found no judgement, expected lines of query-id corpus-id score"),
    ],
)
def test_qrels_without_their_first_line_or_any_other_are_an_error(tmp_path: Path, text: str, message: str):
    (write(tmp_path) / "qrels" / "test.tsv").write_text(text)
    with pytest.raises(InputError, match=f"^{tmp_path}/qrels/test.tsv: {message}"):
        beir.load(tmp_path, language="de")


@pytest.mark.parametrize("name", ["corpus", "queries"])
def test_a_line_without_a_language_is_named(tmp_path: Path, name: str):
    lines = {"corpus": tagged(PASSAGES, "de"), "queries": tagged(QUERIES, "de")}
    del lines[name][1]["language"]
    with pytest.raises(InputError, match=f"^{tmp_path / name}.jsonl:2: found no language, expected a field language"):
        beir.load(write(tmp_path, lines["corpus"], lines["queries"]))


@pytest.mark.parametrize("name", ["corpus", "queries"])
def test_a_cut_gzip_file_is_named(tmp_path: Path, name: str):
    rng = random.Random(0)
    many = [{"_id": rng.randbytes(30).hex(), "text": rng.randbytes(40).hex()} for _ in range(3000)]
    file = write(tmp_path, [*PASSAGES, *many], [*QUERIES, *many], suffix=".jsonl.gz") / f"{name}.jsonl.gz"
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    with pytest.raises(InputError, match=rf"^{file}:\d+: found a cut or damaged archive .*, expected a whole one"):
        beir.load(tmp_path, language="de")


def test_what_is_missing_is_named(tmp_path: Path):
    with pytest.raises(
        InputError, match=f"^{tmp_path}: found no corpus.jsonl or corpus.jsonl.gz, expected it there or"
    ):
        beir.load(tmp_path)
    write(tmp_path, split="dev")
    with pytest.raises(InputError, match=f"^{tmp_path}/qrels/test.tsv: found no such file, .* one of the splits: dev$"):
        beir.load(tmp_path, language="de")
    (write(tmp_path) / "queries.jsonl").unlink()
    with pytest.raises(InputError, match=f"^{tmp_path}/queries.jsonl: found no such file, expected JSON lines"):
        beir.load(tmp_path, language="de")


def test_a_sub_folder_is_named_by_a_language_and_no_other_is_given(tmp_path: Path):
    write(tmp_path / "de")
    with pytest.raises(
        InputError, match=f"^{tmp_path}: found language 'de' for sub-folders, expected each to name its"
    ):
        beir.load(tmp_path, language="de")
    write(tmp_path / "German")
    with pytest.raises(
        InputError, match=f"^{tmp_path}/German: found sub-folder 'German', expected a code such as 'de'"
    ):
        beir.load(tmp_path)
