"""One system under test: the vectors that it gives to a collection's texts, with and without debiasing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from hybridlib.corpora.collection import Collection
from hybridlib.corpora.holdout import held_out
from hybridlib.debias import fitted
from hybridlib.errors import InputError
from hybridlib.evaluation import Evaluation, evaluate
from hybridlib.geometry import geometry
from hybridlib.measures import DEFAULT

PLAIN = "none"


@dataclass(frozen=True, eq=False)
class Embedded:
    """A collection with the vectors of its texts.

    Attributes:
        collection: queries and passages.
        queries: float32 [queries, d], unit length.
        passages: float32 [passages, d], unit length.
    """

    collection: Collection
    queries: np.ndarray
    passages: np.ndarray

    def divided(self, concepts: int) -> tuple[Embedded, Embedded]:
        """Hold out a part with about ``concepts`` concepts to fit something on; return it and the rest."""
        queries, passages = held_out(self.collection, concepts)
        first, second = (
            Embedded(self.collection.kept(q, p), self.queries[q], self.passages[p])
            for q, p in ((queries, passages), (~queries, ~passages))
        )
        return first, second

    def evaluate(self, measures: Sequence[str] = DEFAULT, settings: Sequence[str] | None = None) -> Evaluation:
        """Score it; see :func:`hybridlib.evaluation.evaluate`."""
        return evaluate(self.collection, self.queries, self.passages, measures=measures, settings=settings)

    def geometry(self) -> dict[str, float]:
        """Numbers of the space; see :func:`hybridlib.geometry.geometry`."""
        relevant = self.collection.relevant
        return geometry(
            self.queries,
            self.passages,
            self.collection.query_language,
            self.collection.passage_language,
            relevant["query"].to_numpy(),
            relevant["passage"].to_numpy(),
            self.collection.itself,
            passage_concept=_concepts(self.collection),
        )


def debiased(name: str, fit: Embedded, test: Embedded) -> Embedded:
    """Apply one of :data:`hybridlib.debias.DEBIASINGS`, fitted on the texts of ``fit``, to those of ``test``.

    Raises:
        InputError: if a language of ``test`` has no text in ``fit``, or the two share a text's concept.
    """
    shared = set(fit.collection.queries["concept"]) & set(test.collection.queries["concept"])
    if shared:
        raise InputError(f"{name}: found {len(shared)} concepts to fit on among those to test on, expected none")
    names = np.asarray(fit.collection.languages)
    queries, passages = fitted(
        name,
        fit.queries,
        names[fit.collection.query_language],
        fit.passages,
        names[fit.collection.passage_language],
        _concepts(fit.collection),
    )
    names = np.asarray(test.collection.languages)
    return Embedded(
        test.collection,
        queries(test.queries, names[test.collection.query_language]),
        passages(test.passages, names[test.collection.passage_language]),
    )


def _concepts(collection: Collection) -> np.ndarray:
    """Int64 [passages], the concept that a passage is of; one that answers no query is of a concept of its own."""
    name = collection.passage_concept
    return np.where(name == "", -1 - np.arange(len(name)), pd.factorize(name)[0])


def evaluate_system(
    test: Embedded,
    fit: Embedded | None = None,
    debiasings: Sequence[str] = (),
    *,
    measures: Sequence[str] = DEFAULT,
    settings: Sequence[str] | None = None,
) -> dict[str, tuple[Embedded, Evaluation]]:
    """Evaluate as it is (``none``) and with each debiasing."""
    systems = {PLAIN: test}
    for name in debiasings:
        if fit is None:
            raise InputError(f"{name}: found no texts to fit on, expected some")
        systems[name] = debiased(name, fit, test)
    return {name: (system, system.evaluate(measures, settings)) for name, system in systems.items()}
