from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hybridlib.corpora import hub as hub_module
from hybridlib.corpora import miracl
from hybridlib.corpora.collection import Collection
from hybridlib.errors import InputError

SW = {
    "sw-corpus": {
        "_id": ["1#0", "1#1", "2#0", "3#0"],
        "title": ["Moshi", "Moshi", "", None],
        "text": ["Mji wa Tanzania.", "Uko chini ya Kilimanjaro.", " Nyota ", None],
    },
    "sw-queries": {"_id": ["7", "8", "9"], "text": ["Moshi iko wapi?", "Nyota ni nini?", "Haijahukumiwa"]},
    "sw-qrels": {"query-id": ["8", "7", "7"], "corpus-id": ["2#0", "1#1", "1#0"], "score": [1, 0, 2]},
}
YO = {
    "yo-corpus": {"_id": ["1#0", "5#0"], "title": ["Èkó", "Ọ̀yọ́"], "text": ["ìlú", "ìpínlẹ̀"]},
    "yo-queries": {"_id": ["7"], "text": ["Kí ni Èkó?"]},
    "yo-qrels": {"query-id": ["7"], "corpus-id": ["1#0"], "score": [1]},
}


@pytest.fixture(autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", str(tmp_path_factory.mktemp("cache")))


def hub(folder: Path, tables: dict[str, dict[str, list[Any]]], split: str = "dev") -> str:
    """Write Parquet files and the card that names them, as a repository of the hub has them."""
    lines = ["---", "configs:"]
    for config, columns in tables.items():
        (folder / config).mkdir(parents=True)
        pq.write_table(pa.table(columns), folder / config / f"{split}-00000-of-00001.parquet")
        lines += [f"- config_name: {config}", "  data_files:", f"  - split: {split}", f"    path: {config}/{split}-*"]
    (folder / "README.md").write_text("\n".join([*lines, "---", ""]))
    return str(folder)


def changed(config: str, **columns: list[Any]) -> dict[str, dict[str, list[Any]]]:
    """Return SW with other columns in one configuration; ``_`` stands for ``-`` inside a name."""
    renamed = {name if name.startswith("_") else name.replace("_", "-"): values for name, values in columns.items()}
    return SW | {config: SW[config] | renamed}


def judged(collection: Collection) -> set[tuple[str, str, int]]:
    """Return the qrels with ids instead of positions."""
    query, passage = collection.queries["id"], collection.passages["id"]
    return {(query[q], passage[p], r) for q, p, r in collection.qrels.itertuples(index=False)}


def trec(folder: Path, language: str, split: str, topics: str, qrels: str) -> Path:
    for what, text in (("topics", topics), ("qrels", qrels)):
        file = folder / f"miracl-v1.0-{language}" / what / f"{what}.miracl-v1.0-{language}-{split}.tsv"
        file.parent.mkdir(parents=True)
        file.write_text(text)
    return folder


# ----------------------------------------------------------------------------------------------------------- content


def test_one_language(tmp_path: Path):
    collection = miracl.load(["sw"], source=hub(tmp_path / "mine", SW))
    assert collection.passages.to_dict() == {
        "id": ["1#0", "1#1", "2#0", "3#0"],
        "language": ["sw"] * 4,
        "text": ["Moshi Mji wa Tanzania.", "Moshi Uko chini ya Kilimanjaro.", "Nyota", ""],
    }
    assert collection.queries.to_dict("list") == {
        "id": ["7", "8"],
        "language": ["sw", "sw"],
        "text": ["Moshi iko wapi?", "Nyota ni nini?"],
        "concept": ["7", "8"],
    }
    assert judged(collection) == {("7", "1#0", 2), ("7", "1#1", 0), ("8", "2#0", 1)}
    assert (collection.name, collection.settings) == ("mine", ("monolingual",))


def test_several_languages_have_ids_of_their_own(tmp_path: Path):
    collection = miracl.load(["yo", "sw", "yo"], source=hub(tmp_path / "mine", SW | YO))
    assert judged(collection) == {
        ("yo/7", "yo/1#0", 1),
        ("sw/7", "sw/1#0", 2),
        ("sw/7", "sw/1#1", 0),
        ("sw/8", "sw/2#0", 1),
    }
    assert collection.queries["concept"].tolist() == ["yo/7", "sw/7", "sw/8"]
    assert collection.passages["language"][:] == ["yo"] * 2 + ["sw"] * 4
    assert collection.settings == ("monolingual",)


def test_the_hard_negatives_form_has_id_and_may_lack_titles(tmp_path: Path):
    tables = {name: {("id" if k == "_id" else k): v for k, v in columns.items()} for name, columns in YO.items()}
    del tables["yo-corpus"]["title"]
    collection = miracl.load(["yo"], source=hub(tmp_path / "mine", tables))
    assert collection.passages["text"][:] == ["ìlú", "ìpínlẹ̀"]
    assert judged(collection) == {("7", "1#0", 1)}


def test_columns_of_other_types(tmp_path: Path):
    tables = {
        "sw-corpus": {"_id": [10, 11], "text": ["a", "b"], "title": [None, None]},
        "sw-queries": {"_id": [3], "text": ["q"]},
        "sw-qrels": {"query-id": [3], "corpus-id": [11], "score": [2.0]},
    }
    collection = miracl.load(["sw"], source=hub(tmp_path / "mine", tables))
    assert (judged(collection), collection.passages["text"][:]) == ({("3", "11", 2)}, ["a", "b"])


def test_passages_are_on_disk_and_found_in_every_batch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(miracl, "_BATCH", 2)
    rng = np.random.default_rng(0)
    tables: dict[str, dict[str, list[Any]]] = {}
    wanted = set()
    for language in ("sw", "yo"):
        ids = [f"{i}#{i % 3}" for i in rng.permutation(97)]
        relevant = rng.choice(ids, 40, replace=False).tolist()
        wanted |= {(f"{language}/q", f"{language}/{one}", 1) for one in relevant}
        tables[f"{language}-corpus"] = {"_id": ids, "text": [f"text of {one}" for one in ids]}
        tables[f"{language}-queries"] = {"_id": ["q"], "text": ["?"]}
        tables[f"{language}-qrels"] = {"query-id": ["q"] * 40, "corpus-id": relevant, "score": [1] * 40}
    collection = miracl.load(["sw", "yo"], source=hub(tmp_path / "mine", tables))
    assert judged(collection) == wanted
    assert len(collection.passages.cache_files) == 2


# ------------------------------------------------------------------------------------------------------ TREC's files


def test_topics_and_qrels_in_trecs_form_with_a_corpus_in_its_only_split(tmp_path: Path):
    files = trec(tmp_path / "t", "sw", "train", "4\tSwali?\n5\tJingine \n", "4 Q0 3#0 0\n\n5\tQ0\t2#0\t1\n4 Q0 1#1 3\n")
    collection = miracl.load(["sw"], source=hub(tmp_path / "mine", SW), split="train", trec=files)
    assert collection.queries[["id", "text"]].values.tolist() == [["4", "Swali?"], ["5", "Jingine"]]
    assert judged(collection) == {("4", "3#0", 0), ("5", "2#0", 1), ("4", "1#1", 3)}


@pytest.mark.parametrize(
    ("topics", "qrels", "message"),
    [
        ("4\tSwali\n5\n", "4 0 1#0 1", "topics.miracl-v1.0-sw-dev.tsv:2: found 1 fields, expected 2"),
        ("4\tSwali", "4 0 1#0 1\n4 1#0 1\n", "qrels.miracl-v1.0-sw-dev.tsv:2: found 3 fields, expected 4"),
        ("4\tSwali", "4 0 1#0 yes", "qrels.miracl-v1.0-sw-dev.tsv:1: found relevance 'yes', expected an integer"),
        (
            "4\tSwali",
            "\n4 0 8#8 1",
            "qrels.miracl-v1.0-sw-dev.tsv:2: found passage '8#8', expected the id of a passage",
        ),
    ],
)
def test_a_bad_line_of_trecs_form_is_named(tmp_path: Path, topics: str, qrels: str, message: str):
    files = trec(tmp_path / "t", "sw", "dev", topics, qrels)
    with pytest.raises(InputError, match=message):
        miracl.load(["sw"], source=hub(tmp_path / "mine", SW), trec=files)


def test_missing_topics_are_named(tmp_path: Path):
    with pytest.raises(InputError, match=r"topics.miracl-v1.0-sw-dev.tsv: found no text in UTF-8"):
        miracl.load(["sw"], source=hub(tmp_path / "mine", SW), trec=tmp_path)


# --------------------------------------------------------------------------------------------------------- bad input


BAD = {
    "unknown passage": (
        changed("sw-qrels", corpus_id=["2#0", "1#1", "9#9"]),
        "mine sw-qrels:row 3: found passage '9#9', expected the id of a passage that is there",
    ),
    "unknown query": (changed("sw-qrels", query_id=["8", "70", "7"]), "sw-qrels:row 2: found query '70', expected"),
    "score": (changed("sw-qrels", score=[1, 0.5, 2]), "sw-qrels:row 2: found relevance '0.5', expected an integer"),
    "no score": (changed("sw-qrels", score=[1, None, 2]), "sw-qrels:row 2: found None as score"),
    "judged twice": (changed("sw-qrels", query_id=["7"] * 3, corpus_id=["1#0"] * 3), "judged twice, expected once"),
    "blank query": (
        changed("sw-queries", text=["a", " ", "c"]),
        "sw-queries:row 2: found ' ' as text, expected a text",
    ),
    "query twice": (changed("sw-queries", _id=["7", "8", "7"]), "mine: found query id '7' twice"),
    "passage twice": (changed("sw-corpus", _id=["1#0", "1#1", "2#0", "1#0"]), "mine: found passage id '1#0' twice"),
    "no passage id": (changed("sw-corpus", _id=["1#0", None, "2#0", "3"]), "sw-corpus: found a passage without an id"),
    "no column": (
        SW | {"sw-corpus": {"_id": ["1#0"], "body": ["x"]}},
        "sw-corpus: found columns id body, expected text among them",
    ),
    "no configuration": (YO, r"mine sw-queries: found no data \(ValueError: BuilderConfig 'sw-queries' not found"),
}


@pytest.mark.parametrize(("tables", "message"), BAD.values(), ids=BAD)
def test_bad_tables_are_named(tmp_path: Path, tables: dict[str, dict[str, list[Any]]], message: str):
    with pytest.raises(InputError, match=message):
        miracl.load(["sw"], source=hub(tmp_path / "mine", tables))


def test_judgements_of_another_split_are_not_taken(tmp_path: Path):
    with pytest.raises(InputError, match="sw-qrels: found no split 'train', expected one of dev"):
        miracl.load(["sw"], source=hub(tmp_path / "mine", SW), split="train")


def test_no_language_is_an_error():
    with pytest.raises(InputError, match=r"^miracl: found no language"):
        miracl.load([])


# ---------------------------------------------------------------------------------------------------------- revision


@pytest.mark.parametrize(
    ("source", "name"), [(miracl.SOURCE, "miracl"), (miracl.HARD_NEGATIVES, "miracl-hard-negatives")]
)
def test_the_hub_is_read_at_the_recorded_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, name: str
):
    folder, load_dataset, asked = hub(tmp_path / "mine", SW), hub_module.load_dataset, []

    def recorded(path: str, config: str, revision: str) -> Any:
        asked.append((path, config, revision))
        return load_dataset(folder, config)

    monkeypatch.setattr(hub_module, "load_dataset", recorded)
    assert miracl.load(["sw"], source=source).name == name
    assert set(asked) == {(source, f"sw-{what}", miracl.REVISIONS[source]) for what in ("corpus", "queries", "qrels")}


def test_a_commit_goes_before_the_recorded_one():
    assert hub_module.pinned(miracl.SOURCE, "a" * 40, miracl.REVISIONS) == "a" * 40


def test_a_folder_needs_no_commit(tmp_path: Path):
    assert hub_module.pinned(str(tmp_path), None, {}) is None


@pytest.mark.parametrize("revision", [None, "main", "refs/convert/parquet", "9c09abc"])
def test_a_repository_needs_a_whole_commit(revision: str | None):
    with pytest.raises(InputError, match=f"^some/where: found revision {revision!r}, expected the 40 hexadecimal"):
        miracl.load(["sw"], source="some/where", revision=revision)
