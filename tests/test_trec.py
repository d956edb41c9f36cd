import gzip
from pathlib import Path

import ir_measures
import numpy as np
import pandas as pd
import pytest
import pytrec_eval
from hypothesis import given, settings
from hypothesis import strategies as st
from ir_measures import nDCG

from hybridlib import trec
from hybridlib.errors import InputError
from hybridlib.trec import read_qrels, read_run, write_qrels, write_run

QUERIES = ["q1", "Frage/ß", "q3"]
PASSAGES = ["d9", "d10", 'with"quote', "文書", "e"]
TOP = np.array([[0, 3, 2], [4, -1, -1], [1, 0, -1]])
SCORES = np.array([[0.9, 0.5, -0.25], [1e-7, -np.inf, -np.inf], [0.1, 0.05, -np.inf]], dtype=np.float32)
RUN = [
    ("q1", "d9", 1, 0.9),
    ("q1", "文書", 2, 0.5),
    ("q1", 'with"quote', 3, -0.25),
    ("Frage/ß", "e", 1, 1e-7),
    ("q3", "d10", 1, 0.1),
    ("q3", "d9", 2, 0.05),
]


@pytest.fixture(params=["run.txt", "run.txt.gz"])
def path(request, tmp_path: Path) -> Path:
    return tmp_path / request.param


def rows(table: pd.DataFrame) -> list[tuple]:
    return list(table.itertuples(index=False, name=None))


def write(path: Path, text: str) -> Path:
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


def random_run(seed: int, depth: int = 12) -> tuple[list[str], list[str], np.ndarray, np.ndarray]:
    """Scores with ties, sorted; ids whose order as numbers is not that as texts."""
    rng = np.random.default_rng(seed)
    top = np.stack([rng.permutation(30)[:depth] for _ in range(20)])
    scores = -np.sort(-rng.integers(0, 6, top.shape) / 7, axis=1).astype(np.float32)
    return [f"q{i}" for i in range(20)], [f"d{i}" for i in range(30)], top, scores


def test_run_is_written_in_trec_form(path):
    write_run(path, QUERIES, PASSAGES, TOP, SCORES, "mine")
    data = path.read_bytes()
    lines = (gzip.decompress(data) if path.suffix == ".gz" else data).decode().splitlines()
    assert lines[:2] == ["q1 Q0 d9 1 0.9 mine", "q1 Q0 文書 2 0.5 mine"]
    assert len(lines) == 6


def test_run_comes_back(path):
    write_run(path, QUERIES, PASSAGES, TOP, SCORES, "mine")
    table = read_run(path)
    assert list(table) == ["query", "passage", "rank", "score"]
    assert table["score"].dtype == np.float32
    assert rows(table) == [(*row[:3], np.float32(row[3])) for row in RUN]


def test_many_blocks_are_one_file(path, monkeypatch):
    queries, passages, top, scores = random_run(0)
    write_run(path, queries, passages, top, scores, "t")
    data, whole = path.read_bytes(), read_run(path)
    monkeypatch.setattr(trec, "_LINES", 30)
    write_run(path, queries, passages, top, scores, "t")
    assert path.read_bytes() == data
    pd.testing.assert_frame_equal(read_run(path), whole)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=1, max_size=20))
def test_scores_come_back_bit_for_bit(tmp_path_factory, values):
    path = tmp_path_factory.getbasetemp() / "scores.txt"
    scores = -np.sort(-np.array([values], dtype=np.float32), axis=1)
    ids = [f"d{99 - i}" for i in range(len(values))]  # ids in the order of ties
    write_run(path, ["q"], ids, np.arange(len(values))[None], scores, "t")
    assert read_run(path)["score"].to_numpy().tobytes() == scores.tobytes()


def test_rank_is_by_score_then_by_id_descending_as_in_pytrec_eval(path):
    queries, passages, top, scores = random_run(1)
    write_run(path, queries, passages, top, scores, "t")
    run: dict[str, dict[str, float]] = {}
    for query, passage, _, score in rows(read_run(path)):
        run.setdefault(query, {})[passage] = float(score)
    for query, passage, rank, _ in rows(read_run(path)):
        evaluator = pytrec_eval.RelevanceEvaluator({query: {passage: 1}}, {"recip_rank"})
        assert 1 / evaluator.evaluate({query: run[query]})[query]["recip_rank"] == pytest.approx(rank)


def test_scores_that_are_equal_as_float32_are_tied(path):
    write(path, "q Q0 a 1 1.000000001 t\nq Q0 b 2 1.0 t\n")
    assert rows(read_run(path)[["passage", "rank"]]) == [("b", 1), ("a", 2)]
    judged = pytrec_eval.RelevanceEvaluator({"q": {"a": 1}}, {"recip_rank"})
    assert judged.evaluate({"q": {"a": 1.000000001, "b": 1.0}})["q"]["recip_rank"] == 0.5


@pytest.mark.parametrize("seed", range(3))
def test_other_tools_read_the_files_and_agree(path, seed):
    queries, passages, top, scores = random_run(seed)
    rng = np.random.default_rng(seed)
    query, passage = (rng.permutation(600)[:200] // 30, rng.permutation(600)[:200] % 30)
    query, passage = np.unique(np.stack([query, passage]), axis=1)
    judged = path.with_name(path.name.replace("run", "qrels"))
    write_run(path, queries, passages, top, scores, "t")
    write_qrels(judged, queries, passages, query, passage, rng.integers(0, 3, len(query)))
    run, qrels = read_run(path), read_qrels(judged)

    values = {m.query_id: m.value for m in ir_measures.iter_calc(
        [nDCG @ 10], ir_measures.read_trec_qrels(str(judged)), ir_measures.read_trec_run(str(path))
    )}  # fmt: skip
    relevance = {key: dict(part.set_index("passage")["relevance"]) for key, part in qrels.groupby("query")}
    evaluator = pytrec_eval.RelevanceEvaluator(
        {key: {doc: int(value) for doc, value in part.items()} for key, part in relevance.items()}, {"ndcg_cut.10"}
    )
    found = evaluator.evaluate(
        {
            key: dict(zip(part["passage"], part["score"].astype(float), strict=True))
            for key, part in run.groupby("query")
        }
    )
    assert len(values) == 20
    for key, value in values.items():
        gains = run[run["query"] == key].sort_values("rank")["passage"].astype("str").map(relevance[key]).fillna(0)[:10]
        ideal = sorted(relevance[key].values(), reverse=True)[:10]
        dcg, best = (sum(g / np.log2(i + 2) for i, g in enumerate(part)) for part in (gains, ideal))
        assert value == pytest.approx(dcg / best if best else 0)
        assert found[key]["ndcg_cut_10"] == pytest.approx(value)


def test_qrels_come_back(path):
    write_qrels(path, QUERIES, PASSAGES, np.array([2, 0, 0]), np.array([1, 3, 0]), np.array([1, 0, -2]))
    table = read_qrels(path)
    assert rows(table) == [("q3", "d10", 1), ("q1", "文書", 0), ("q1", "d9", -2)]
    assert table["relevance"].dtype == np.int64


def test_any_whitespace_and_blank_lines_are_read(path):
    write(path, "\nq1\t0  d1 \t 1\r\n\n   \n q2 0\td1 0")
    assert rows(read_qrels(path)) == [("q1", "d1", 1), ("q2", "d1", 0)]


def test_lines_of_a_query_may_be_apart_and_out_of_order(path):
    write(path, "b Q0 x 7 1 t\na Q0 x 1 2.5e-1 t\nb Q0 y 7 +3. t\n")
    assert rows(read_run(path)) == [("b", "y", 1, 3.0), ("b", "x", 2, 1.0), ("a", "x", 1, 0.25)]


def test_a_judgement_said_twice_counts_once(path):
    write(path, "q 0 d 1\nq 0 e 1\nq 1 d 1\n")
    assert rows(read_qrels(path)) == [("q", "d", 1), ("q", "e", 1)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("q Q0 d 1 0.5 t\n\nq Q0 e 2 t\n", r":3: found 5 fields, expected 6: query Q0 passage rank score tag"),
        ("q Q0 d 1 0.5 my tag\n", r":1: found 7 fields, expected 6"),
        ("q Q0 d 1 0.5 t\nq Q0 e 2 high t\n", r":2: found score high, expected a decimal number"),
        ("q Q0 d 1 nan t\n", r":1: found score nan, expected a decimal number"),
        ("q Q0 d 1 1 t\nq Q0 e 2 1e50 t\n", r":2: found score 1e50, expected a float32 number"),
        (
            "q Q0 d 1 0.5 t\nr Q0 d 1 0.5 t\nq Q0 d 2 0.4 t\n",
            r":3: found passage d again for query q, expected it once",
        ),
        ("\n", r"found no line, expected lines of query Q0"),
    ],
)
def test_run_that_cannot_be_used(path, text, message):
    with pytest.raises(InputError, match=f"{path.name}{message}" if message.startswith(":") else message):
        read_run(write(path, text))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("q 0 d\n", r":1: found 3 fields, expected 4: query iteration passage relevance"),
        ("q 0 d 1\nq 0 e 1.5\n", r":2: found relevance 1.5, expected an integer"),
        ("q 0 d 0x10\n", r":1: found relevance 0x10, expected an integer"),
        ("q 0 d 1\nr 0 d 2\nq 0 d 2\n", r":3: found another relevance of passage d for query q, expected one"),
    ],
)
def test_qrels_that_cannot_be_used(path, text, message):
    with pytest.raises(InputError, match=f"{path.name}{message}"):
        read_qrels(write(path, text))


def test_line_of_an_error_is_counted_over_blocks(path, monkeypatch):
    monkeypatch.setattr(trec, "_LINES", 4)
    with pytest.raises(InputError, match=r":10: found 2 fields"):
        read_qrels(write(path, "".join(f"q 0 d{i} 1\n" for i in range(9)) + "q 0"))


def test_bytes_that_are_not_utf8_are_refused(tmp_path):
    path = tmp_path / "run"
    path.write_bytes(b"q 0 d 1\nq 0 \xff 1\n")
    with pytest.raises(InputError, match=r"run:2: found bytes that are not UTF-8"):
        read_qrels(path)


def test_cut_archive_is_refused(tmp_path):
    path = write(tmp_path / "qrels.gz", "".join(f"q{i * i} 0 d{i} 1\n" for i in range(5000)))
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(InputError, match=r"qrels.gz:4\d\d\d: found a cut or damaged archive"):
        read_qrels(path)


def test_a_byte_order_mark_is_not_of_the_first_id(tmp_path):
    (tmp_path / "run").write_bytes(b"\xef\xbb\xbfq Q0 d 1 0.5 t\nq Q0 e 2 0.4 t\n")
    assert read_run(tmp_path / "run")["query"].tolist() == ["q", "q"]


def test_folder_is_named(tmp_path):
    with pytest.raises(InputError, match=r"found a folder, expected a file in TREC's form"):
        read_run(tmp_path)


def test_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"none.txt: found no such file"):
        read_run(tmp_path / "none.txt")


@pytest.mark.parametrize("bad", ["a b", "a\u00a0b", "", "a\n", "a\0", "\ud800"])
def test_ids_and_tags_that_cannot_stand_in_a_line_are_refused(tmp_path, bad):
    path, top, score = tmp_path / "run", np.array([[0]]), np.array([[1.0]], dtype=np.float32)
    for queries, passages, tag in (([bad], ["d"], "t"), (["q"], [bad], "t"), (["q"], ["d"], bad)):
        with pytest.raises(InputError, match="expected one without whitespace and not empty"):
            write_run(path, queries, passages, top, score, tag)
    with pytest.raises(InputError, match="found passage id"):
        write_qrels(path, ["q"], [bad], *np.array([[0], [0], [1]]))
    assert not path.exists()


@pytest.mark.parametrize(
    ("top", "scores", "message"),
    [
        ([[0, 1], [5, 0]], [[2, 1], [2, 1]], "a position that no passage has for query b, expected -1 to 4"),
        ([[0, -2], [1, 0]], [[2, 1], [2, 1]], "a position that no passage has for query a"),
        ([[0, 1], [1, 0]], [[2, 1], [np.nan, 1]], "a score that is not finite for query b"),
        ([[0, 1], [1, 0]], [[2, 2.5], [2, 1]], "a score above the one before for query a"),
        ([[0, 1], [1, 1]], [[2, 1], [2, 1]], "a passage twice for query b"),
        ([[0, 1]], [[2, 1]], r"top \(1, 2\) and scores \(1, 2\), expected \(2, k\) twice"),
    ],
)
def test_run_that_cannot_be_written(tmp_path, top, scores, message):
    with pytest.raises(InputError, match=message):
        write_run(tmp_path / "run", ["a", "b"], PASSAGES, np.array(top), np.array(scores, dtype=np.float32), "t")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("queries", "passages", "relevance", "message"),
    [
        ([0, 2], [0, 1], [1, 1], "found query 2, expected 0 to 1"),
        ([0, 1], [0, -1], [1, 1], "found passage -1, expected 0 to 4"),
        ([0, 1, 0], [2, 2, 2], [1, 1, 0], 'found query a and passage with"quote twice'),
        ([0, 1], [0, 1], [0.5, 1], "relevance of float64, expected integers"),
        ([0, 1], [0, 1], [1], r"found arrays \(2,\), \(2,\) and \(1,\)"),
    ],
)
def test_qrels_that_cannot_be_written(tmp_path, queries, passages, relevance, message):
    with pytest.raises(InputError, match=message):
        write_qrels(tmp_path / "q", ["a", "b"], PASSAGES, *map(np.array, (queries, passages, relevance)))
    assert not list(tmp_path.iterdir())


def test_an_id_twice_is_refused(tmp_path):
    with pytest.raises(InputError, match="found query id 'q' twice"):
        write_run(tmp_path / "run", ["q", "q"], PASSAGES, TOP[:2], SCORES[:2], "t")
