"""First passages out of more than an exact search has time for: faiss indexes, built block by block.

An index finds the first passages of a query alone, most of them with ``ivf`` and ``hnsw``, so nDCG@10, R@100 or mined
negatives can be had from it; AP, rank_distance and max_rank need the rank of every relevant passage, which
:func:`hybridlib.retrieval.exact_ranks` counts, from a memory-mapped file too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Literal, get_args

import faiss
import numpy as np

from hybridlib.errors import InputError

Kind = Literal["flat", "ivf", "hnsw"]
_EFFORT = {"ivf": "nprobe", "hnsw": "efSearch"}
_PER_LIST = 64  # vectors a list that are clustered
_LEAST = 10_000  # vectors, below which lists are too short to be of use


class NearestIndex:
    """An index of passages: ``flat`` is exact, ``ivf`` has inverted lists of vectors in 8 bits, ``hnsw`` a graph.

    ``ivf`` makes about 4 sqrt(n) lists (a power of 2) by k-means of 64 vectors a list; ``hnsw`` links each vector to 32
    others (Malkov & Yashunin 2018), which takes long to build and little to search. Both keep a byte a dimension.

    Args:
        blocks: called once for ``flat``, twice for the others, which are trained first; gives the passages in their
            order, float32 [n_i, d] each.
        size: n, their number.
        kind: of the index.

    Raises:
        InputError: for another kind, for blocks of another number or of unlike dimension, for ``ivf`` of fewer than
            10,000 passages.

    Example:
        >>> passages = np.eye(3, dtype=np.float32)
        >>> NearestIndex(lambda: [passages], 3, "flat").first(passages[[2]], 1)[1]
        array([[2]])
    """

    def __init__(self, blocks: Callable[[], Iterable[np.ndarray]], size: int, kind: Kind = "ivf") -> None:
        if kind not in get_args(Kind):
            raise InputError(f"kind: found {kind!r}, expected one of {' '.join(get_args(Kind))}")
        if kind == "ivf" and size < _LEAST:
            raise InputError(f"passages: found {size}, expected at least {_LEAST} for ivf: flat is fast enough")
        self.kind = kind
        lists = 2 ** int(np.log2(4 * np.sqrt(max(size, 1))))
        recipe = {"flat": "Flat", "ivf": f"IVF{lists},SQ8", "hnsw": "HNSW32_SQ8"}[kind]
        share = max(1, size // (_PER_LIST * lists))
        found = 0
        for block in blocks():
            if block.ndim != 2:
                raise InputError(f"passages: found a block of shape {block.shape}, expected (passages, dimensions)")
            if not found:
                self.index = faiss.index_factory(block.shape[1], recipe, faiss.METRIC_INNER_PRODUCT)
                if not self.index.is_trained:
                    self.index.train(np.concatenate([part[::share] for part in blocks()]))
            if block.shape[1] != self.index.d:
                raise InputError(f"passages: found {block.shape[1]} dimensions, expected {self.index.d} as before")
            self.index.add(np.ascontiguousarray(block, dtype=np.float32))
            found += len(block)
        if found != size or not size:
            raise InputError(f"passages: found {found}, expected {max(size, 1)}")

    def first(self, queries: np.ndarray, depth: int, effort: int = 64) -> tuple[np.ndarray, np.ndarray]:
        """Return the first passages of each query.

        Args:
            queries: float32 [q, d].
            depth: passages a query.
            effort: lists (``ivf``) or candidates (``hnsw``) that are looked at; more finds more. ``flat`` sees all.

        Returns:
            Inner products, float32 [q, depth], and numbers of passages, int64 [q, depth]; -1 where there are fewer.

        Raises:
            InputError: for queries of another shape, and a depth below 1.
        """
        if queries.ndim != 2 or queries.shape[1] != self.index.d or depth < 1:
            raise InputError(
                f"queries: found shape {queries.shape} and depth {depth}, expected (q, {self.index.d}) and 1 at least"
            )
        if self.kind in _EFFORT:
            faiss.ParameterSpace().set_index_parameter(self.index, _EFFORT[self.kind], effort)
        return self.index.search(np.ascontiguousarray(queries, dtype=np.float32), depth)
