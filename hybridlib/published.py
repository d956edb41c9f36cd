"""Published numbers of the three samplers, and beside them those of studies here."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from statistics import fmean
from typing import Any

import pandas as pd

from hybridlib.comparison import direction
from hybridlib.config import RunConfig
from hybridlib.errors import InputError
from hybridlib.results import read_json
from hybridlib.tables import headed
from hybridlib.told import Told, distinct, read_table

SAMPLERS = {"monolingual": "monolingual", "crosslingual": "crosslingual", "hybrid": "hybrid 0.5"}  # label in a study
SHOWN = (  # what 2408.10536 reports: recall of the first passage, and of ten where each language has its own
    ("monolingual", "AP"),
    ("crosslingual", "AP"),
    ("multilingual", "AP"),
    ("monolingual", "R@1"),
    ("crosslingual", "R@1"),
    ("multilingual", "R@10"),
    ("multilingual", "rank_distance"),
)
_COLUMNS = "source table encoder test_set sampler setting measure value".split()


def read_published(file: Path) -> pd.DataFrame:
    """Read means over languages out of papers.

    Returns:
        A row a number: ``source`` (the paper), ``table`` (in it), ``encoder``, ``test_set``, ``sampler`` (one of
        :data:`SAMPLERS`), ``setting``, ``measure``, ``value``.

    Raises:
        InputError: if the file is no such table, or a sampler has no number for one of :data:`SHOWN`.
    """
    table = read_table(file, _COLUMNS)
    for test, values in tests_of(table):
        lacking = values.isna().stack([0, 1], future_stack=True)
        if lacking.any():
            sampler, setting, measure = lacking.idxmax()
            raise InputError(f"{file}: found no {setting} {measure} of {test}: {sampler}, expected one")
    return table


def here(studies: Mapping[str, Told]) -> pd.DataFrame:
    """Return the same numbers of every study on texts that are not made up and that has all three samplers.

    A study all of whose runs of the three another has too is left out.
    """
    labels = set(SAMPLERS.values())
    real = [one for one in studies.values() if not one.about["demonstration"] and labels <= set(one.labels)]
    rows = [
        (f"study {told.name}", "means", told.about["encoder"], told.about["corpus"], sampler, *test, value)
        for told in distinct(real, labels)
        for sampler, label in SAMPLERS.items()
        for test in SHOWN
        for value in [told.value(label, *test)]
    ]
    return pd.DataFrame(rows, columns=_COLUMNS)


def elsewhere(evaluations: Path) -> pd.DataFrame:
    """Return the same numbers of runs that `evaluate --run RUN --corpus OTHER` tested on texts of another corpus.

    Args:
        evaluations: a folder; results that stand in one folder below it are of one study, a mean over its seeds is
            taken, and those without all three samplers, settings or measures are left out.
    """
    found: dict[Path, list[dict[str, Any]]] = {}
    for file in sorted(evaluations.glob("*/*/result.json")):
        result = read_json(file)
        if "run" in result and RunConfig.checked(result["configuration"]).corpus != result["collection"]["name"]:
            found.setdefault(file.parent.parent, []).append(result)
    rows = []
    for folder, results in found.items():
        means = {label: [one for one in results if one["label"] == label] for label in SAMPLERS.values()}
        whole = all(means.values()) and all(map(_has_what_is_shown, results))
        for sampler, label in SAMPLERS.items() if whole else ():
            for setting, measure in SHOWN:
                value = fmean(one["means"]["none"][setting][measure] for one in means[label])
                about = means[label][0]
                encoder = RunConfig.checked(about["configuration"]).encoder
                said = (folder.name, "result", encoder, about["collection"]["name"], sampler)
                rows.append((*said, setting, measure, value))
    return pd.DataFrame(rows, columns=_COLUMNS)


def _has_what_is_shown(result: Mapping[str, Any]) -> bool:
    return all(measure in result["means"]["none"].get(setting, {}) for setting, measure in SHOWN)


def beside(published: pd.DataFrame, ours: pd.DataFrame) -> pd.DataFrame:
    """Give a group of three rows a test, of ready strings; the best of the three begins with ``*``.

    Rank distances of pools of different sizes cannot be compared; what can is the change against monolingual batches,
    which stands behind.
    """
    rows = {}
    for name, values in tests_of(pd.concat([published, ours])):
        best = pd.Series({test: _best(values[test]) for test in values})
        for sampler in SAMPLERS:
            cells = {
                f"{setting} {measure}": "*" * (best[setting, measure] == sampler)
                + _written(values[setting, measure], sampler, measure)
                for setting, measure in SHOWN
            }
            rows[name, sampler] = cells
    table = pd.DataFrame(rows.values(), pd.MultiIndex.from_tuples(rows, names=["encoder, test set", "batches"]))
    return headed(table)


def finding(published: pd.DataFrame, ours: pd.DataFrame) -> str:
    """Say how often hybrid batches are the best of the three, in the papers and here."""
    said = []
    for setting, measure in (*SHOWN[:3], SHOWN[-1]):
        counts = [
            f"{sum(_best(values[setting, measure]) == 'hybrid' for _, values in tests)} of {len(tests)} {where}"
            for where, tests in (("published", tests_of(published)), ("here", tests_of(ours)))
        ]
        said.append(f"{setting} {measure}: {', '.join(counts)}")
    return f"By the means alone, untested, hybrid batches are the best of the three in {'; '.join(said)}."


def tests_of(table: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """Return the name of each test (encoder, test set, source) with its [sampler x (setting, measure)]."""
    encoder = table["encoder"].str.removeprefix("bundled:")
    name = encoder + ", " + table["test_set"] + " (" + table["source"] + ")"
    columns = pd.MultiIndex.from_tuples(SHOWN)
    return [
        (
            str(test),
            part.pivot(index="sampler", columns=["setting", "measure"], values="value").reindex(
                index=list(SAMPLERS), columns=columns
            ),
        )
        for test, part in table.groupby(name, sort=False)
    ]


def _best(values: pd.Series) -> str:
    return str((values * direction(str(values.name[1]))).idxmax())


def _written(values: pd.Series, sampler: str, measure: str) -> str:
    value = values[sampler]
    if measure != "rank_distance":
        return f"{value:.4f}"
    change = value / values["monolingual"] - 1
    return f"{value:,.1f}" if sampler == "monolingual" else f"{value:,.1f} ({change:+.0%})"
