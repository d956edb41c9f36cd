"""Languages that were trained on beside those that were not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import pandas as pd

from hybridlib.debias import DEBIASINGS
from hybridlib.tables import BIAS_COLUMNS, NDCG_COLUMNS, measure_table

_GROUPS = ("seen", "unseen")


def seen_table(summary: pd.DataFrame, languages: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    """Give nDCG@10 and rank distance in the languages trained on beside those in the others, a row a system.

    Args:
        summary: of :meth:`hybridlib.study_results.StudyResults.summary`; systems stay in its order.
        languages: codes of the test languages by group, ``seen`` and ``unseen`` among them.

    Returns:
        Strings; empty if all test languages were trained on, or none.
    """
    if not all(languages.get(group) for group in _GROUPS):
        return pd.DataFrame()
    columns = [*NDCG_COLUMNS[:3], BIAS_COLUMNS[0]]
    parts = {group: measure_table(summary, columns, languages=group).drop(columns="seeds") for group in _GROUPS}
    table = pd.concat(parts, axis=1)
    return table.set_axis(pd.MultiIndex.from_tuples([_grouped(*names) for names in table]), axis=1)


def reading(languages: Mapping[str, Sequence[str]], labels: Iterable[str]) -> str:
    """Say how to read :func:`seen_table`.

    Args:
        languages: see there.
        labels: its systems.
    """
    debiased = any(label.rpartition(" + ")[2] in DEBIASINGS for label in labels)
    fitted = "Debiasing is fitted on other texts of all test languages, so for it none is unseen. " * debiased
    return (
        f"Seen in training: {' '.join(languages['seen'])}; unseen: {' '.join(languages['unseen'])}. Crosslingual "
        "pairs are those inside each group; the pool is always that of all languages, for queries of the group. "
        f"{fitted}The best of a column in bold."
    )


def transfer(summary: pd.DataFrame, labels: Sequence[str], over: str = "untrained") -> str:
    """Say how much nDCG@10 systems gain over another, in the languages trained on and in the others.

    Args:
        summary: see :func:`seen_table`.
        labels: systems to say it of.
        over: what they are compared with; without it nothing is said.
    """
    chosen = summary[(summary["measure"] == "nDCG@10") & summary["languages"].isin(_GROUPS)]
    settings = [setting for setting, _ in NDCG_COLUMNS[:3]]
    means = chosen.groupby(["configuration", "languages", "setting"])["value"].mean().unstack()
    others = [label for label in labels if label != over and label in means.index]
    if not others or over not in means.index or any(setting not in means for setting in settings):
        return ""
    gains = means[settings] - means.loc[over, settings].reindex(means.index, level="languages")
    said = []
    for label in others:
        parts = [f"{_signed(gains.loc[(label, group)])} {group}" for group in gains.loc[label].dropna().index]
        said.append(f"**{label}** {', '.join(parts)}")
    return f"Gains of nDCG@10 over {over} ({' / '.join(settings)}): {'; '.join(said)}."


def _signed(gains: pd.Series) -> str:
    return " / ".join(f"{gain:+.3f}" for gain in gains)


def _grouped(group: str, column: str) -> tuple[str, str]:
    setting, measure = column.split(" ")
    return f"{group}: {measure}", setting
