"""Random ragged corpora, and what the tests of samplers ask of their batches."""

from collections import Counter
from dataclasses import dataclass
from itertools import product

import numpy as np
import pytest
import torch
from hypothesis import assume, settings
from hypothesis import strategies as st

from hybridlib.pairs import Pairs
from hybridlib.samplers import (
    Batch,
    CrosslingualBatchSampler,
    HybridBatchSampler,
    MixedBatchSampler,
    MonolingualBatchSampler,
    PairBatchSampler,
)

torch.set_num_threads(1)

SAMPLERS = {
    "mixed": MixedBatchSampler,
    "monolingual": MonolingualBatchSampler,
    "crosslingual": CrosslingualBatchSampler,
    "hybrid": HybridBatchSampler,
}
ROLES = {"query": (True, False), "passage": (False, True), "text": (True, True)}
CODES = ("en", "de", "zh", "sw", "tr", "ar", "ja", "fi")
Row = tuple[int, int, str, int]

every_sampler = pytest.mark.parametrize("kind", list(SAMPLERS))
property_test = settings(max_examples=30, deadline=None)


@dataclass(frozen=True)
class Case:
    """A random ragged corpus and what a sampler over it is given."""

    rows: list[Row]
    larger: int
    seed: int
    epoch: int
    batches: int
    alpha: float

    def sampler(self, kind: str, **changed: int) -> PairBatchSampler:
        """Return a sampler whose batch size fits the corpus; one with fewer than two usable concepts is no case."""
        usable = len(usable_concepts(kind, self.rows))
        assume(usable >= 2)
        options = {"seed": self.seed, "batches": self.batches} | ({"alpha": self.alpha} if kind == "hybrid" else {})
        sampler = SAMPLERS[kind](pairs_of(self.rows), 2 + self.larger % (usable - 1), **(options | changed))
        sampler.set_epoch(self.epoch)
        return sampler


# Cells with no text, with one symmetric text, and with one string twice all come about often.
cases = st.builds(
    Case,
    rows=st.lists(
        st.tuples(st.integers(0, 7), st.integers(0, 3), st.sampled_from(list(ROLES)), st.integers(0, 3)),
        min_size=16,
        max_size=70,
    ),
    larger=st.integers(0, 6),
    seed=st.integers(0, 2**32 - 1),
    epoch=st.integers(0, 1000),
    batches=st.integers(1, 9),
    alpha=st.sampled_from([0.0, 0.3, 0.5, 1.0]),
)


def pairs_of(rows: list[Row]) -> Pairs:
    """Return the pairs of (concept, language, role, text) rows."""
    concept, language, role, text = zip(*rows, strict=True)
    return Pairs(
        concept=np.array(concept),
        language=np.array(language),
        is_query=np.array([ROLES[r][0] for r in role]),
        is_passage=np.array([ROLES[r][1] for r in role]),
        text=np.array(text),
        languages=CODES[: max(language) + 1],
    )


def corpus_of(sizes: list[int]) -> Pairs:
    """Return pairs in which language i has a query and a passage of concepts 0 .. sizes[i] - 1."""
    cells = [(c, lang) for lang, size in enumerate(sizes) for c in range(size)]
    rows = [
        (c, lang, role, 2 * i + (role == "query"))
        for i, (c, lang) in enumerate(cells)
        for role in ROLES
        if role != "text"
    ]
    return pairs_of(rows)


def naive_pairs(rows: list[Row]) -> tuple[dict[int, set[int]], set[int]]:
    """Return the concepts with a monolingual pair by language, and those with a cross-lingual one, by loops."""
    monolingual: dict[int, set[int]] = {language: set() for language in range(8)}
    crosslingual = set()
    for query, passage in product(rows, repeat=2):
        if query[0] != passage[0] or query[2] == "passage" or passage[2] == "query":
            continue
        if query[1] != passage[1]:
            crosslingual.add(query[0])
        elif query[3] != passage[3]:
            monolingual[query[1]].add(query[0])
    return monolingual, crosslingual


def usable_concepts(kind: str, rows: list[Row]) -> set[int]:
    """Return the concepts that a sampler can draw, by loops."""
    monolingual, crosslingual = naive_pairs(rows)
    in_batches = set().union(*(concepts for concepts in monolingual.values() if len(concepts) > 1))
    return {
        "mixed": set().union(*monolingual.values()),
        "monolingual": in_batches,
        "crosslingual": crosslingual,
        "hybrid": in_batches & crosslingual,
    }[kind]


def languages_of(pairs: Pairs, batch: Batch) -> list[tuple[int, int]]:
    """Return the languages (query, passage) of each pair."""
    return [(int(pairs.language[q]), int(pairs.language[p])) for q, p in batch]


def concepts_of(pairs: Pairs, batch: Batch) -> list[int]:
    return [int(pairs.concept[q]) for q, _ in batch]


def is_monolingual(pairs: Pairs, batch: Batch) -> bool:
    return all(query == passage for query, passage in languages_of(pairs, batch))


def is_crosslingual(pairs: Pairs, batch: Batch) -> bool:
    return all(query != passage for query, passage in languages_of(pairs, batch))


def close(counts: Counter, expected: dict, tolerance: float = 2.0) -> bool:
    """Whether counts have the expected distribution: chi-square below ``tolerance`` times its degrees of freedom."""
    total, share = sum(counts.values()), sum(expected.values())
    wanted = {key: total * value / share for key, value in expected.items()}
    chi_square = sum((counts[key] - value) ** 2 / value for key, value in wanted.items())
    return set(counts) <= set(expected) and chi_square < tolerance * (len(expected) - 1)
