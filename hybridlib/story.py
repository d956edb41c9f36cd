"""The story of all studies, from their committed tables: what they rest on, the methods with their cost, the curves."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from hybridlib.curves import level
from hybridlib.tables import BIAS_COLUMNS, NDCG_COLUMNS, headed, measure_table, ranked
from hybridlib.told import Told


def basis(told: Told) -> str:
    """Say what the numbers rest on: texts, languages, seeds."""
    about, languages = told.about, told.about["languages"]
    seeds = told.summary.groupby("configuration")["seed"].nunique()
    least, most = int(seeds.min()), int(seeds.max())
    said = f"{least} to {most} seeds" if least < most else f"{most} seed{'s' * (most > 1)}"
    missing = f" **Not complete:** {len(about['missing'])} runs or systems are not finished." * bool(about["missing"])
    return (
        f"Study [{about['title']}]({told.name}/index.html) on {about['corpus']}: {about['encoder']} trained on "
        f"{_trained_on(told)} concepts in {len(languages['seen'])} languages, tested on "
        f"{about['concepts']['test']:,} others in {len(languages['all'])}, {len(languages['unseen'])} of them not "
        f"trained on; {said} a system.{missing}"
    )


def _trained_on(told: Told) -> str:
    """Say how many concepts are trained on; where they are what differs, the fewest and the most."""
    counts = [told.about["concepts"]["train"]]
    if told.about["axis"] == "train_concepts":
        counts = sorted({int(one["x"]) for one in told.about["series"]})
    return " to ".join(f"{count:,}" for count in dict.fromkeys((counts[0], counts[-1])))


def method_table(told: Told) -> pd.DataFrame:
    """Give every system with quality, language bias and cost, best multilingual nDCG@10 first, as strings."""
    summary = ranked(told.summary)
    references = list(dict.fromkeys([told.about["baseline"], *told.about["references"]]))
    table = measure_table(summary, [*NDCG_COLUMNS[:3], *BIAS_COLUMNS], told.comparisons, references=references)
    if len(set(table["seeds"])) == 1:
        table = table.drop(columns="seeds")
    known = told.runs.groupby("configuration")["seconds"].mean().reindex(summary["configuration"].unique())
    return headed(table.assign(**{"training seconds": ["–" if pd.isna(value) else f"{value:,.0f}" for value in known]}))


def curve_tables(told: Told) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, pd.Series]]:
    """Give what :func:`hybridlib.along.along` draws of a study; empty tables if it has no axis."""
    return (
        told.on_axis(told.means),
        told.on_axis(told.summary),
        {label: level(told.means, label) for label in told.labels if label == "untrained"},
    )


def study_table(studies: Mapping[str, Told]) -> pd.DataFrame:
    """Give a row a study: systems, runs, what is missing, cost, and the command that makes it again.

    A system that is made of runs costs no training of its own, and is no run.
    """
    rows = []
    for name, told in studies.items():
        trained = told.runs[told.runs["run"].isin(told.scores["run"])]
        rows.append(
            {
                "systems": str(len(told.labels)),
                "runs": str(len(trained)),
                "not finished": str(len(told.about["missing"])),
                "training hours": _hours(trained["seconds"]),
                "made-up texts": "yes" if told.about["demonstration"] else "no",
                "command": f"make study STUDY={name}",
            }
        )
    return pd.DataFrame(rows, pd.Index([told.about["title"] for told in studies.values()], name="study"))


def _hours(seconds: pd.Series) -> str:
    """Say a sum, and of how many it is where some are not known."""
    known = f" (known of {seconds.count()} runs)" * bool(seconds.isna().any())
    return f"{seconds.sum() / 3600:.1f}{known}"


def spread(told: Told) -> str:
    """Say what a number of its tables is."""
    several = told.summary.groupby("configuration")["seed"].nunique().max() > 1
    return "Mean ± standard deviation over seeds" if several else "One seed"


def colophon(told: Told) -> str:
    """Say with what the numbers were computed."""
    environment = told.about["environment"]
    packages = ", ".join(f"{name} {version}" for name, version in environment["packages"].items() if version)
    machine = f"{environment['machine']} (study {told.about['title']}; the page of each says its own)"
    return (
        f"Python {environment['python']}, {packages}; {machine}. Test texts: SHA-256 "
        f"`{told.about['fingerprint']['test']}`. This page is made of committed tables alone by `make findings`."
    )
