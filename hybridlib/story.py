"""The story of all studies, from their committed tables: the answer, the methods with their cost, the curves."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from hybridlib.comparison import LEVEL, against, compared_labels, direction
from hybridlib.curves import level
from hybridlib.evaluation import SETTINGS
from hybridlib.findings import difference
from hybridlib.tables import BIAS_COLUMNS, NDCG_COLUMNS, measure_table
from hybridlib.told import Told


def subject(told: Told) -> str:
    """Return the system that the question is about: hybrid batches with alpha 0.5, else the study's baseline.

    All others were compared with it: where a study has references, it is one of these or the baseline.
    """
    compared = [told.about["baseline"], *(told.about["references"] or told.labels)]
    return "hybrid 0.5" if "hybrid 0.5" in compared and "hybrid 0.5" in told.labels else str(told.about["baseline"])


def answer(told: Told) -> list[str]:
    """Answer the question in three sentences with numbers and intervals.

    What its subject reaches; how that stands against the two kinds of batch that hybrid batching mixes; what is best
    of all in each setting, and by language bias.
    """
    label = subject(told)
    reached = [f"{_with_interval(told, label, s, 'nDCG@10')} {s}" for s in SETTINGS]
    far = told.value(label, "multilingual", "rank_distance")
    share = far / told.about["random_rank_distance"]
    sentences = [
        f"**{label}** reaches an nDCG@10 of {', '.join(reached)}, with a rank distance of {far:,.0f} ({share:.0%} of a "
        "random ranking's)."
    ]
    parents = [one for one in ("monolingual", "crosslingual") if one in told.labels and one != label]
    said = [f"against **{parent}** batches {_differences(told, label, parent)}" for parent in parents]
    if said:
        text = "; ".join(said)
        sentences.append(f"{text[0].upper()}{text[1:]}.")
    return [*sentences, _best(told, label)]


def _with_interval(told: Told, label: str, setting: str, measure: str) -> str:
    value, low, high = (told.value(label, setting, measure, column) for column in ("value", "low", "high"))
    return f"{value:.3f} [{low:.3f}, {high:.3f}]"


def _differences(told: Told, label: str, parent: str) -> str:
    said = [f"{difference(told.comparisons, label, parent, s, 'nDCG@10')} {s}" for s in SETTINGS]
    far = difference(told.comparisons, label, parent, "multilingual", "rank_distance")
    return f"its nDCG@10 moves by {', '.join(said)}, its rank distance by {far}"


def _best(told: Told, label: str) -> str:
    said = []
    for setting, measure in (*((s, "nDCG@10") for s in SETTINGS), ("multilingual", "rank_distance")):
        labels = [label, *sorted(compared_labels(told.comparisons))]  # of equals the subject, else as the report chose
        values = pd.Series({one: told.value(one, setting, measure) for one in labels})
        best = str((values * direction(measure)).idxmax())
        digits, called = (".3f", f"{setting} nDCG@10") if measure == "nDCG@10" else (",.0f", "rank distance")
        if best == label:
            said.append(f"**{label}** itself by {called}")
            continue
        row = against(told.comparisons, label, best, setting, measure)
        apart = "separable from it" if row["holm_p"] < LEVEL else "not separable from it"
        said.append(f"**{best}** by {called} ({values[best]:{digits}}; {label} is {apart})")
    return f"The best of {len(told.labels)} systems is {'; '.join(said)}."


def basis(told: Told) -> str:
    """Say what the numbers rest on: texts, languages, seeds."""
    about, languages = told.about, told.about["languages"]
    seeds = told.summary.groupby("configuration")["seed"].nunique()
    least, most = int(seeds.min()), int(seeds.max())
    said = f"{least} to {most} seeds" if least < most else f"{most} seed{'s' * (most > 1)}"
    notes = "".join(f" {note}." for note in about["notes"])
    missing = f" **Not complete:** {len(about['missing'])} runs or systems are not finished." * bool(about["missing"])
    return (
        f"Study [{about['title']}]({told.name}/index.html) on {about['corpus']}: {about['encoder']} trained on "
        f"{about['concepts']['train']:,} concepts in {len(languages['seen'])} languages, tested on "
        f"{about['concepts']['test']:,} others in {len(languages['all'])}, {len(languages['unseen'])} of them not "
        f"trained on; {said} a system.{notes}{missing}"
    )


def method_table(told: Told) -> pd.DataFrame:
    """Give every system with quality, language bias and cost, best multilingual nDCG@10 first, as strings."""
    value = told.summary[
        (told.summary["languages"] == "all")
        & (told.summary["setting"] == "multilingual")
        & (told.summary["measure"] == "nDCG@10")
    ]
    order = value.groupby("configuration")["value"].mean().sort_values(ascending=False).index
    ranked = pd.concat([told.summary[told.summary["configuration"] == label] for label in order])
    references = list(dict.fromkeys([told.about["baseline"], *told.about["references"]]))
    table = measure_table(ranked, [*NDCG_COLUMNS[:3], *BIAS_COLUMNS], told.comparisons, references=references)
    seconds = told.runs.groupby("configuration")["seconds"].mean()
    known = seconds.reindex(order)
    return table.assign(**{"training seconds": ["–" if pd.isna(value) else f"{value:,.0f}" for value in known]})


def curve_tables(told: Told) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, pd.Series]]:
    """Give what :func:`hybridlib.along.along` draws of a study; empty tables if it has no axis."""
    lying = pd.DataFrame(told.about["series"], columns=["configuration", "series", "x"])
    points, seeds = (lying.merge(table[table["languages"] == "all"]) for table in (told.means, told.summary))
    return points, seeds, {label: level(told.means, label) for label in told.labels if label == "untrained"}


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
                "training hours": f"{trained['seconds'].sum() / 3600:.1f}",
                "made-up texts": "yes" if told.about["demonstration"] else "no",
                "command": f"make study STUDY={name}",
            }
        )
    return pd.DataFrame(rows, pd.Index([told.about["title"] for told in studies.values()], name="study"))


def colophon(told: Told) -> str:
    """Say with what the numbers were computed."""
    environment = told.about["environment"]
    packages = ", ".join(f"{name} {version}" for name, version in environment["packages"].items() if version)
    return (
        f"Python {environment['python']}, {packages}; {environment['machine']}. Test texts: SHA-256 "
        f"`{told.about['fingerprint']['test']}`. This page is made of committed tables alone by `make findings`."
    )
