"""What ``python -m hybridlib evaluate`` is asked for, and what of it cannot be done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import numpy as np

from hybridlib.corpora.collection import Collection
from hybridlib.debias import DEBIASINGS
from hybridlib.encoders.encoder import Precision
from hybridlib.errors import InputError
from hybridlib.evaluation import chosen_settings
from hybridlib.measures import measure
from hybridlib.trec_export import check_ids

ENCODER_OPTIONS = ("revision", "max_length", "precision", "query_prefix", "passage_prefix")
_OPTIONS = ("corpus", "seed", *ENCODER_OPTIONS)
_USED = {  # the options that a kind of system leaves open
    ("encoder",): _OPTIONS,
    ("embeddings",): ("corpus", "seed"),
    ("run",): (),
    ("run", "corpus"): tuple(option for option in _OPTIONS if option not in ("seed", "revision")),
    ("encoder", "run"): ("seed", "revision"),
}


@dataclass(frozen=True)
class Request:
    """What to evaluate; the fields are explained by the command line.

    One of ``encoder``, ``embeddings`` and ``run``; or ``run`` and ``encoder``: on the test concepts of the run an
    encoder that is not its own, such as the average of two runs; or ``run`` and ``corpus``: the run's encoder on
    another corpus. ``corpus``, ``seed`` (a run has its own) and the options of an encoder are given only where the
    system uses them.
    """

    out: Path
    encoder: str | None = None
    embeddings: Path | None = None
    run: Path | None = None
    corpus: str | None = None
    languages: Sequence[str] | None = None
    settings: Sequence[str] | None = None
    measures: Sequence[str] | None = None
    debias: Sequence[str] | None = None
    fit_concepts: int = 200
    label: str = ""
    seed: int | None = None
    revision: str | None = None
    max_length: int | None = None
    precision: Any = None
    query_prefix: str | None = None
    passage_prefix: str | None = None
    threads: int = 0
    trec_depth: int = 0

    def __post_init__(self) -> None:
        """Refuse what cannot be done before anything is loaded."""
        given = tuple(name for name in ("encoder", "embeddings", "run") if getattr(self, name) is not None)
        if given == ("run",) and self.corpus is not None:
            given = "run", "corpus"
        if given not in _USED:
            raise InputError(
                f"evaluate: found {' and '.join(given) or 'no system'}, expected encoder, embeddings, run, or run and "
                "encoder"
            )
        for name in _OPTIONS:
            if getattr(self, name) is not None and name not in _USED[given]:
                raise InputError(
                    f"{name}: found {getattr(self, name)!r}, expected none: {' and '.join(given)} does not use it"
                )
        for name in self.debias or ():
            if name not in DEBIASINGS:
                raise InputError(f"debias: found {name!r}, expected any of {', '.join(DEBIASINGS)}")
        for name in self.measures or ():
            measure(name)
        if self.precision not in (None, *get_args(Precision)):
            raise InputError(f"precision: found {self.precision!r}, expected one of {', '.join(get_args(Precision))}")

    def check(self, collection: Collection) -> None:
        """Refuse what does not fit the collection that is to be tested, before its texts are embedded."""
        settings = chosen_settings(collection, self.settings)
        _check_cutoffs(self.measures or (), collection, settings)
        if self.trec_depth:
            check_ids(self.out / "trec", collection)


def _check_cutoffs(measures: Sequence[str], collection: Collection, settings: Sequence[str]) -> None:
    """Refuse a measure whose K is larger than a pool that is ranked: the passages of a language, or of all."""
    relevant = collection.relevant
    held = collection.passage_language[relevant["passage"]]
    same = held == collection.query_language[relevant["query"]]
    sizes = np.bincount(collection.passage_language, minlength=len(collection.languages))
    pools = {"of all languages": len(collection.passages)} if "multilingual" in settings else {}
    for setting, ranked in (("monolingual", held[same]), ("crosslingual", held[~same])):
        if setting in settings:
            pools |= {f"in {collection.languages[code]}": int(sizes[code]) for code in np.unique(ranked)}
    where, most = min(pools.items(), key=lambda pool: pool[1])
    for name in measures:
        if int(name.partition("@")[2] or 0) > most:
            raise InputError(f"measures: found {name}, expected K of at most {most}, the passages {where}")
