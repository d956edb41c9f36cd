"""Sentences that say what a figure shows, computed from its numbers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from hybridlib.comparison import (
    DIGITS,
    FIRST_HIT,
    LEVEL,
    PLACES,
    SAID,
    against,
    compared_labels,
    direction,
    least_p,
    rivals,
    unseparated,
)
from hybridlib.config import RunConfig
from hybridlib.evaluation import SETTINGS, SHARE, Evaluation
from hybridlib.languages import name
from hybridlib.plain_text import listed

_ROUNDING = 1e-4  # of a p in a table
_FEW = 4  # systems that a sentence names


def scores_by_setting(means: dict[str, dict[str, float]]) -> str:
    """Say nDCG@10 in each setting, such as ``.669 monolingual, .460 crosslingual, .371 multilingual``."""
    return ", ".join(f"{means[setting]['nDCG@10']:.3f} {setting}" for setting in SETTINGS if setting in means)


def _arrow(values: Iterable[float]) -> str:
    return " → ".join(f"{value:.3f}" for value in values)


def change(*moments: dict[str, dict[str, float]]) -> str:
    """Say nDCG@10 in each setting, at one moment or before and after training."""
    said = [
        f"{setting} " + _arrow(means[setting]["nDCG@10"] for means in moments)
        for setting in SETTINGS
        if setting in moments[-1]
    ]
    return f"nDCG@10: {', '.join(said)}."


def extremes(table: pd.DataFrame, what: str) -> str:
    """Say the highest and the lowest cell of a [query language x other language] table."""
    stacked = table.stack()
    high, low = stacked.idxmax(), stacked.idxmin()
    said = [f"{stacked[cell]:.3f} ({cell[0]} → {cell[1]})" for cell in (high, low)]
    return f"The highest {what} is {said[0]}, the lowest {said[1]}."


def own_language(moments: dict[str, Evaluation]) -> str:
    """Say how much of the top ten is in the query's own language, against the even share; the last moment in detail."""
    shares = {title: float(np.nanmean(np.diag(e.top_share.to_numpy()))) for title, e in moments.items()}
    title, last = list(moments.items())[-1]
    gap = pd.Series(np.diag(last.top_share), last.top_share.index) - last.even_share
    worst = str(gap.idxmax())
    said = ", ".join(f"{share:.0%} {moment}" for moment, share in shares.items())
    return (
        f"The own language's share of the top ten: {said}; even would be {last.even_share.mean():.0%}. "
        f"{name(worst)} queries favour their own language most ({title}: {last.top_share.loc[worst, worst]:.0%})."
    )


def distance_change(bars: pd.DataFrame, expected: pd.Series) -> str:
    """Say how the mean rank distance moved, as a share of that of a random ranking; columns before and after.

    Of many columns the shortest and the longest are said. For which queries it is longest is said of the last column,
    of many of the shortest.
    """
    means = bars.mean()
    many = len(means) > _FEW
    chosen = [means.idxmin(), means.idxmax()] if many else list(bars.columns)
    parts = [f"{means[column]:,.0f} {column} ({means[column] / expected.mean():.1%} of random)" for column in chosen]
    told = chosen[0] if many else chosen[-1]
    longest = f"{told}: longest for {name(str(bars[told].idxmax()))} queries, {bars[told].max():,.0f}"
    of_many = f", of {len(means)} the shortest and the longest" if many else ""
    return f"Mean rank distance{of_many}: {', '.join(parts)} ({longest})."


def batch_languages(query: np.ndarray, passage: np.ndarray) -> str:
    """Say how many of the shown batches are of one language, and how many pairs cross languages."""
    real = query >= 0
    one = sum(len(set(q[m]) | set(p[m])) == 1 for q, p, m in zip(query, passage, real, strict=True))
    crossing = float((query != passage)[real].mean())
    return f"{one} of these {len(query)} batches are of one language; {crossing:.0%} of the pairs cross languages."


def similarities(spaces: pd.DataFrame) -> str:
    """Say how far positives and negatives are apart, in the last space; a column a space of ``geometry``."""
    last = spaces.iloc[:, -1]
    said = [f"positives {last['positive_all_mean']:.3f}, negatives {last['negative_all_mean']:.3f}"]
    if "negative_other_mean" in last:
        gap = last["negative_same_mean"] - last["negative_other_mean"]
        said.append(f"negatives of one language {gap:+.3f} nearer than those of two")
    if "language_probe" in last:
        said.append(f"the language is told from the vector in {last['language_probe']:.0%} of cases")
    return f"{spaces.columns[-1]}: mean similarity of {'; '.join(said)}."


def overlap(shared: pd.DataFrame) -> str:
    """Say how many test texts are in the training set, from :func:`hybridlib.corpora.overlap.shared_texts`."""
    found, texts = int(shared["shared"].sum()), int(shared["texts"].sum())
    return (
        f"{found:,} of {texts:,} test texts ({found / texts:.1%}) stand among the training texts of their language, "
        "but for case, spaces and punctuation at the ends."
    )


def learning(history: pd.DataFrame, best_step: int) -> str:
    """Say where the loss started and ended and which step was kept."""
    window = max(1, len(history) // 10)
    first, last = history["loss"].head(window).mean(), history["loss"].tail(window).mean()
    rate = history["pairs_per_second"].median()
    return (
        f"The loss went from {first:.3f} to {last:.3f} (means of the first and last tenth); the weights of step "
        f"{best_step} of {len(history)} were kept; {rate:.0f} pairs a second."
    )


def difference(comparisons: pd.DataFrame, configuration: str, other: str, setting: str, measure: str) -> str:
    """Say one difference with its interval and Holm-corrected p, which may be the least that the flips could give."""
    row = against(comparisons, configuration, other, setting, measure)
    digits = "+z,.0f" if measure == "rank_distance" else "+z.3f"
    least = row["holm_p"] <= least_p(comparisons) * (1 + _ROUNDING)
    p = "p < 0.001" if row["holm_p"] < 0.001 else f"p {'≤' if least else '='} {row['holm_p']:.3f}"
    return f"{row['difference']:{digits}} [{row['low']:{digits}}, {row['high']:{digits}}], {p}"


def answer(summary: pd.DataFrame, comparisons: pd.DataFrame | None = None) -> str:
    """Say in a sentence which system is best by each test, and what is not separable from it.

    The tests are those of :data:`hybridlib.comparison.PLACES` and, where systems were compared by it, the first hit.

    Args:
        summary: of :meth:`hybridlib.study_results.StudyResults.summary`.
        comparisons: of the same systems; without it nothing is said of what is separable.
    """
    tested = summary[summary["languages"] == "all"]
    said = []
    for (setting, measure), place in SAID.items() if _has_first_hit(comparisons) else PLACES.items():
        rows = tested[(tested["setting"] == setting) & (tested["measure"] == measure)]
        if rows.empty:
            continue
        values = rows.groupby("configuration", sort=False)["value"].mean()
        first = str((direction(measure) * values).idxmax())
        number = f"{values[first]:{DIGITS[measure]}}"
        tied = not_told_from(comparisons, first, values.index, setting, measure) if comparisons is not None else ""
        said.append(f"{place}: **{first}** ({number}{tied})")
    return f"Best {'; '.join(said)}."


def _has_first_hit(comparisons: pd.DataFrame | None) -> bool:
    return comparisons is not None and bool((comparisons[["setting", "measure"]] == FIRST_HIT).all(axis=1).any())


def answer_of_equals(summary: pd.DataFrame, comparisons: pd.DataFrame, dearer: Sequence[str]) -> str:
    """Say :func:`answer` without systems that were trained on more, name these, and say where all have one seed.

    Args:
        summary: see :func:`answer`.
        comparisons: see there.
        dearer: see :func:`hybridlib.answers.dearer_than`.
    """
    said = answer(summary[~summary["configuration"].isin(dearer)], comparisons)
    if dearer:
        said += f" Without what was trained on more pairs: **{'**, **'.join(dearer)}**."
    if len(set(summary["seed"])) == 1:
        said += " One seed: intervals and p say what other test concepts would give, not another training."
    return said


def not_told_from(comparisons: pd.DataFrame, label: str, among: Iterable[str], setting: str, measure: str) -> str:
    """Say which of some are not separable from a system, if any are; many by their number.

    Where it was not compared with all of them, of how many that is said.
    """
    others = [one for one in among if one != label]
    tied = unseparated(comparisons, label, others, setting, measure)
    if not tied:
        return ""
    compared = len(rivals(comparisons, label, others, setting, measure))
    of_some = f"of {compared} compared with it " * (compared < len(others))
    names = [f"“{one}”" if "," in one else one for one in tied]
    return f"; {of_some}not separable from {listed(names) if len(tied) <= _FEW else f'{len(tied)} others'}"


def separated(comparisons: pd.DataFrame, reference: str) -> str:
    """Say which systems are better than a reference, and which worse, by nDCG@10 in each setting.

    Of more than four, how many, and which is furthest.
    """
    said = []
    for setting in SETTINGS:
        tested = comparisons[(comparisons["setting"] == setting) & (comparisons["measure"] == "nDCG@10")]
        if tested.empty:
            continue
        labels = [label for label in compared_labels(tested) if label != reference]
        rows = {label: against(comparisons, label, reference, setting, "nDCG@10") for label in labels}
        sure = {label: row["difference"] for label, row in rows.items() if row["holm_p"] < LEVEL}
        better = {label: value for label, value in sure.items() if value > 0}
        worse = {label: -value for label, value in sure.items() if value < 0}
        parts = [
            f"better: {_named(better, 1)}",
            f"worse: {_named(worse, -1)}",
            f"not separable: {len(rows) - len(sure)}",
        ]
        said.append(f"{setting}: {'; '.join(parts)}")
    return f"Against {reference}, by nDCG@10. {'. '.join(one[0].upper() + one[1:] for one in said)}."


def _named(sizes: dict[str, float], sign: int) -> str:
    """Say who they are if they are few, else how many and who is furthest."""
    furthest = sorted(sizes, key=lambda label: -sizes[label])
    if len(sizes) <= _FEW:
        return ", ".join(f"{label} ({sign * sizes[label]:+.3f})" for label in furthest) or "none"
    return f"{len(sizes)}, furthest {furthest[0]} ({sign * sizes[furthest[0]]:+.3f})"


def configuration(config: RunConfig) -> str:
    """Say in a sentence what a run trains."""
    if config.sampler == "untrained":
        return f"**untrained**: {config.encoder} as it is."
    stages = [
        f"**{stage.label()}** batches of {stage.batch_size} pairs"
        + (f", {stage.accumulate} a step" if stage.accumulate > 1 else "")
        + f", {stage.updates} steps, {stage.objective_label()}, learning rate {stage.learning_rate:g}"
        + (f", teacher {stage.teacher}" if stage.teacher else "")
        for stage in config.stages()
    ]
    return f"{'; then '.join(stages)}; seed {config.seed}; {config.encoder}."


def balance(points: pd.DataFrame) -> str:
    """Say what the ideal corner of the scatter is made of: the best monolingual and the best crosslingual nDCG@10."""
    means = points.groupby("configuration", sort=False)[["monolingual", "crosslingual"]].mean()
    best, first = means.max(), means.idxmax()
    return (
        f"The ideal corner, ({best['monolingual']:.3f}, {best['crosslingual']:.3f}), has the monolingual nDCG@10 of "
        f"**{first['monolingual']}** and the crosslingual one of **{first['crosslingual']}**."
    )


def wins_and_losses(comparisons: pd.DataFrame, baseline: str, labels: Sequence[str]) -> str:
    """Say over how many language pairs each configuration beats the baseline, by crosslingual nDCG@10."""
    rows = {label: against(comparisons, label, baseline, "crosslingual", "nDCG@10") for label in labels}
    said = [f"{label} wins {r['wins']}, ties {r['ties']}, loses {r['losses']}" for label, r in rows.items()]
    return f"Cross-lingual pairs against {baseline}: {'; '.join(said)}."


def share_in_pool(summary: pd.DataFrame) -> str:
    """Say which configuration fills the top ten most with the query's own language."""
    chosen = summary[(summary["languages"] == "all") & (summary["measure"] == SHARE)]
    means = chosen.groupby("configuration", sort=False)["value"].mean()
    if len(means) == 1:
        return f"{means.iloc[0]:.0%} of the top ten are in the query's language."
    return (
        f"The own language's share of the top ten is highest for {means.idxmax()} ({means.max():.0%}), "
        f"lowest for {means.idxmin()} ({means.min():.0%})."
    )


def evaluation_answer(summary: pd.DataFrame, labels: Sequence[str], comparisons: pd.DataFrame | None = None) -> str:
    """Answer how good and how biased the first system is, and which of several is best, in a sentence or two."""
    chosen = summary[summary["configuration"] == labels[0]]
    means = chosen.groupby(["setting", "measure"])["value"].mean()
    measure = next(name for name in summary["measure"] if any((s, name) in means for s in SETTINGS))
    said = [f"{means[s, measure]:.3f} {s}" for s in SETTINGS if (s, measure) in means]
    text = f"**{labels[0]}** has a mean {measure} of {', '.join(said)}"
    if ("multilingual", SHARE) in means:
        text += f"; {means['multilingual', SHARE]:.0%} of its top ten are in the query's language"
    if len(labels) > 1 and measure == "nDCG@10" and ("multilingual", "rank_distance") in means:
        text += f". {answer(summary, comparisons)[:-1]}"
    return f"{text}."


def own_excess(tables: dict[str, pd.DataFrame]) -> str:
    """Say how much more than an even share of the top ten each system gives to the query's own language."""
    said = [f"{label} {float(np.nanmean(np.diag(table.to_numpy()))):+.0%}" for label, table in tables.items()]
    return f"Mean excess of the own language: {', '.join(said)}."
