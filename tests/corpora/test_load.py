import gzip
import json
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from hybridlib.corpora import Corpus, belebele, load_corpus, miracl, mmarco
from hybridlib.corpora.collection import Collection
from hybridlib.corpora.load import check_corpus_name, load_collection
from hybridlib.errors import InputError

LINE = {"concept": "a", "language": "de", "query": "eins", "passage": "zwei"}


def written(folder: Path, suffix: str) -> Path:
    """Write one line of the line form with the suffix and return its path."""
    path = folder / f"mine{suffix}"
    data = (json.dumps(LINE) + "\n").encode()
    if suffix == ".parquet":
        pd.DataFrame([LINE]).to_parquet(path)
    else:
        path.write_bytes(gzip.compress(data) if suffix.endswith(".gz") else data)
    return path


@pytest.mark.parametrize("suffix", [".jsonl", ".jsonl.gz", ".parquet"])
def test_a_path_loads_the_line_form(tmp_path: Path, suffix: str):
    corpus = load_corpus(str(written(tmp_path, suffix)))
    assert corpus.name == "mine"
    rows = set(corpus.table.itertuples(index=False, name=None))
    assert rows == {("a", "de", "query", "eins"), ("a", "de", "passage", "zwei")}


def test_a_path_may_start_with_a_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    written(tmp_path, ".jsonl")
    monkeypatch.setenv("OWN_DATA", str(tmp_path))
    assert load_corpus("$OWN_DATA/mine.jsonl").concepts == ["a"]
    monkeypatch.delenv("OWN_DATA")
    with pytest.raises(InputError, match=r"found corpus '\$OWN_DATA/mine.jsonl', but no such file in "):
        load_corpus("$OWN_DATA/mine.jsonl")


def test_scenes_loads_the_embedded_corpus():
    corpus = load_corpus("scenes")
    assert corpus.name == "scenes"
    assert len(corpus.concepts) == 1500


def test_xm3600_loads_captions_from_the_path(tmp_path: Path):
    file = tmp_path / "captions.jsonl"
    file.write_text(json.dumps({"image/key": "k", "de": {"caption": ["eins", "zwei"]}}))
    corpus = load_corpus("xm3600", str(file))
    assert (corpus.name, corpus.concepts, corpus.languages) == ("xm3600", ["k"], ["de"])


KNOWN = (
    "scenes xm3600 xm3600:captions.jsonl xquad-r xquad-r:folder xquad-r+paragraphs mlqa-r mlqa-r+paragraphs:folder "
    "belebele miracl miracl:folder mmarco:100 squad:folder squad+paragraphs:folder beir:folder beir:folder#dev"
).split()
LOADERS = "beir belebele jsonl mapping miracl mmarco scenes squad xm3600".split()


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """What loaders are called with; they load one pair."""
    calls: list[tuple[Any, ...]] = []
    corpus = Corpus.from_rows([("a", "de", "query", "eins"), ("a", "de", "passage", "zwei")], "mine")
    for module in LOADERS:
        found = (
            corpus if module in ("jsonl", "mapping", "mmarco", "scenes", "xm3600") else Collection.from_corpus(corpus)
        )

        def load(*given: Any, module: str = module, found: Any = found, **options: Any) -> Any:
            calls.append((module, *given, options))
            return found

        monkeypatch.setattr(f"hybridlib.corpora.load.{module}.load", load)
    return calls


@pytest.mark.parametrize("name", KNOWN)
def test_a_known_name_passes_the_check_without_reading(name: str, asked: list[tuple[Any, ...]]):
    check_corpus_name(name)
    assert asked == []


@pytest.mark.parametrize(
    "name",
    ["scene", "", "missing.zip", "file:x", "description:x", ":", "scenes:x"]
    + [f"{name}:" for name in ("scenes", "xm3600", "xquad-r", "beir", "miracl")]
    + ["mmarco", "beir", "squad", "squad+paragraphs", "beir+paragraphs:x"],
)
def test_an_unknown_name_is_an_error_that_names_what_there_is(name: str):
    with pytest.raises(InputError, match=f"^corpus: found corpus '{re.escape(name)}', expected scenes, xm3600, xquad"):
        load_corpus(name)


@pytest.mark.parametrize("name", ["missing.jsonl", "a/missing.jsonl.gz", "missing.parquet", "missing.yaml"])
def test_a_file_that_is_not_there_is_named_and_no_list_of_corpora(name: str, tmp_path: Path, monkeypatch: Any):
    monkeypatch.chdir(tmp_path)
    message = f"^corpus: found corpus '{name}', but no such file in {tmp_path}, expected a file that is there$"
    with pytest.raises(InputError, match=message):
        load_corpus(name)


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("xm3600:elsewhere", ("xm3600", "elsewhere", {})),
        ("xquad-r", ("squad", "xquad-r", None, {"paragraphs": False})),
        ("xquad-r+paragraphs", ("squad", "xquad-r", None, {"paragraphs": True})),
        ("mlqa-r:folder", ("squad", "mlqa-r", "folder", {"paragraphs": False})),
        ("squad+paragraphs:a:b", ("squad", "squad", "a:b", {"paragraphs": True})),
        ("belebele", ("belebele", list(belebele.CODES), {"source": belebele.SOURCE})),
        ("beir:folder", ("beir", "folder", {"split": "test", "language": None})),
        ("beir:folder#dev", ("beir", "folder", {"split": "dev", "language": None})),
        ("mmarco:100", ("mmarco", list(mmarco.LANGUAGES), {"pairs": 100})),
    ],
)
@pytest.mark.parametrize("load", [load_corpus, load_collection])
def test_a_name_asks_its_loader(name: str, call: tuple[Any, ...], load: Any, asked: list[tuple[Any, ...]]):
    load(name)
    assert asked == [call]


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("miracl", ("miracl", ["de"], {"source": miracl.SOURCE})),
        ("miracl:elsewhere", ("miracl", ["de"], {"source": "elsewhere"})),
        ("belebele:elsewhere", ("belebele", ["de"], {"source": "elsewhere"})),
        ("mmarco:7", ("mmarco", ["de"], {"pairs": 7})),
    ],
)
def test_languages_that_are_downloads_of_their_own_are_asked_for(
    name: str, call: tuple[Any, ...], asked: list[tuple[Any, ...]]
):
    load_collection(name, ["de"])
    load_corpus(name, languages=["de"])
    assert asked == [call] * 2


def test_miracl_without_languages_is_refused(asked: list[tuple[Any, ...]]):
    with pytest.raises(InputError, match="found miracl without languages, expected some"):
        load_collection("miracl")
    assert asked == []


@pytest.mark.parametrize("pairs", ["ten", "-1", "1e3", "1.5"])
def test_mmarco_takes_a_number_of_pairs(pairs: str, asked: list[tuple[Any, ...]]):
    with pytest.raises(InputError, match=f"found mmarco:{re.escape(pairs)}, expected a number of pairs"):
        load_collection(f"mmarco:{pairs}")
    assert asked == []


def beir_folder(folder: Path) -> Path:
    """Write one query and passage that name no language."""
    (folder / "qrels").mkdir(parents=True)
    (folder / "corpus.jsonl").write_text(json.dumps({"_id": "p", "title": "", "text": "zwei"}))
    (folder / "queries.jsonl").write_text(json.dumps({"_id": "q", "text": "eins"}))
    (folder / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\nq\tp\t1\n")
    return folder


def test_one_language_is_that_of_beir_files_that_name_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HYBRIDLIB_CACHE", str(tmp_path / "cache"))
    assert load_collection(f"beir:{beir_folder(tmp_path / 'mine')}", ["de"]).languages == ["de"]


def test_one_language_is_chosen_of_beir_sub_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HYBRIDLIB_CACHE", str(tmp_path / "cache"))
    for code in ("de", "en"):
        beir_folder(tmp_path / "mine" / code)
    assert load_collection(f"beir:{tmp_path / 'mine'}").languages == ["en", "de"]
    assert load_collection(f"beir:{tmp_path / 'mine'}", ["de"]).queries["id"].tolist() == ["de/q"]


def lines(folder: Path) -> str:
    """Two concepts in two languages, one of which stands once."""
    rows = [{**LINE, "concept": c, "language": code} for c, code in (("a", "de"), ("a", "en"), ("b", "de"))]
    (folder / "two.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(folder / "two.jsonl")


def test_a_collection_of_a_corpus_has_its_concepts(tmp_path: Path):
    found = load_collection(lines(tmp_path))
    assert found.fingerprint == Collection.from_corpus(load_corpus(lines(tmp_path))).fingerprint
    assert found.queries["id"].tolist() == ["a/de", "a/en", "b/de"]


@pytest.mark.parametrize("name", ["file", "collection"])
def test_a_collection_in_some_languages(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch):
    file = lines(tmp_path)
    collection = Collection.from_corpus(load_corpus(file))
    monkeypatch.setattr("hybridlib.corpora.load.squad.load", lambda *_, **__: collection)
    name = {"file": file, "collection": "xquad-r"}[name]
    assert load_collection(name, ["de"]).passages["id"][:] == ["a/de/0", "b/de/0"]
    with pytest.raises(InputError, match="found language 'fr', expected one of: en de"):
        load_collection(name, ["de", "fr"])


def test_a_corpus_of_a_collection_has_its_relevant_pairs(asked: list[tuple[Any, ...]]):
    assert load_corpus("xquad-r").table.to_numpy().tolist() == [
        ["a", "de", "query", "eins"], ["a", "de", "passage", "zwei"],
    ]  # fmt: skip


def test_a_description_loads_the_columns_that_it_names(tmp_path: Path, asked: list[tuple[Any, ...]]):
    for suffix in (".yaml", ".yml"):
        (tmp_path / f"mine{suffix}").write_text("{}")
        load_corpus(str(tmp_path / f"mine{suffix}"))
    assert asked == [("mapping", tmp_path / f"mine{suffix}", {}) for suffix in (".yaml", ".yml")]


def test_an_existing_file_of_another_suffix_is_an_error(tmp_path: Path):
    file = tmp_path / "mine.csv"
    file.write_text("a,b")
    with pytest.raises(InputError, match=r"found corpus '.*mine\.csv', expected a \.yaml file that names it"):
        load_corpus(str(file))


def test_a_folder_named_like_a_file_is_an_error(tmp_path: Path):
    folder = tmp_path / "mine.jsonl"
    folder.mkdir()
    with pytest.raises(InputError, match=r"found corpus '.*mine\.jsonl', a folder, expected a file that is there"):
        load_corpus(str(folder))


def test_the_check_names_the_place_that_it_is_given():
    with pytest.raises(InputError, match=r"^study\.yaml: corpus: found corpus 'x'"):
        check_corpus_name("x", "study.yaml: corpus")
