"""Tables of a study: numbers in, ready strings out, the best in bold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from hybridlib.comparison import LEVEL, against, direction, maybe_as_good, verdict
from hybridlib.evaluation import BIAS, POOL, SETTINGS, SHARE
from hybridlib.results import Results

NDCG_COLUMNS = [
    *((setting, "nDCG@10") for setting in SETTINGS),
    *(("multilingual", measure) for measure in ("RR", "AP", "R@10")),
]
BIAS_COLUMNS = [("multilingual", "rank_distance"), ("multilingual", SHARE)]
LETTERS = [("a", "ᵃ"), ("b", "ᵇ"), ("c", "ᶜ"), ("d", "ᵈ"), ("e", "ᵉ"), ("f", "ᶠ"), ("g", "ᵍ"), ("h", "ʰ")]
ALL_BIAS_COLUMNS = [("multilingual", measure) for measure in BIAS]


def ranked(summary: pd.DataFrame) -> pd.DataFrame:
    """Sort the systems of a table of means by multilingual nDCG@10 over all languages and seeds, the best first."""
    kept = summary[(summary["languages"] == "all") & (summary["setting"] == "multilingual")]
    means = kept[kept["measure"] == "nDCG@10"].groupby("configuration")["value"].mean().sort_values(ascending=False)
    return pd.concat([summary[summary["configuration"] == label] for label in means.index], ignore_index=True)


def measure_table(
    summary: pd.DataFrame,
    columns: list[tuple[str, str]],
    comparisons: pd.DataFrame | None = None,
    languages: str = "all",
    references: Sequence[str] = (),
) -> pd.DataFrame:
    """Give mean ± standard deviation over seeds, a row a configuration.

    Args:
        summary: from :func:`hybridlib.comparison.summary_table`.
        columns: (setting, measure) pairs.
        comparisons: if given, a value that may be the best of its column gets a ``≈``, see
            :func:`hybridlib.comparison.maybe_as_good`.
        languages: all, seen or unseen.
        references: systems of which the first eight get a letter, which stands raised beside each value that is
            separably better than theirs; they must be among those that ``comparisons`` compares all with.

    Returns:
        Strings; the best of a column starts with ``*`` (see :func:`hybridlib.show.table`), where there is one (see
        :func:`hybridlib.comparison.direction`) and it has a rival.
    """
    chosen = summary[summary["languages"] == languages]
    labels = list(dict.fromkeys(summary["configuration"]))
    letters = dict(zip((label for label in labels if label in references), LETTERS, strict=False))
    named = [f"{label} ({letters[label][0]})" if label in letters else label for label in labels]
    table = pd.DataFrame(index=pd.Index(named, name="configuration"), dtype="object")
    seeds = chosen.groupby("configuration")["seed"].nunique()
    table["seeds"] = [str(seeds.get(label, 0)) for label in labels]
    for setting, measure in columns:
        values = chosen[(chosen["setting"] == setting) & (chosen["measure"] == measure)].groupby("configuration")
        means, deviations = values["value"].mean(), values["value"].std()
        if means.empty:
            continue
        best = _best(means * direction(measure), comparisons) if direction(measure) and len(labels) > 1 else ""
        tested = best and comparisons is not None and _tested(comparisons, setting, measure)
        alike = maybe_as_good(comparisons, best, labels, setting, measure) if tested and comparisons is not None else []
        cells = []
        for label in labels:
            text = _number(means.get(label), deviations.get(label), measure)
            if tested and label in means:
                rows = {one: against(comparisons, label, one, setting, measure) for one in letters if one != label}
                text += "".join(letters[one][1] for one, row in rows.items() if verdict(row) > 0)
                text += " ≈" * (label in alike)
            cells.append(f"*{text}" if label == best else text)
        table[f"{setting} {measure}"] = cells
    return table


def _best(means: pd.Series, comparisons: pd.DataFrame | None) -> str:
    """Return the label of the highest mean; of those that six digits do not tell apart, the one compared with most."""
    near = means[means >= means.max() - 1e-5 * abs(means.max())].sort_values(ascending=False, kind="stable")
    if comparisons is None:
        return str(near.index[0])
    compared = pd.concat([comparisons["configuration"], comparisons["baseline"]]).value_counts()
    return str(compared.reindex(near.index, fill_value=0).idxmax())


def upright(table: pd.DataFrame) -> pd.DataFrame:
    """Turn a table of :func:`measure_table` so that systems are columns, and measures rows, in groups by setting.

    What all share is not repeated: one seed, or the pool as the only setting.
    """
    if (table["seeds"] == "1").all():
        table = table.drop(columns="seeds")
    if all(column == "seeds" or column.startswith("multilingual ") for column in table):
        return table.rename(columns=lambda column: column.removeprefix("multilingual ")).T.rename_axis("measure")
    rows = [(setting, measure) for setting, _, measure in (column.rpartition(" ") for column in table)]
    return table.T.set_axis(pd.MultiIndex.from_tuples(rows, names=["", "measure"]))


def headed(table: pd.DataFrame) -> pd.DataFrame:
    """Put the measure of columns such as ``monolingual nDCG@10`` above their settings, and leave others without one.

    Example:
        >>> headed(pd.DataFrame(columns=["seeds", "monolingual R@1"])).columns.tolist()
        [('', 'seeds'), ('R@1', 'monolingual')]
    """
    if table.columns.empty:
        return table
    parts = [column.partition(" ") for column in table]
    names = [(last, first) if first in SETTINGS else ("", f"{first}{space}{last}") for first, space, last in parts]
    return table.set_axis(pd.MultiIndex.from_tuples(names), axis=1)


def moments_table(means: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Give the means of one run before and after training side by side.

    Args:
        means: moment -> of :func:`hybridlib.runs.summary`.

    Returns:
        Ready strings: a row a setting and measure, a column a group of languages and a moment.
    """
    first = next(iter(means.values()))
    columns = {
        (f"{languages} languages", moment): table.loc[languages].stack()
        for languages in dict.fromkeys(first.index.get_level_values(0))
        for moment, table in means.items()
    }
    joined = pd.DataFrame(columns, first.loc["all"].stack().index).dropna(how="all").rename_axis(["", "measure"])
    said = [[_number(value, None, measure) for value in row] for (_, measure), *row in joined.itertuples(name=None)]
    return pd.DataFrame(said, joined.index, joined.columns)


def _tested(comparisons: pd.DataFrame, setting: str, measure: str) -> bool:
    return bool(((comparisons["setting"] == setting) & (comparisons["measure"] == measure)).any())


def _number(mean: float | None, deviation: float | None, measure: str) -> str:
    if mean is None or pd.isna(mean):
        return "–"
    digits = {"rank_distance": ",.0f", "max_rank": ",.0f", "max_rank_normalised": ".1f"}.get(measure, ".3f")
    spread = "" if deviation is None or pd.isna(deviation) else f" ± {deviation:{digits}}"
    return f"{mean:{digits}}{spread}"


def significance_table(comparisons: pd.DataFrame) -> pd.DataFrame:
    """Give every comparison with interval, corrected p and wins, ties, losses, as strings."""
    rows = {}
    for row in comparisons.to_dict("records"):
        digits = "+z,.0f" if row["measure"] == "rank_distance" else "+z.3f"
        mark = "*" if row["holm_p"] < LEVEL else ""
        rows[f"{row['configuration']} − {row['baseline']}: {row['setting']} {row['measure']}"] = {
            "difference": f"{mark}{row['difference']:{digits}}",
            "95 % interval": f"[{row['low']:{digits}}, {row['high']:{digits}}]",
            "Holm p": f"{row['holm_p']:.4f}",
            "wins / ties / losses": "–" if pd.isna(row["wins"]) else f"{row['wins']} / {row['ties']} / {row['losses']}",
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("comparison")


def pair_table(by_pair: pd.DataFrame, measure: str) -> pd.DataFrame:
    """Give a measure by language pair, [query language x passage language], from means by pair of the two settings."""
    single = by_pair.loc[by_pair.index.get_level_values("passage_language") != POOL, measure].droplevel("setting")
    table = single.unstack("passage_language").astype(float)
    return table.set_axis(table.index.astype("str")).set_axis(table.columns.astype("str"), axis=1)


def language_tables(results: Sequence[Results]) -> dict[str, dict[str, pd.DataFrame]]:
    """Give label -> ``top_share``, ``even_share`` and ``single_answer``, each [query language x passage language].

    Where there are several seeds, their mean.
    """
    parts: dict[str, list[pd.DataFrame]] = {}
    for one in results:
        for label, table in one.languages().items():
            parts.setdefault(label, []).append(table.set_index(["query_language", "passage_language"]))
    return {
        label: {
            column: (sum(table[column] for table in tables) / len(tables)).unstack()
            for column in ("top_share", "even_share", "single_answer")
        }
        for label, tables in parts.items()
    }


def balance_points(summary: pd.DataFrame) -> pd.DataFrame:
    """Give monolingual and crosslingual nDCG@10 and the rank distance, a row a system and seed, in order."""
    chosen = summary[summary["languages"] == "all"].set_index(["configuration", "seed"])
    ndcg = chosen[chosen["measure"] == "nDCG@10"].pivot(columns="setting", values="value")
    distance = chosen.loc[chosen["measure"] == "rank_distance", "value"]
    points = ndcg[["monolingual", "crosslingual"]].assign(rank_distance=distance)
    return points.loc[list(dict.fromkeys(chosen.index))].reset_index()


def balance_table(means: pd.DataFrame) -> pd.DataFrame:
    """Give what :func:`hybridlib.balance_figures.balance_map` draws.

    Args:
        means: of :func:`hybridlib.means.means_table`.

    Returns:
        A row a system, in order: index its name; columns (setting, measure, one of ``value``, ``low``, ``high``) of
        monolingual and crosslingual nDCG@10 and the rank distance.
    """
    tests = [("monolingual", "nDCG@10"), ("crosslingual", "nDCG@10"), ("multilingual", "rank_distance")]
    kept = means[means["languages"] == "all"].set_index(["setting", "measure"])[
        ["configuration", "value", "low", "high"]
    ]
    of_test = {test: kept.loc[[test]].set_index("configuration") for test in tests}
    return pd.concat(of_test, axis=1).rename_axis(None).reindex(kept["configuration"].unique()).sort_index(axis=1)


def geometry_table(results: Sequence[Results]) -> pd.DataFrame:
    """Give the numbers of the embeddings, a row a system (mean over seeds), as strings."""
    rows = pd.DataFrame(
        [{"system": one.label(name), **numbers} for one in results for name, numbers in one.result["geometry"].items()]
    )
    return rows.groupby("system", sort=False).mean().map(lambda v: "–" if pd.isna(v) else f"{v:.3f}")
