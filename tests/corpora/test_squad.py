import gzip
import http.client
import io
import json
import os
import tempfile
import urllib.error
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybridlib.corpora import squad
from hybridlib.corpora.collection import Collection
from hybridlib.errors import InputError

DATA = os.environ.get("HYBRIDLIB_DATA")
real_data = pytest.mark.skipif(not DATA, reason="$HYBRIDLIB_DATA does not name the folder of real data")


@pytest.fixture(autouse=True)
def _offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Keep every test off the network, the real data and the real cache."""
    monkeypatch.delenv("HYBRIDLIB_DATA", raising=False)
    monkeypatch.setenv("HYBRIDLIB_CACHE", str(tmp_path / "cache"))
    online(monkeypatch, lambda _: AssertionError("a download that was not expected"))


def online(monkeypatch: pytest.MonkeyPatch, answers: Any) -> list[str]:
    """Let downloads have the answers of a function of the address; return the list into which addresses will come."""
    asked: list[str] = []

    def urlopen(address: str, **_: Any) -> io.BytesIO:
        asked.append(address)
        answer = answers(address)
        if isinstance(answer, Exception):
            raise answer
        return io.BytesIO(answer)

    monkeypatch.setattr("urllib.request.urlopen", urlopen)
    return asked


def question(concept: str, *starts: int, text: str = "x", asked: str = "why?") -> dict[str, Any]:
    return {"id": concept, "question": asked, "answers": [{"answer_start": start, "text": text} for start in starts]}


def paragraph(context: str, *questions: dict[str, Any], breaks: list[list[int]] | None = None) -> dict[str, Any]:
    made: dict[str, Any] = {"context": context, "qas": list(questions)}
    if breaks is not None:
        made |= {"sentence_breaks": breaks, "sentences": [context[start:end] for start, end in breaks]}
    return made


def write(folder: Path, name: str, *articles: list[dict[str, Any]]) -> Path:
    """Write articles, each a list of paragraphs, with the packing that the name asks for."""
    folder.mkdir(parents=True, exist_ok=True)
    data = json.dumps({"version": "1.1", "data": [{"title": "t", "paragraphs": article} for article in articles]})
    (folder / name).write_bytes(gzip.compress(data.encode()) if name.endswith(".gz") else data.encode())
    return folder


def relevant(collection: Collection) -> dict[str, set[str]]:
    """Return the ids of the passages relevant to each query id."""
    assert (collection.qrels["relevance"] == 1).all()
    queries, passages = list(collection.queries["id"]), list(collection.passages["id"])
    found: dict[str, set[str]] = {}
    for query, passage in zip(collection.qrels["query"], collection.qrels["passage"], strict=True):
        found.setdefault(queries[query], set()).add(passages[passage])
    return found


# ------------------------------------------------------------------------------------------------------- XQuAD-R's form

EN = paragraph("xa. xb. xc.", question("q1", 4, asked="one?"), question("q2", 8), breaks=[[0, 3], [4, 7], [8, 11]])
DE = paragraph("xd. xe.", question("q1", 0, asked="eins?"), breaks=[[0, 3], [4, 7]])
OTHER = paragraph("xa.", question("q3", 0), breaks=[[0, 3]])


def test_sentences_are_passages_and_ids_name_their_place(tmp_path: Path):
    collection = squad.load("mine", write(tmp_path, "en.json", [OTHER, EN], [OTHER | {"qas": [question("q4", 0)]}]))
    assert [(row["id"], row["language"], row["text"]) for row in collection.passages] == [
        ("en/0/0/0", "en", "xa."),
        ("en/0/1/0", "en", "xa."),
        ("en/0/1/1", "en", "xb."),
        ("en/0/1/2", "en", "xc."),
        ("en/1/0/0", "en", "xa."),
    ]
    assert list(collection.queries.loc[1]) == ["q1/en", "en", "q1", "one?"]
    assert (collection.name, collection.notes) == ("mine", ())


def test_the_answer_sentence_is_relevant_in_every_language_that_has_the_question(tmp_path: Path):
    write(tmp_path, "de.json", [DE])
    collection = squad.load("mine", write(tmp_path, "en.json.gz", [EN]))
    both = {"en/0/0/1", "de/0/0/0"}
    assert relevant(collection) == {"q1/en": both, "q1/de": both, "q2/en": {"en/0/0/2"}}
    assert collection.languages == ["en", "de"]


@pytest.mark.parametrize(("answer", "sentence"), [("xa", 0), (". xb.", 0), (" xb", 1), ("xb", 1), (".", 0), ("b.", 1)])
def test_an_answer_belongs_to_the_sentence_it_starts_in_or_before(tmp_path: Path, answer: str, sentence: int):
    asked = question("q", "xa. xb.".index(answer), text=answer)
    collection = squad.load("mine", write(tmp_path, "en.json", [paragraph("xa. xb.", asked, breaks=[[0, 3], [4, 7]])]))
    assert (relevant(collection), collection.notes) == ({"q/en": {f"en/0/0/{sentence}"}}, ())


def test_each_sentence_with_an_answer_is_relevant_once(tmp_path: Path):
    collection = squad.load("mine", write(tmp_path, "en.json", [EN | {"qas": [question("q", 8, 0, 0)]}]))
    assert relevant(collection) == {"q/en": {"en/0/0/0", "en/0/0/2"}}
    assert len(collection.qrels) == 2


def test_the_text_of_a_passage_is_what_sentences_says(tmp_path: Path):
    folder = write(tmp_path, "en.json", [OTHER | {"sentences": ["x ½."]}])
    assert squad.load("mine", folder).passages["text"] == ["x ½."]


def test_paragraphs_follow_their_sentences(tmp_path: Path):
    folder = write(tmp_path, "en.json", [EN])
    plain, longer = squad.load("mine", folder), squad.load("mine", folder, paragraphs=True)
    assert longer.passages["text"] == ["xa.\nxa. xb. xc.", "xb.\nxa. xb. xc.", "xc.\nxa. xb. xc."]
    assert longer.passages["id"] == plain.passages["id"]
    assert longer.qrels.equals(plain.qrels)
    assert longer.notes == ("a passage is a sentence followed by its paragraph",)


def test_answers_that_stand_elsewhere_are_counted_in_a_note(tmp_path: Path):
    folder = write(tmp_path, "en.json", [EN | {"qas": [question("q1", 0, 1), question("q2", 4)]}])
    note = "1 of 3 answers are not the text that stands at their answer_start"
    assert squad.load("mine", folder).notes == (note,)


# --------------------------------------------------------------------------------------------------------- SQuAD's form


def test_paragraphs_without_sentences_are_divided(tmp_path: Path):
    context = "Dr. xa came.  It was 3.5 km. So?\n\nxb left."
    folder = write(tmp_path, "en.json", [paragraph(context, question("q1", 29), question("q2", 34))])
    collection = squad.load("mine", folder)
    assert collection.passages["text"] == ["Dr. xa came.", "It was 3.5 km.", "So?", "xb left."]
    assert relevant(collection) == {"q1/en": {"en/0/0/2"}, "q2/en": {"en/0/0/3"}}
    assert "sentencex did (en)" in collection.notes[0]


def test_an_initial_before_a_no_break_space_does_not_stop_the_division(tmp_path: Path):
    folder = write(tmp_path, "fr.json", [paragraph("x vitamine\u00a0D\u00a0.", question("q", 0))])
    assert squad.load("mine", folder).passages["text"] == ["x vitamine\u00a0D\u00a0."]


@settings(max_examples=60, deadline=None)
@given(
    st.text(st.sampled_from("xxyD.!?。 \n\u00a0\u2028é😀\"'()1"), min_size=1, max_size=40).filter(str.strip),
    st.sampled_from(["en", "zh", "hi", "xx"]),
)
def test_every_place_of_a_paragraph_is_in_the_sentence_found_for_it(context: str, language: str):
    places = [place for place, letter in enumerate(context) if not letter.isspace()]
    asked = [question(str(place), place, text=context[place]) for place in places]
    with tempfile.TemporaryDirectory() as folder:
        collection = squad.load("mine", write(Path(folder), f"{language}.json", [paragraph(context, *asked)]))
    spans, end = [], 0
    for text in collection.passages["text"]:
        start = context.index(text, end)
        assert not context[end:start].strip()
        end = start + len(text)
        spans.append((start, end))
    assert not context[end:].strip()
    for place, passage in zip(places, collection.qrels["passage"], strict=True):
        assert spans[passage][0] <= place < spans[passage][1]


# ---------------------------------------------------------------------------------------------------------------- files


def test_file_names_of_the_three_collections_are_known(tmp_path: Path):
    write(tmp_path, "test-context-de-question-de.json", [DE])
    write(tmp_path, "test-context-de-question-en.json", [])
    write(tmp_path, "xquad.en.json.gz", [EN])
    write(tmp_path, "zh-Hant.json", [OTHER])
    for name in ("dataset_infos", "en_train", "dev-v2", "map-notes"):
        write(tmp_path, f"{name}.json")
    assert squad.load("mine", tmp_path).languages == ["en", "de", "zh-Hant"]


@pytest.mark.parametrize("code", ["es-419", "zh-Hant-TW", "pt_BR"])
def test_every_language_code_names_a_file(tmp_path: Path, code: str):
    write(tmp_path, "en.json", [EN])
    write(tmp_path, f"{code}.json", [OTHER])
    assert set(squad.load("mine", tmp_path).languages) == {"en", code}


def test_file_called_as_the_pool_of_all_languages_is_an_error(tmp_path: Path):
    write(tmp_path, "all.json", [DE])
    with pytest.raises(InputError, match=r"all\.json: found language 'all', as results call the pool of all languages"):
        squad.load("mine", tmp_path)


def test_two_files_of_one_language_are_an_error(tmp_path: Path):
    write(tmp_path, "de.json", [DE])
    with pytest.raises(InputError, match=r"found de\.json and de\.json\.gz, expected one file a language"):
        squad.load("mine", write(tmp_path, "de.json.gz", [DE]))


def test_a_folder_without_a_file_is_an_error(tmp_path: Path):
    for folder in (tmp_path, tmp_path / "missing"):
        with pytest.raises(InputError, match=f"^{folder}: found no file in SQuAD's form, expected one a language"):
            squad.load("mine", folder)


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("en.json", b"not json", "found no JSON"),
        ("en.json", b"[]", "found None as data, expected list"),
        ("en.json.gz", gzip.compress(b"{}", mtime=0)[:-9], "found a cut or damaged archive"),
        ("en.json.gz", b"plain", "found a cut or damaged archive"),
    ],
)
def test_a_file_that_is_no_whole_json_is_an_error(tmp_path: Path, name: str, data: bytes, message: str):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(InputError, match=rf"{name}: {message}"):
        squad.load("mine", tmp_path)


HERE = "en.json:data[0]:paragraphs[1]"


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"context": None}, f"{HERE}: found None as context"),
        ({"qas": None}, f"{HERE}: found None as qas, expected list"),
        ({"qas": ["q"]}, f"{HERE}:qas[0]: found 'q', expected an object"),
        ({"qas": [question("q3", 0)]}, f"{HERE}:qas[0]: found id 'q3' again"),
        ({"qas": [question("q", 0, asked="")]}, f"{HERE}:qas[0]: found '' as question"),
        ({"qas": [question("q")]}, f"{HERE}:qas[0] (q): found no answer"),
        ({"qas": [question("q", 0, 11)]}, f"{HERE}:qas[0] (q):answers[1]: found answer_start 11, expected 0 to 10"),
        ({"qas": [question("q", -1)]}, f"{HERE}:qas[0] (q):answers[0]: found answer_start -1, expected 0 to 10"),
        ({"qas": [question("q", "0")]}, f"{HERE}:qas[0] (q):answers[0]: found '0' as answer_start, expected int"),
        ({"qas": [question("q", 0, text="")]}, f"{HERE}:qas[0] (q):answers[0]: found '' as text"),
        ({"sentences": None}, f"{HERE}: found None as sentences, expected list"),
        ({"sentences": ["xa.", "xb."]}, f"{HERE}: found 3 sentence_breaks, expected 2"),
        ({"sentences": ["xa.", "xb.", " "]}, f"{HERE}: found ' ' as a sentence"),
        ({"sentence_breaks": [[0, 3], [4, 7], [8]]}, f"{HERE}: found [8] in sentence_breaks, expected [start, end]"),
    ],
)
def test_a_wrong_field_is_named_with_its_place(tmp_path: Path, wrong: dict[str, Any], message: str):
    with pytest.raises(InputError) as error:
        squad.load("mine", write(tmp_path, "en.json", [OTHER, EN | wrong]))
    assert message in str(error.value)


# -------------------------------------------------------------------------------------------------------------- sources


def test_the_data_folder_goes_before_the_download(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HYBRIDLIB_DATA", str(tmp_path))
    write(tmp_path / "mlqa-r", "en.json", [EN])
    assert len(squad.load("mlqa-r").queries) == 2


@pytest.mark.parametrize(("name", "count"), [("xquad-r", 11), ("mlqa-r", 7)])
def test_files_are_downloaded_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, count: int):
    content = (write(tmp_path, "en.json", [EN]) / "en.json").read_bytes()
    asked = online(monkeypatch, lambda _: content)
    assert len(squad.load(name).languages) == len(squad.load(name).languages) == len(asked) == count
    assert all(address.startswith(squad.SOURCES[name][0]) for address in asked)


@pytest.mark.parametrize("fault", [urllib.error.URLError("no route"), http.client.IncompleteRead(b""), b"<html>"])
def test_a_download_that_fails_leaves_nothing_and_says_where_to_get_the_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: Any
):
    online(monkeypatch, lambda address: fault if address.endswith("zh.json") else b"{}")
    with pytest.raises(InputError, match=r"^mlqa-r: found no data .*HYBRIDLIB_DATA/mlqa-r/; or a network"):
        squad.load("mlqa-r")
    assert list((tmp_path / "cache").iterdir()) == []


def test_a_name_without_a_source_needs_a_folder():
    with pytest.raises(InputError, match=r"^name: found 'squad' without a folder"):
        squad.load("squad")


# ------------------------------------------------------------------------------------------------------------ real data

CANDIDATES = "ar 1222 de 1276 el 1234 en 1180 es 1215 hi 1244 ru 1219 th 852 tr 1167 vi 1209 zh 1196".split()


@real_data
def test_xquad_r_has_the_published_sizes_and_relevance_and_trains_on_every_question(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HYBRIDLIB_DATA", str(DATA))
    collection = squad.load()
    sizes = {code: int(size) for code, size in zip(CANDIDATES[::2], CANDIDATES[1::2], strict=True)}
    assert Counter(collection.passages["language"]) == sizes
    assert collection.queries["language"].value_counts().to_dict() == dict.fromkeys(sizes, 1190)
    assert (collection.queries["concept"].nunique(), len(collection.qrels)) == (1190, 1190 * 11 * 11)
    assert collection.notes == ()
    cells = collection.to_corpus().cells
    assert (len(cells), cells["queries"].unique().tolist(), cells["passages"].unique().tolist()) == (13090, [1], [1])

    texts = dict(zip(collection.passages["id"], collection.passages["text"], strict=True))
    found = relevant(collection)
    for code in ("en", "th"):  # LAReQA's rule, in its own words: the slice of the context that holds the start
        document = json.loads(gzip.decompress((Path(DATA) / "xquad-r" / f"{code}.json.gz").read_bytes()))
        for part in (part for article in document["data"] for part in article["paragraphs"]):
            for asked in part["qas"]:
                at = asked["answers"][0]["answer_start"]
                expected = next(part["context"][a:b] for a, b in part["sentence_breaks"] if a <= at < b)
                assert [texts[id_] for id_ in found[f"{asked['id']}/ar"] if id_.startswith(code)] == [expected]
