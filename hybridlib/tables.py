"""Tables of a study: numbers in, ready strings out, the best in bold."""

from __future__ import annotations

import pandas as pd

from hybridlib.comparison import LOWER_IS_BETTER
from hybridlib.evaluation import SETTINGS, SHARE
from hybridlib.findings import separable

NDCG_COLUMNS = [*((setting, "nDCG@10") for setting in SETTINGS), ("multilingual", "AP"), ("multilingual", "R@10")]
BIAS_COLUMNS = [("multilingual", "rank_distance"), ("multilingual", SHARE)]


def measure_table(
    summary: pd.DataFrame,
    columns: list[tuple[str, str]],
    comparisons: pd.DataFrame | None = None,
    languages: str = "all",
) -> pd.DataFrame:
    """Give mean ± standard deviation over seeds, a row a configuration.

    Args:
        summary: from :func:`hybridlib.comparison.summary_table`.
        columns: (setting, measure) pairs.
        comparisons: if given, a value that is not separable from the best of its column (Holm p >= 0.05) gets a ``≈``.
        languages: all, seen or unseen.

    Returns:
        Strings; the best of a column starts with ``*`` (see :func:`hybridlib.show.table`).
    """
    chosen = summary[summary["languages"] == languages]
    labels = list(dict.fromkeys(summary["configuration"]))
    table = pd.DataFrame(index=pd.Index(labels, name="configuration"), dtype="object")
    seeds = chosen.groupby("configuration")["seed"].nunique()
    table["seeds"] = [str(seeds.get(label, 0)) for label in labels]
    for setting, measure in columns:
        values = chosen[(chosen["setting"] == setting) & (chosen["measure"] == measure)].groupby("configuration")[
            "value"
        ]
        means, deviations = values.mean(), values.std()
        if means.empty:
            continue
        best = means.idxmin() if measure in LOWER_IS_BETTER else means.idxmax()
        cells = []
        for label in labels:
            text = _number(means.get(label), deviations.get(label), measure)
            if label == best:
                text = f"*{text}"
            elif comparisons is not None and _tested(comparisons, setting, measure) and label in means:
                text += "" if separable(comparisons, label, best, setting, measure) else " ≈"
            cells.append(text)
        table[f"{setting} {measure}"] = cells
    return table


def _tested(comparisons: pd.DataFrame, setting: str, measure: str) -> bool:
    return bool(((comparisons["setting"] == setting) & (comparisons["measure"] == measure)).any())


def _number(mean: float | None, deviation: float | None, measure: str) -> str:
    if mean is None or pd.isna(mean):
        return "–"
    digits = ",.0f" if measure == "rank_distance" else ".3f"
    spread = "" if deviation is None or pd.isna(deviation) else f" ± {deviation:{digits}}"
    return f"{mean:{digits}}{spread}"


def significance_table(comparisons: pd.DataFrame) -> pd.DataFrame:
    """Give every comparison with interval, corrected p and wins, ties, losses, as strings."""
    rows = {}
    for row in comparisons.to_dict("records"):
        digits = "+,.0f" if row["measure"] == "rank_distance" else "+.3f"
        mark = "*" if row["holm_p"] < 0.05 else ""
        rows[f"{row['configuration']} − {row['baseline']}: {row['setting']} {row['measure']}"] = {
            "difference": f"{mark}{row['difference']:{digits}}",
            "95 % interval": f"[{row['low']:{digits}}, {row['high']:{digits}}]",
            "Holm p": f"{row['holm_p']:.4f}",
            "wins / ties / losses": f"{row['wins']} / {row['ties']} / {row['losses']}",
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("comparison")
