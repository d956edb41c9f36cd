"""Exact ranks over millions of passages on disk against faiss: seconds, memory, recall of the exact first ten.

Run ``python benchmarks/index.py``. Each way works in a process of its own, so that peak memory is its own; only
hybridlib's gives the rank of every relevant passage, the others the first ten passages.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import TypeVar

import common
import numpy as np

from hybridlib.nearest import Kind, NearestIndex
from hybridlib.retrieval import exact_ranks

DEPTH, BLOCK, LATENT, CLUSTERS = 10, 1 << 16, 64, 5000
EFFORTS: dict[Kind, list[int]] = {"flat": [0], "ivf": [16, 64], "hnsw": [32, 128]}
WAYS = ("hybridlib", *EFFORTS)
T = TypeVar("T")
SPREAD, NOISE = 0.7, 1.5  # of passages around the center of their cluster, and of a query around its passage


@dataclass
class Found:
    """What one way gives: the first passages at each setting, int64 [queries, 10], and what they cost."""

    build: float
    before: int
    peak: int
    mapped: int
    searches: list[tuple[str, float, np.ndarray]] = field(default_factory=list)


def write_vectors(folder: Path, passages: int, queries: int, dimension: int) -> None:
    """Write clustered unit vectors in blocks: ``passages.npy``, ``queries.npy`` and ``relevant.npy``.

    Clusters lie in a space of 64 dimensions, as vectors of texts fill a small part of their space; a query lies around
    a passage, which is relevant to it.
    """
    rng = np.random.default_rng(0)
    turned = rng.standard_normal((LATENT, dimension), dtype=np.float32)
    centers = rng.standard_normal((CLUSTERS, LATENT), dtype=np.float32)
    relevant = np.sort(rng.choice(passages, queries, replace=False))
    meant = np.empty((queries, LATENT), dtype=np.float32)

    def vectors(latent: np.ndarray) -> np.ndarray:
        return unit(latent @ turned + rng.standard_normal((len(latent), dimension), dtype=np.float32))

    with (folder / "passages.npy").open("wb") as file:
        header = {"descr": "<f4", "fortran_order": False, "shape": (passages, dimension)}
        np.lib.format.write_array_header_1_0(file, header)
        for start in range(0, passages, BLOCK):
            latent = centers[rng.integers(CLUSTERS, size=min(BLOCK, passages - start))]
            latent += np.float32(SPREAD) * rng.standard_normal(latent.shape, dtype=np.float32)
            file.write(vectors(latent).data)
            here = (relevant >= start) & (relevant < start + len(latent))
            meant[here] = latent[relevant[here] - start]
    meant += np.float32(NOISE) * rng.standard_normal(meant.shape, dtype=np.float32)
    np.save(folder / "queries.npy", vectors(meant))
    np.save(folder / "relevant.npy", relevant)


def unit(vectors: np.ndarray) -> np.ndarray:
    """Divide by the lengths."""
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def blocks(folder: Path) -> Iterator[np.ndarray]:
    """Read the passages block by block, without a map of the file: its pages would count as memory."""
    with (folder / "passages.npy").open("rb") as file:
        np.lib.format.read_magic(file)
        (passages, dimension), _, _ = np.lib.format.read_array_header_1_0(file)
        for start in range(0, passages, BLOCK):
            rows = min(BLOCK, passages - start)
            yield np.fromfile(file, dtype=np.float32, count=rows * dimension).reshape(rows, dimension)


def run(way: str, folder: Path) -> Found:
    """Build and search in this process."""
    before = common.memory("VmRSS")
    found = by_hybridlib(folder) if way == "hybridlib" else by_faiss(way, folder)
    found.before, found.peak, found.mapped = before, common.memory("VmHWM"), common.memory("RssFile")
    return found


def by_hybridlib(folder: Path) -> Found:
    """Rank every relevant passage exactly; the passages stay on disk."""
    queries, relevant = np.load(folder / "queries.npy"), np.load(folder / "relevant.npy")
    passages = np.load(folder / "passages.npy", mmap_mode="r")
    language, every = np.zeros(len(passages), dtype=np.int64), np.arange(len(queries))
    exact_ranks(queries[:2], queries, language[: len(queries)], every[:2], every[:2])  # compiles
    searched, ranks = timed(lambda: exact_ranks(queries, passages, language, every, relevant, depth=DEPTH))
    return Found(0, 0, 0, 0, [(f"relevant at {ranks.in_pool.min()} to {ranks.in_pool.max()}", searched, ranks.top)])


def by_faiss(way: Kind, folder: Path) -> Found:
    """Build an index and search at some settings."""
    queries = np.load(folder / "queries.npy")
    size = sum(len(block) for block in blocks(folder))
    start = time.perf_counter()
    index = NearestIndex(lambda: blocks(folder), size, way)
    built = time.perf_counter() - start
    searches = []
    for effort in EFFORTS[way]:
        searched, (_scores, top) = timed(partial(index.first, queries, DEPTH, effort))
        searches.append((f"effort {effort}" if way != "flat" else "", searched, top))
    return Found(built, 0, 0, 0, searches)


def timed(search: Callable[[], T]) -> tuple[float, T]:
    """Search twice; return the seconds of the faster run, and what was found."""
    results: list[T] = []
    wall, _ = common.seconds(lambda: results.append(search()), 2)
    return wall, results[0]


def main() -> None:
    """Read the options, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--passages", type=int, default=2_000_000)
    parser.add_argument("--queries", type=int, default=1000)
    parser.add_argument("--dimension", type=int, default=384)
    parser.add_argument("--folder", type=Path, help="where the vectors are put for the time being")
    parser.add_argument("--skip", nargs="*", choices=WAYS[1:], default=[], help="hnsw takes long to build")
    options = parser.parse_args()
    print(common.describe("faiss-cpu", "numba"))
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        folder = Path(name)
        write_vectors(folder, options.passages, options.queries, options.dimension)
        rows: list[list[object]] = []
        exact: np.ndarray | None = None
        for way in (way for way in WAYS if way not in options.skip):
            with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
                found = process.submit(run, way, folder).result()
            for setting, searched, top in found.searches:
                exact = top if exact is None else exact
                same = np.mean([len(np.intersect1d(*pair)) / DEPTH for pair in zip(exact, top, strict=True)])
                gib = [size / 2**30 for size in (found.peak, found.mapped)]
                rows.append([f"{way} {setting}", found.build, searched, *gib, same])
    size = options.passages * options.dimension * 4 / 2**30
    print(f"{options.passages} passages of {options.dimension} dimensions, {size:.2f} GiB; {options.queries} queries")
    print("peak: resident memory of the process, of which mapped: pages of files, which the kernel may take back")
    print(common.table(["", "build [s]", "search [s]", "peak [GiB]", "mapped [GiB]", f"recall@{DEPTH}"], rows))


if __name__ == "__main__":
    main()
