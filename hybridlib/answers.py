"""The answer to the question of all studies, in three sentences with numbers and intervals."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pandas as pd

from hybridlib.comparison import DIGITS, SAID, compared_labels, direction
from hybridlib.crossed import better_half, spread, tallies
from hybridlib.curves import measured
from hybridlib.findings import not_told_from
from hybridlib.plain_text import listed
from hybridlib.stands import PARENTS, beside_parents
from hybridlib.told import Told, distinct

_SUBJECT = "hybrid 0.5"


def subject(told: Told) -> str:
    """Return the system that the question is about: hybrid batches with alpha 0.5, else the study's baseline.

    All others were compared with it: where a study has references, it is one of these or the baseline.
    """
    return subject_among(told.labels, str(told.about["baseline"]), told.about["references"])


def subject_among(labels: Sequence[str], baseline: str, references: Sequence[str] = ()) -> str:
    """Return :func:`subject` of a study with these systems."""
    compared = {baseline, *(references or labels)} & set(labels)
    return _SUBJECT if _SUBJECT in compared else baseline


def with_parents(studies: Iterable[Told], told: Told) -> list[Told]:
    """Return the studies that compare the subject of ``told`` with both parents, the best founded first.

    That is the one with most seeds, of equals the one with most test concepts. Made-up texts are not taken beside real
    ones, nor a study all of whose runs of these three another has too.
    """
    label = subject(told)
    trio = {label, *PARENTS}
    found = [
        one
        for one in studies
        if one.about["demonstration"] == told.about["demonstration"]
        and label not in PARENTS
        and trio <= set(one.labels)
        and subject(one) == label
    ]
    return distinct(sorted(found, key=lambda one: (-_seeds(one, label), -one.about["concepts"]["test"])), trio)


def _seeds(told: Told, label: str) -> int:
    return int(told.summary.loc[told.summary["configuration"] == label, "seed"].nunique())


def basis(told: Told, label: str) -> str:
    """Say of how many seeds and test concepts the numbers of a system are."""
    return said_basis(_seeds(told, label), told.about["concepts"]["test"])


def said_basis(seeds: int, concepts: int) -> str:
    """Say a number of seeds and of test concepts."""
    return f"{seeds} seed{'s' * (seeds > 1)}, {concepts:,} test concepts"


def answer(told: Told, others: Sequence[Told] = (), crossing: Sequence[Told] = ()) -> list[str]:
    """Answer the question.

    Args:
        told: the study that says what is best.
        others: those of :func:`with_parents`, of which the first says how its subject stands to its parents; none:
            ``told`` does.
        crossing: studies, of which the first that has objectives with several kinds of batch says what is best there.

    Returns:
        How its subject stands to the kinds of batch that hybrid batching mixes, by how much, with intervals, if they
        are there; which kind is best over objectives, if a study says so; what is best of all in each setting, and by
        language bias.
    """
    label, first = subject(told), next(iter(others), told)
    stands = beside_parents(first.comparisons, label, f"{basis(first, label)}, study {first.name}")
    crossed = next(filter(None, map(_over_objectives, crossing)), "")
    return [*filter(None, [stands, crossed]), _best(told, label)]


def _over_objectives(told: Told) -> str:
    """Say which kind of batch is best for how many objectives, and whether it or the objective moves more."""
    if told.about["axis"] != "sampler":
        return ""
    rows, found = tallies(told.on_axis(told.means))
    if not found:
        return ""
    places: dict[str, list[str]] = {}
    for panel, tally in found.items():
        places.setdefault(str(tally.wins.index[0]), []).append(f"{SAID[panel]} for {tally.wins.iloc[0]}")
    said = ", ".join(f"**{kind}** ones {listed(where)}" for kind, where in places.items())
    pool = found["multilingual", "nDCG@10"]
    return (
        f"With {len(rows)} objectives ({basis(told, told.about['baseline'])}, study {told.name}) the best batches by "
        f"their means are {said}. Among the {len(better_half(rows))} objectives that are best in the pool, another "
        f"kind of batch moves its nDCG@10 by {pool.by_column:{DIGITS['nDCG@10']}} (median), another objective by "
        f"{spread(pool, 'nDCG@10')}."
    )


def dearer(told: Told) -> list[str]:
    """Return the systems that were trained on more pairs than the subject of a study."""
    return dearer_than(told.runs, subject(told))


def dearer_than(runs: pd.DataFrame, label: str) -> list[str]:
    """Return the systems that were trained on more pairs than one of them; none if that was not trained.

    Args:
        runs: columns ``configuration`` and ``pairs``, NaN where it is not known; the content of ``runs.csv``.
        label: of the one.
    """
    spent = runs.groupby("configuration", sort=False)["pairs"].mean()
    limit = spent.get(label, float("inf"))
    return [str(other) for other, pairs in spent.items() if pairs > limit > 0]


def _best(told: Told, label: str) -> str:
    # Of equals the subject is named, else the one that the report chose.
    compared = list(dict.fromkeys([label, *sorted(compared_labels(told.comparisons))]))
    more = set(dearer(told))
    alike = list(dict.fromkeys(one for one in compared if one not in more))
    limit = f" that were trained on no more pairs than {label}" * bool(more)
    study = f" of the study {told.name} ({basis(told, label)})"
    said = f"Of {len(alike)} systems{study}{limit} the best is {_leaders(told, label, alike)}."
    further = _leaders(told, label, compared, besides=alike)
    return said + (f" Of all {len(told.labels)}, whatever their training, it is {further}." if further else "")


def _leaders(told: Told, label: str, among: Sequence[str], besides: Sequence[str] = ()) -> str:
    """Say who is best of some by each panel; those of ``besides`` are not named."""
    best: dict[str, list[str]] = {}
    for panel in measured(told.comparisons):
        values = pd.Series({one: told.value(one, *panel) for one in among})
        first = str((values * direction(panel[1])).idxmax())
        number = f"{values[first]:{DIGITS[panel[1]]}}"
        tied = not_told_from(told.comparisons, first, among, *panel)
        if first not in besides:
            best.setdefault(first, []).append(f"{SAID[panel]} ({number}{tied})")
    said = [f"**{first}**{' itself' * (first == label)} {listed(places)}" for first, places in best.items()]
    return "; ".join(said)
