"""Time and memory of an exact evaluation against the matrix products that it cannot do without.

Run ``python benchmarks/evaluation.py``; ``--scaling`` says whether a score costs more among more languages.
"""

from __future__ import annotations

import argparse
import cProfile
import pstats
from concurrent.futures import ThreadPoolExecutor

import common
import numpy as np
import threadpoolctl

from hybridlib.evaluation import Evaluation, evaluate, macro_means
from hybridlib.retrieval import exact_ranks

MEASURES = ["nDCG@10", "AP", "rank_distance", "same_language_share@10"]


def main() -> None:
    """Read the options, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--languages", type=int, default=36)
    parser.add_argument("--concepts", type=int, default=3600)
    parser.add_argument("--dimension", type=int, default=384)
    parser.add_argument("--repeats", type=int, default=1, help="of each part; the fastest counts")
    parser.add_argument("--scaling", action="store_true", help="a quarter and a half of the languages, too")
    parser.add_argument("--profile", action="store_true", help="where evaluate spends its time, too")
    options = parser.parse_args()
    print(common.describe("numba", "pandas", "torch"))
    shares = (4, 2, 1) if options.scaling else (1,)
    rows, first = [], 0.0
    for share in shares:
        languages = options.languages // share
        row = measured(languages, options.concepts, options.dimension, options.repeats, options.profile)
        first = first or row["evaluate ns/score"]
        rows.append({**row, "to the first": row["evaluate ns/score"] / first})
    print(common.table(["languages", *(f"{options.languages // share}" for share in shares)], transposed(rows)))


def measured(languages: int, concepts: int, dimension: int, repeats: int, profile: bool) -> dict[str, float]:
    """Measure one size."""
    queries, passages = common.language_vectors(languages, concepts, dimension)
    evaluate(common.collection_of(2, 20), *common.language_vectors(2, 20, dimension))  # compiles
    vectors = common.memory("VmRSS")
    sample = queries[:8192]
    ways = [(size, alone) for size in (512, 1024, 2048, 4096) for alone in (False, True)]
    tried = {way: common.seconds(lambda way=way: products(sample, passages, concepts, *way), 2)[0] for way in ways}
    way = min(tried, key=tried.__getitem__)
    bare, bare_processor = common.seconds(lambda: products(queries, passages, concepts, *way), repeats)

    ranked, ranked_processor = ranking(queries, passages, languages, repeats)
    results: list[Evaluation] = []
    walls = []
    for _ in range(repeats):
        results.clear()
        collection = common.collection_of(languages, concepts)  # a new one: it keeps what it works out
        before, peak = common.peak_memory(
            lambda new=collection: walls.append(
                common.seconds(lambda: results.append(evaluate(new, queries, passages)))
            )
        )
    whole, whole_processor = (min(times) for times in zip(*walls, strict=True))
    if profile:
        profiler = cProfile.Profile()
        profiler.runcall(evaluate, common.collection_of(languages, concepts), queries, passages)
        pstats.Stats(profiler).strip_dirs().sort_stats("cumulative").print_stats(25)
    scores = len(queries) * len(passages)
    means = macro_means(results[0].means())
    return {
        "texts of each role": len(queries),
        "monolingual nDCG@10": means.loc["monolingual", "nDCG@10"],
        "crosslingual nDCG@10": means.loc["crosslingual", "nDCG@10"],
        "same_language_share@10": means.loc["multilingual", "same_language_share@10"],
        "rank_distance / pool": means.loc["multilingual", "rank_distance"] / len(passages),
        "a: matrix products [s]": bare,
        "   queries a block": way[0],
        "   BLAS threads": 1 if way[1] else threads(),
        "   GFLOP/s": 2e-9 * scores * dimension / bare,
        "b: evaluate [s]": whole,
        "c: exact_ranks [s]": ranked,
        "b / a": whole / bare,
        "c / a": ranked / bare,
        "b / a, processor time": whole_processor / bare_processor,
        "c / a, processor time": ranked_processor / bare_processor,
        "evaluate ns/score": 1e9 * whole / scores,
        "exact_ranks ns/score": 1e9 * ranked / scores,
        "vectors [MiB]": (queries.nbytes + passages.nbytes) / 2**20,
        "collection [MiB]": (before - vectors) / 2**20,
        "peak above both [MiB]": (peak - before) / 2**20,
    }


def ranking(queries: np.ndarray, passages: np.ndarray, languages: int, repeats: int) -> tuple[float, float]:
    """Time the ranks alone."""
    concepts = len(passages) // languages
    pairs = common.collection_of(languages, concepts).qrels[["query", "passage"]].to_numpy().T
    language = np.repeat(np.arange(languages), concepts)
    return common.seconds(lambda: exact_ranks(queries, passages, language, *pairs), repeats)


def products(queries: np.ndarray, passages: np.ndarray, concepts: int, size: int, alone: bool) -> None:
    """Multiply blocks of queries with each language's passages, into one buffer a thread.

    Args:
        queries: float32 [nq, d].
        passages: float32 [np, d].
        concepts: passages of a language.
        size: queries a block.
        alone: threads of ours with a BLAS of one thread each, else the BLAS's own threads.
    """

    def multiply(part: np.ndarray) -> None:
        buffer = np.empty((size, concepts), dtype=np.float32)
        for start in range(0, len(part), size):
            block = part[start : start + size]
            for first in range(0, len(passages), concepts):
                np.matmul(block, passages[first : first + concepts].T, out=buffer[: len(block)])

    parts = np.array_split(queries, threads() if alone else 1)
    with threadpoolctl.threadpool_limits(1 if alone else None, user_api="blas"), ThreadPoolExecutor(len(parts)) as pool:
        list(pool.map(multiply, parts))


def threads() -> int:
    """How many numpy's matrix product takes."""
    return max(pool["num_threads"] for pool in threadpoolctl.threadpool_info() if pool["user_api"] == "blas")


def transposed(rows: list[dict[str, float]]) -> list[list[object]]:
    """Turn the results of each size into a line a number."""
    return [[name, *(row[name] for row in rows)] for name in rows[0]]


if __name__ == "__main__":
    main()
