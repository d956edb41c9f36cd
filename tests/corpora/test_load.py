import gzip
import json
from pathlib import Path

import pandas as pd
import pytest

from hybridlib.corpora import load_corpus
from hybridlib.corpora.load import check_corpus_name
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


def test_scenes_loads_the_embedded_corpus():
    corpus = load_corpus("scenes")
    assert corpus.name == "scenes"
    assert len(corpus.concepts) == 1500


def test_xm3600_loads_captions_from_the_path(tmp_path: Path):
    file = tmp_path / "captions.jsonl"
    file.write_text(json.dumps({"image/key": "k", "de": {"caption": ["eins", "zwei"]}}))
    corpus = load_corpus("xm3600", str(file))
    assert (corpus.name, corpus.concepts, corpus.languages) == ("xm3600", ["k"], ["de"])


@pytest.mark.parametrize("name", ["scenes", "xm3600"])
def test_a_known_name_passes_the_check_without_reading(name: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("hybridlib.corpora.load.scenes.load", None)
    monkeypatch.setattr("hybridlib.corpora.load.xm3600.load", None)
    check_corpus_name(name)


@pytest.mark.parametrize("name", ["scene", "", "missing.jsonl", "missing.parquet"])
def test_an_unknown_name_is_an_error_that_names_what_there_is(name: str):
    expected = rf"^corpus: found corpus '{name}', expected scenes, xm3600, or an existing file ending in .jsonl, "
    with pytest.raises(InputError, match=expected):
        load_corpus(name)


def test_an_existing_file_of_another_suffix_is_an_error(tmp_path: Path):
    file = tmp_path / "mine.csv"
    file.write_text("a,b")
    with pytest.raises(InputError, match=r"found corpus '.*mine\.csv', expected scenes"):
        load_corpus(str(file))


def test_a_folder_named_like_a_file_is_an_error(tmp_path: Path):
    folder = tmp_path / "mine.jsonl"
    folder.mkdir()
    with pytest.raises(InputError, match=r"found corpus '.*mine\.jsonl', expected scenes"):
        load_corpus(str(folder))


def test_the_check_names_the_place_that_it_is_given():
    with pytest.raises(InputError, match=r"^study\.yaml: corpus: found corpus 'x'"):
        check_corpus_name("x", "study.yaml: corpus")
