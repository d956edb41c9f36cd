import json
from pathlib import Path
from typing import Any

import datasets
import pytest

from hybridlib import languages
from hybridlib.corpora import belebele
from hybridlib.errors import InputError

# link, question number; as in the data set, some passages have one question and some two
QUESTIONS = (("https://x/a", 1), ("https://x/a", 2), ("https://x/b", 1))


@pytest.fixture(autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", str(tmp_path_factory.mktemp("cache")))


def rows(code: str) -> list[dict[str, Any]]:
    return [
        {
            "link": link,
            "question_number": number,
            "flores_passage": f"{code} passage {link}",
            "question": f"{code} question {link} {number}",
            "mc_answer1": "…",
            "correct_answer_num": "1",
            "dialect": code,
            "ds": "2023-07-21",
        }
        for link, number in QUESTIONS
    ]


def hub(folder: Path, **of_code: list[dict[str, Any]]) -> str:
    """Write JSON lines and the card that names them, as the hub's repository has them."""
    (folder / "data").mkdir(parents=True)
    lines = ["---", "configs:"]
    for code, content in of_code.items():
        (folder / "data" / f"{code}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in content))
        lines += [f"- config_name: {code}", "  data_files:", "  - split: test", f"    path: data/{code}.jsonl"]
    (folder / "README.md").write_text("\n".join([*lines, "---", ""]))
    return str(folder)


@pytest.fixture
def parallel(tmp_path: Path) -> str:
    return hub(tmp_path / "b", **{code: rows(code) for code in ("deu_Latn", "eng_Latn", "swh_Latn")})


# ----------------------------------------------------------------------------------------------------------- content


def test_a_passage_stands_once_a_language(parallel: str):
    collection = belebele.load(["de", "sw"], source=parallel)
    assert collection.passages.to_dict() == {
        "id": ["de/https://x/a", "de/https://x/b", "sw/https://x/a", "sw/https://x/b"],
        "language": ["de", "de", "sw", "sw"],
        "text": [f"{code} passage https://x/{which}" for code in ("deu_Latn", "swh_Latn") for which in "ab"],
    }


def test_a_question_is_a_query_and_parallel_ones_are_a_concept(parallel: str):
    queries = belebele.load(["de", "sw"], source=parallel).queries
    assert queries.iloc[1].to_dict() == {
        "id": "de/https://x/a#2",
        "language": "de",
        "concept": "https://x/a#2",
        "text": "deu_Latn question https://x/a 2",
    }
    assert queries.groupby("concept")["language"].agg(list).to_dict() == {
        "https://x/a#1": ["de", "sw"],
        "https://x/a#2": ["de", "sw"],
        "https://x/b#1": ["de", "sw"],
    }


def test_the_passage_asked_about_is_relevant_in_every_language(parallel: str):
    collection = belebele.load(["de", "en", "sw"], source=parallel)
    query, passage = collection.queries["id"], collection.passages["id"]
    found = {(query[q], passage[p]) for q, p in collection.relevant[["query", "passage"]].itertuples(index=False)}
    codes = ("de", "en", "sw")
    assert found == {(f"{a}/{link}#{n}", f"{b}/{link}") for link, n in QUESTIONS for a in codes for b in codes}
    assert len(collection.qrels) == 27
    assert collection.settings == ("monolingual", "crosslingual", "multilingual")
    assert (collection.name, collection.notes) == ("belebele", ())


def test_one_language_is_monolingual(parallel: str):
    assert belebele.load(["en"], source=parallel).settings == ("monolingual",)


def test_the_first_form_of_a_passage_is_kept_and_noted(tmp_path: Path):
    content = rows("eng_Latn")
    content[1]["flores_passage"] += " "
    collection = belebele.load(["en"], source=hub(tmp_path / "b", eng_Latn=content))
    assert collection.passages["text"][0] == "eng_Latn passage https://x/a"
    assert collection.notes == ("1 passages are written differently for their second question; the first form is kept",)


def test_every_language_of_the_table_but_quechua_has_a_code():
    assert set(languages.LANGUAGES) - set(belebele.CODES) == {"quz"}
    assert set(belebele.CODES) <= set(languages.LANGUAGES)
    assert len(set(belebele.CODES.values())) == 36


# --------------------------------------------------------------------------------------------------------- bad input


def without(code: str, number: int) -> list[dict[str, Any]]:
    return [row for i, row in enumerate(rows(code)) if i != number]


BAD = {
    "question again": ([*rows("eng_Latn"), rows("eng_Latn")[0]], "eng_Latn:row 4: found question https://x/a#1 again"),
    "blank question": ([rows("eng_Latn")[0] | {"question": " "}], "eng_Latn:row 1: found ' ' as question, expected a"),
    "no number": ([rows("eng_Latn")[0] | {"question_number": None}], "row 1: found None as question_number, expected"),
    "no column": (
        [{"link": "https://x/a", "question_number": 1, "question": "?"}],
        "eng_Latn: found columns link question_number question, expected flores_passage among them",
    ),
    "fewer questions": (
        without("eng_Latn", 2),
        "found 2 questions, expected those of the other languages, also .*x/b#1",
    ),
}


@pytest.mark.parametrize(("content", "message"), BAD.values(), ids=BAD)
def test_bad_rows_are_named(tmp_path: Path, content: list[dict[str, Any]], message: str):
    source = hub(tmp_path / "b", eng_Latn=content, deu_Latn=rows("deu_Latn"))
    with pytest.raises(InputError, match=message):
        belebele.load(["en", "de"], source=source)


@pytest.mark.parametrize(("wanted", "found"), [(["de", "quz"], "'quz'"), ([], "none")])
def test_languages_without_a_code_are_an_error(wanted: list[str], found: str):
    with pytest.raises(InputError, match=f"^belebele: found language {found}, expected one or several of ar bn "):
        belebele.load(wanted)


def test_a_configuration_that_is_missing_is_an_error(parallel: str):
    with pytest.raises(InputError, match=r"b fra_Latn: found no data \(ValueError: BuilderConfig 'fra_Latn' not found"):
        belebele.load(["fr"], source=parallel)


def test_the_hub_is_read_at_the_recorded_commit(parallel: str, monkeypatch: pytest.MonkeyPatch):
    asked = []

    def recorded(source: str, config: str, commit: str | None, split: str) -> datasets.Dataset:
        asked.append((source, config, commit, split))
        return datasets.Dataset.from_list(rows(config))

    monkeypatch.setattr(belebele, "hub_split", recorded)
    belebele.load(["zh"])
    assert asked == [("facebook/belebele", "zho_Hans", "7899cdfa4e1e0d733fd77c848e2c273cb1d32be2", "test")]
