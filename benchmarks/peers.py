"""The measures of some language pairs by hybridlib, sentence-transformers, pytrec_eval and ranx: time and values.

Run ``python benchmarks/peers.py``. Every tool starts from the same embeddings in the same process and ends with the
same means: once of full rankings, once of the first 100 passages. At the end,
passages are repeated, so that scores are equal and the rule for ties decides.
"""

from __future__ import annotations

import argparse
import importlib.util
import logging
import os
from collections.abc import Callable, Iterator
from types import SimpleNamespace

os.environ.setdefault("TQDM_DISABLE", "1")

import common
import numpy as np
import pytrec_eval
import torch
from sentence_transformers.sentence_transformer.evaluation import InformationRetrievalEvaluator
from sentence_transformers.util import dot_score

from hybridlib.counting import pair_scores
from hybridlib.measures import measure
from hybridlib.retrieval import exact_ranks

Means = dict[str, float]
Qrels = dict[str, dict[str, int]]
Run = dict[str, dict[str, float]]
Tool = Callable[[np.ndarray, np.ndarray, list[str], int], Means]
CHUNK = 600  # queries that pytrec_eval and ranx are given at a time: dictionaries of all would not fit in memory


def names(depth: int, passages: int) -> list[str]:
    """Name the measures, as ir_measures does."""
    cut = "" if depth == passages else f"@{depth}"
    return ["nDCG@10", f"AP{cut}", f"RR{cut}", "R@1", "R@10", "R@100"]


def by_hybridlib(queries: np.ndarray, passages: np.ndarray, ids: list[str], depth: int) -> Means:
    """Exact ranks of the relevant passages, and the measures of these."""
    every = np.arange(len(queries))
    order = np.argsort(np.argsort(ids))
    language = np.zeros(len(passages), dtype=np.int64)
    ranks = exact_ranks(queries, passages, language, every, every, order=order, depth=1)
    table = ranks.in_language[:, None]
    return {name: measure(name)(table, None).mean() for name in names(depth, len(passages))}


def by_sentence_transformers(queries: np.ndarray, passages: np.ndarray, ids: list[str], depth: int) -> Means:
    """InformationRetrievalEvaluator with a model that returns the embeddings it is told to."""
    model = SimpleNamespace(
        encode_query=lambda *_, **__: torch.from_numpy(queries),
        encode_document=lambda *_, **__: torch.from_numpy(passages),
        model_card_data=SimpleNamespace(set_evaluation_metrics=lambda *_, **__: None),
    )
    evaluator = InformationRetrievalEvaluator(
        {f"q{i}": "" for i in range(len(queries))},
        dict.fromkeys(ids, ""),
        {f"q{i}": {ids[i]} for i in range(len(queries))},
        mrr_at_k=[depth],
        ndcg_at_k=[10],
        accuracy_at_k=[1],
        precision_recall_at_k=[1, 10, 100],
        map_at_k=[depth],
        score_functions={"dot": dot_score},
        write_csv=False,
    )
    found = evaluator(model)
    keys = ["ndcg@10", f"map@{depth}", f"mrr@{depth}", "recall@1", "recall@10", "recall@100"]
    return dict(zip(names(depth, len(passages)), (found[f"dot_{key}"] for key in keys), strict=True))


def runs(queries: np.ndarray, passages: np.ndarray, ids: list[str], depth: int) -> Iterator[tuple[Qrels, Run]]:
    """Yield qrels and scored passages of some queries, as dictionaries of ids."""
    for start in range(0, len(queries), CHUNK):
        rows = range(start, min(start + CHUNK, len(queries)))
        scores = queries[start : start + CHUNK] @ passages.T
        if depth == len(passages):
            run = {f"q{i}": dict(zip(ids, row.tolist(), strict=True)) for i, row in zip(rows, scores, strict=True)}
        else:
            best = np.argpartition(-scores, depth - 1)[:, :depth]
            kept = np.take_along_axis(scores, best, 1).tolist()
            run = {
                f"q{i}": dict(zip([ids[j] for j in columns], row, strict=True))
                for i, columns, row in zip(rows, best.tolist(), kept, strict=True)
            }
        yield {f"q{i}": {ids[i]: 1} for i in rows}, run


def by_pytrec_eval(queries: np.ndarray, passages: np.ndarray, ids: list[str], depth: int) -> Means:
    """Scores by numpy, measures by trec_eval."""
    found = []
    for qrels, run in runs(queries, passages, ids, depth):
        found += trec_eval(qrels, run)
    return dict(zip(names(depth, len(passages)), np.mean(found, axis=0).tolist(), strict=True))


def trec_eval(qrels: Qrels, run: Run) -> list[list[float]]:
    """Return the measures of each query, in the order of :func:`names`."""
    evaluator = pytrec_eval.RelevanceEvaluator(qrels, {"ndcg_cut.10", "map", "recip_rank", "recall.1,10,100"})
    keys = ["ndcg_cut_10", "map", "recip_rank", "recall_1", "recall_10", "recall_100"]
    return [[values[key] for key in keys] for values in evaluator.evaluate(run).values()]


def by_ranx(queries: np.ndarray, passages: np.ndarray, ids: list[str], depth: int) -> Means:
    """Scores by numpy, measures by ranx."""
    import ranx

    keys = ["ndcg@10", "map", "mrr", "recall@1", "recall@10", "recall@100"]
    found = []
    for qrels, run in runs(queries, passages, ids, depth):
        values = ranx.evaluate(ranx.Qrels.from_dict(qrels), ranx.Run.from_dict(run), keys)
        found.append([values[key] * len(qrels) for key in keys])
    return dict(zip(names(depth, len(passages)), (np.sum(found, axis=0) / len(queries)).tolist(), strict=True))


def compared(tools: dict[str, Tool], pairs: list[tuple[np.ndarray, np.ndarray]], ids: list[str], depth: int) -> str:
    """Let every tool do the pairs, hybridlib first; return the table."""
    rows: list[list[object]] = []
    ours: list[Means] = []
    first = (1.0, 1.0)
    for tool, function in tools.items():
        queries, passages = pairs[0]
        function(queries[:200], passages[:200], ids[:200], min(depth, 200))  # compiles
        means: list[Means] = []
        times = common.seconds(lambda f=function, m=means: m.extend(f(*pair, ids, depth) for pair in pairs))
        if not rows:
            ours, first = means, times
        gaps = [max(abs(a[name] - b[name]) for a, b in zip(ours, means, strict=True)) for name in means[0]]
        rows.append([tool, *times, times[0] / first[0], times[1] / first[1], *gaps])
    return common.table(["", "wall [s]", "processor [s]", "x", "x", *names(depth, len(ids))], rows)


def tie_difference(queries: np.ndarray, passages: np.ndarray, ids: list[str]) -> float:
    """Largest difference from trec_eval in the measures of any query, with the scores that hybridlib ranks by."""
    found = []
    columns = np.arange(len(passages))
    for i in range(len(queries)):
        scores = pair_scores(queries, passages, np.full(len(passages), i), columns)
        found += trec_eval({"q": {ids[i]: 1}}, {"q": dict(zip(ids, scores.tolist(), strict=True))})
    every = np.arange(len(queries))
    order = np.argsort(np.argsort(ids))
    language = np.zeros(len(passages), dtype=np.int64)
    ranks = exact_ranks(queries, passages, language, every, every, order=order, depth=1)
    ours = [measure(name)(ranks.in_language[:, None], None) for name in names(len(passages), len(passages))]
    return float(np.abs(np.stack(ours, axis=1) - np.array(found)).max())


def main() -> None:
    """Read the options, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=6, help="language pairs, one of them monolingual")
    parser.add_argument("--concepts", type=int, default=3600)
    parser.add_argument("--dimension", type=int, default=384)
    options = parser.parse_args()
    logging.disable(logging.WARNING)
    print(common.describe("torch", "sentence-transformers", "pytrec_eval-terrier", "ranx", "numba"))
    queries, passages = (
        vectors.reshape(options.pairs, options.concepts, -1)
        for vectors in common.language_vectors(options.pairs, options.concepts, options.dimension)
    )
    pairs = [(queries[0], passages[number]) for number in range(options.pairs)]
    ids = [f"d{i:06}" for i in np.random.default_rng(0).permutation(options.concepts)]
    tools: dict[str, Tool] = {
        "hybridlib": by_hybridlib,
        "sentence-transformers": by_sentence_transformers,
        "numpy + pytrec_eval": by_pytrec_eval,
    }
    if importlib.util.find_spec("ranx"):
        tools["numpy + ranx"] = by_ranx
    else:
        print("ranx is missing and is left out")
    for depth in (options.concepts, min(100, options.concepts - 1)):
        print(f"\n{options.pairs} language pairs of {options.concepts} x {options.concepts}, first {depth} ranked;")
        print("x: times hybridlib's time; then the largest difference of a pair's mean from hybridlib's")
        print(compared(tools, pairs, ids, depth))
    repeated = passages[-1][np.arange(options.concepts) // 4 * 4]
    gap = tie_difference(queries[0][:200], repeated, ids)
    print(f"\nEvery passage four times, equal scores: largest difference of a query from trec_eval {gap:.1g}")


if __name__ == "__main__":
    main()
