"""Comparing the configurations of a study: means over seeds, paired tests, wins and losses over language pairs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations, product
from typing import Any

import numpy as np
import pandas as pd

from hybridlib import significance
from hybridlib.errors import InputError
from hybridlib.evaluation import BIAS, KEYS, SETTINGS, SHARE, mean_by_pair
from hybridlib.runs import Run

LOWER_IS_BETTER = ("rank_distance", "max_rank")
BEST_AT_EVEN_SHARE = (SHARE, "language_preference")
LEVEL = 0.05
_FLIPS = 40  # a test of a family: with fewer than 20 the least p that flips can give, times the tests, is above LEVEL


def direction(measure: str) -> int:
    """1 where the larger value is the better one, -1 where the smaller is, 0 where neither is.

    That is so for what has its best value at the even share of the query's language: of two values above it the
    smaller is better, of two below it the larger, and it differs between collections and queries.
    """
    if measure in BEST_AT_EVEN_SHARE:
        return 0
    return -1 if measure in LOWER_IS_BETTER else 1


PLACES = {  # a setting and measure -> what it is called in a sentence
    ("monolingual", "nDCG@10"): "within a language",
    ("crosslingual", "nDCG@10"): "between two languages",
    ("multilingual", "nDCG@10"): "in the pool of all languages",
    ("multilingual", "rank_distance"): "by rank distance",
}

FIRST_HIT = ("multilingual", "RR")  # the first relevant text of the pool, whatever its language
SAID = {**PLACES, FIRST_HIT: "by the first hit in the pool (RR)"}

DIGITS = {"nDCG@10": ".3f", "RR": ".3f", "rank_distance": ",.0f"}  # how a number of a panel is written


def verdict(row: Mapping[str, Any]) -> int:
    """Return what a row of :func:`comparisons` says: 1 separably better, -1 separably worse, 0 cannot tell, or neither.

    Separable is what has a Holm-corrected p below 0.05.
    """
    signed = row["difference"] * direction(row["measure"])
    return int(np.sign(signed)) if row["holm_p"] < LEVEL else 0


def score_table(runs: Sequence[Run]) -> pd.DataFrame:
    """One row a run, setting, language pair and measure: the content of ``scores.csv``."""
    parts = []
    for run in runs:
        means = mean_by_pair(run.scores()).reset_index().melt(KEYS[:3], var_name="measure", value_name="value").dropna()
        means.insert(0, "run", run.folder.name)
        means.insert(1, "configuration", run.label)
        means.insert(2, "seed", run.config.seed)
        parts.append(means)
    return pd.concat(parts, ignore_index=True)


def summary_table(runs: Sequence[Run]) -> pd.DataFrame:
    """One row a run, language group (all, seen, unseen), setting and measure: macro means."""
    rows = [
        (run.label, run.config.seed, languages, setting, measure, value)
        for run in runs
        for languages, settings in run.result["means"].items()
        for setting, measures in settings.items()
        for measure, value in measures.items()
    ]
    return pd.DataFrame(rows, columns=["configuration", "seed", "languages", "setting", "measure", "value"])


def mean_over_seeds(tables: Sequence[pd.DataFrame], label: str) -> pd.DataFrame:
    """Mean of the score of every query over runs; they must be tested on the same queries."""
    for number, table in enumerate(tables):
        if not table[KEYS].equals(tables[0][KEYS]):
            raise InputError(f"{label}: found other test queries in run {number + 1} than in the first, expected equal")
    measures = [column for column in tables[0] if column not in KEYS]
    values = np.mean([table[measures].to_numpy() for table in tables], axis=0)
    return pd.concat([tables[0][KEYS], pd.DataFrame(values, columns=measures)], axis=1)


def contributions(first: pd.DataFrame, second: pd.DataFrame, setting: str, measure: str) -> pd.DataFrame:
    """Difference ``first - second`` by concept and language pair.

    Args:
        first: scores of each query, from :func:`mean_over_seeds`.
        second: those of the same queries, by another configuration.
        setting: monolingual, crosslingual or multilingual.
        measure: a column.

    Returns:
        [concepts x language pairs], weighted so that a column sums to the pair's difference of means; the mean over
        columns sums, over concepts, to the difference of macro means. A concept without a query in a pair has 0.
    """
    difference = first[measure] - second[measure]
    chosen = ((first["setting"] == setting) & difference.notna()).to_numpy()
    keys = first.loc[chosen, KEYS[1:]]
    concept, concepts = pd.factorize(keys["concept"], sort=True)
    languages = len(keys["passage_language"].cat.categories)
    pair = keys["query_language"].cat.codes.to_numpy(np.int64) * languages + keys["passage_language"].cat.codes
    pairs, column = np.unique(pair, return_inverse=True)
    shape = len(concepts), len(pairs)
    cell = concept * len(pairs) + column
    sums = np.bincount(cell, difference.to_numpy()[chosen], minlength=shape[0] * shape[1]).reshape(shape)
    names = [
        keys["query_language"].cat.categories[pairs // languages],
        keys["passage_language"].cat.categories[pairs % languages],
    ]
    return pd.DataFrame(
        sums / np.bincount(column, minlength=len(pairs)),
        index=pd.Index(concepts, name="concept"),
        columns=pd.MultiIndex.from_arrays(names, names=KEYS[1:3]),
    )


def influence(first: pd.DataFrame, second: pd.DataFrame, setting: str, measure: str) -> pd.Series:
    """How far each concept moves the difference of macro means from what it is; the arguments are as above.

    They are the contributions of differences less the mean of their language pair: where a concept lacks queries, its
    contribution is small for that alone, and an interval drawn of contributions would be too wide.

    Returns:
        [concepts], which sums to 0; where no query is missing, the contributions less their mean.
    """
    difference = first[measure] - second[measure]
    mean = difference.groupby([first[key] for key in KEYS[:3]], observed=True).transform("mean")
    return contributions(first, second.assign(**{measure: second[measure] + mean}), setting, measure).mean(axis=1)


def pair_verdicts(table: pd.DataFrame, *, flips: int = 10_000) -> pd.Series:
    """Say for each language pair whether the first wins (1), loses (-1) or is not separable (0), larger being better.

    A pair is separable if its sign-flip p, Holm-corrected over the pairs of the table, is below 0.05. At least 40 flips
    a pair are made.
    """
    flips = max(flips, _FLIPS * table.shape[1])
    p = significance.holm(significance.sign_flip(table.to_numpy(), flips=flips))
    return pd.Series(np.where(p < LEVEL, np.sign(table.sum()), 0).astype(int), index=table.columns)


def chosen_tests(tables: Sequence[pd.DataFrame]) -> list[tuple[str, str]]:
    """Choose the (setting, measure) pairs that systems are compared by, of those that all of them have.

    In each setting nDCG@10 or, where it is missing, the first measure of quality; in the pool RR as well, since who
    wants one answer in whatever language may be served by another system than who wants it in all, and rank_distance
    and same_language_share@10.

    Args:
        tables: scores of each query, a table a system.
    """
    measures = [column for column in tables[0] if column not in KEYS and all(column in table for table in tables)]
    quality = sorted((measure for measure in measures if measure not in BIAS), key=lambda measure: measure != "nDCG@10")
    tests = [*product(SETTINGS, quality[:1]), FIRST_HIT, ("multilingual", "rank_distance"), ("multilingual", SHARE)]
    return [
        (setting, measure)
        for setting, measure in dict.fromkeys(tests)
        if measure in measures
        and all(table.loc[table["setting"] == setting, measure].notna().any() for table in tables)
    ]


def comparisons(
    systems: Mapping[str, Sequence[pd.DataFrame]], *, references: Sequence[str] = (), flips: int = 10_000
) -> pd.DataFrame:
    """Compare pairs of systems by what :func:`chosen_tests` chooses: the content of ``comparisons.csv``.

    Args:
        systems: label -> scores of each query (see :class:`hybridlib.evaluation.Evaluation`), a table a seed.
        references: labels that every other system is compared with; none: every pair of systems is compared.
        flips: least number of sign vectors, and of bootstrap samples; at least 40 a row of the table are made.

    Returns:
        Columns ``configuration``, ``baseline``, ``setting``, ``measure``, ``difference`` (configuration - baseline, of
        means over seeds), ``low`` and ``high`` (95 % bootstrap interval, clustered by concept), ``p`` (sign-flip),
        ``holm_p`` (see :func:`holm_by_measure`), ``wins``, ``ties``, ``losses`` (over language pairs; a win is the
        better value, see :func:`direction`; missing where neither is better), ``concepts``, ``seeds`` and
        ``baseline_seeds``.

    Raises:
        InputError: if systems were tested on different queries, or there is nothing to compare.
    """
    means = {label: mean_over_seeds(tables, label) for label, tables in systems.items()}
    first = next(iter(means))
    for label, table in means.items():
        if not table[KEYS].equals(means[first][KEYS]):
            raise InputError(f"{label}: found other test queries than those of {first}, expected the same")
    named = [label for label in references if label in means]
    pairs = [(a, b) for i, a in enumerate(named) for b in means if b not in named[: i + 1]]
    pairs = pairs if references else list(combinations(means, 2))
    tests = chosen_tests(list(means.values()))
    if not pairs or not tests:
        raise InputError(
            f"comparisons: found {len(means)} systems ({', '.join(means)}) and {len(tests)} measures that they share, "
            "expected two systems and a measure at least"
        )
    rows, overall, moves = [], [], []
    for (baseline, label), (setting, measure) in product(pairs, tests):
        table = contributions(means[label], means[baseline], setting, measure)
        overall.append(table.mean(axis=1))
        moves.append(influence(means[label], means[baseline], setting, measure))
        counts: list[object] = [pd.NA] * 3
        if direction(measure):
            verdict = pair_verdicts(table * direction(measure), flips=flips)
            counts = [int((verdict == value).sum()) for value in (1, 0, -1)]
        rows.append(
            (label, baseline, setting, measure, *counts, len(table), len(systems[label]), len(systems[baseline]))
        )
    columns = "configuration baseline setting measure wins ties losses concepts seeds baseline_seeds"
    table = pd.DataFrame(rows, columns=columns.split()).astype(dict.fromkeys(("wins", "ties", "losses"), "Int64"))
    numbers = np.empty((len(rows), 4))
    for place in range(len(tests)):
        same = slice(place, None, len(tests))  # the rows of one test; a concept without a query has 0
        joined, moved = (pd.concat(columns[same], axis=1).fillna(0).to_numpy() for columns in (overall, moves))
        found = significance.compare(joined, influence=moved, flips=max(flips, _FLIPS * len(rows)))
        numbers[same] = np.stack(found, axis=1)
    for place, name in enumerate(("difference", "low", "high", "p"), start=4):
        table.insert(place, name, numbers[:, place - 4])
    table.insert(8, "holm_p", holm_by_measure(table))
    return table


def holm_by_measure(comparisons: pd.DataFrame) -> pd.Series:
    """Correct ``p`` by Holm within each setting and measure: a family is what a column of a table of results tests."""
    return comparisons.groupby(["setting", "measure"])["p"].transform(lambda p: significance.holm(p.to_numpy()))


def least_p(comparisons: pd.DataFrame) -> float:
    """Return the least Holm-corrected p that a table of :func:`comparisons` can have: where no flip is as extreme.

    With F sign vectors, ten thousand or 40 a row of the table, that is, for a family of m, m / (1 + F).
    """
    family = comparisons.groupby(["setting", "measure"]).size().max()
    return float(family / (1 + max(10_000, _FLIPS * len(comparisons))))


def maybe_as_good(comparisons: pd.DataFrame, label: str, among: Iterable[str], setting: str, measure: str) -> list[str]:
    """Return those that may be as good as a system that they were compared with: the 95 % interval holds 0.

    One whose interval is on one side of 0, but whose Holm-corrected p is not below 0.05, is neither separable from it
    nor among these.
    """
    alike = (comparisons["low"] <= 0) & (comparisons["high"] >= 0) & (comparisons["holm_p"] >= LEVEL)
    return rivals(comparisons[alike], label, among, setting, measure)


def unseparated(comparisons: pd.DataFrame, label: str, among: Iterable[str], setting: str, measure: str) -> list[str]:
    """Return those that were compared with a system and are not separable from it: see :func:`verdict`."""
    return rivals(comparisons[comparisons["holm_p"] >= LEVEL], label, among, setting, measure)


def rivals(comparisons: pd.DataFrame, label: str, among: Iterable[str], setting: str, measure: str) -> list[str]:
    """Return those that were compared with a system."""
    rows = comparisons[(comparisons["setting"] == setting) & (comparisons["measure"] == measure)]
    pairs = set(zip(rows["configuration"], rows["baseline"], strict=True))
    return [one for one in among if (one, label) in pairs or (label, one) in pairs]


def compared_labels(comparisons: pd.DataFrame) -> list[str]:
    """Return the systems of a table of :func:`comparisons`, in their order there."""
    return list(dict.fromkeys([*comparisons["baseline"], *comparisons["configuration"]]))


def against(comparisons: pd.DataFrame, configuration: str, other: str, setting: str, measure: str) -> dict[str, Any]:
    """Return the row that compares two systems, turned so that it is ``configuration - other``.

    Raises:
        InputError: if the two were not compared by that.
    """
    chosen = comparisons[(comparisons["setting"] == setting) & (comparisons["measure"] == measure)]
    for turned, pair in enumerate(((configuration, other), (other, configuration))):
        found = chosen[(chosen["configuration"] == pair[0]) & (chosen["baseline"] == pair[1])]
        if len(found):
            row: dict[str, Any] = found.iloc[0].to_dict()
            return _turned(row) if turned else row
    raise InputError(
        f"comparisons: found no row of {configuration} and {other} by {setting} {measure}, expected one of each pair"
    )


def _turned(row: dict[str, Any]) -> dict[str, Any]:
    return {
        **row,
        "configuration": row["baseline"],
        "baseline": row["configuration"],
        "difference": -row["difference"],
        "low": -row["high"],
        "high": -row["low"],
        "wins": row["losses"],
        "losses": row["wins"],
        "seeds": row["baseline_seeds"],
        "baseline_seeds": row["seeds"],
    }
