"""Dividing a test collection: a part to fit something on, and the rest to test it on."""

from __future__ import annotations

import hashlib

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from hybridlib.corpora.collection import Collection
from hybridlib.errors import InputError


def held_out(collection: Collection, concepts: int) -> tuple[np.ndarray, np.ndarray]:
    """Choose ``concepts`` concepts, or a few more, to fit something on.

    Concepts are taken in the order of the SHA-256 of their names, each with all that it shares a relevant passage
    with; so no query or relevant passage of one part stands in the other. Passages that are relevant to no query stay
    in the rest.

    Returns:
        Bool [queries] and bool [passages], True for what is held out; see :meth:`Collection.kept`.

    Raises:
        InputError: if there are too few concepts, or all of them hang together.
    """
    group = _groups(collection)
    queries = len(collection.queries)
    names, numbers = np.unique(collection.queries["concept"].to_numpy(dtype="str"), return_inverse=True)
    group_of = np.zeros(len(names), dtype=np.int64)
    group_of[numbers] = group[:queries]
    order = sorted(range(len(names)), key=lambda i: hashlib.sha256(str(names[i]).encode()).digest())
    groups, first = np.unique(group_of[order], return_index=True)
    groups = groups[np.argsort(first)]
    sizes = np.cumsum(np.bincount(group_of)[groups])
    count = int(np.searchsorted(sizes, concepts)) + 1
    if concepts < 1 or count >= len(groups):
        raise InputError(
            f"{collection.name}: found {concepts} concepts to hold out, expected at least 1 and fewer than the "
            f"{len(names)} there are ({len(groups)} that share no relevant passage)"
        )
    inside = np.isin(group, groups[:count])
    return inside[:queries], inside[queries:]


def _groups(collection: Collection) -> np.ndarray:
    """Int64 [queries + passages]: which connected part each is in, by concept and relevance; -1 if not relevant."""
    concept = pd.factorize(collection.queries["concept"])[0]
    relevant = collection.relevant
    queries, passages = len(collection.queries), len(collection.passages)
    first = np.concatenate([np.arange(queries), relevant["query"].to_numpy()])
    second = np.concatenate([queries + passages + concept, queries + relevant["passage"].to_numpy()])
    size = queries + passages + int(concept.max()) + 1
    graph = coo_array((np.ones(len(first), dtype=bool), (first, second)), shape=(size, size))
    group = connected_components(graph, directed=False)[1].astype(np.int64)[: queries + passages]
    lone = np.ones(passages, dtype=bool)
    lone[relevant["passage"]] = False
    group[queries:][lone] = -1
    return group
