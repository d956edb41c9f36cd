"""Studies as ``report`` leaves them: tables of made-up runs of random vectors, or of numbers that a test gives."""

from pathlib import Path

import pandas as pd
import pytest
from claim_cases import row
from random_results import corpus, evaluated

from hybridlib.comparison import score_table
from hybridlib.corpora.corpus import Split
from hybridlib.evaluation import SETTINGS
from hybridlib.means import means_table
from hybridlib.paths import run_folder, study_folder, system_folder
from hybridlib.results import write_csv, write_json, write_results
from hybridlib.runs import write_run
from hybridlib.study import load_study
from hybridlib.study_results import StudyResults
from hybridlib.told import Told

TESTS = [*((setting, "nDCG@10") for setting in SETTINGS), ("multilingual", "rank_distance")]
SYSTEMS = {
    "monolingual": (0.8, 0.5, 0.6, 900.0),
    "crosslingual": (0.7, 0.6, 0.65, 500.0),
    "hybrid 0.5": (0.75, 0.55, 0.7, 1234.0),
}
ABOUT = {
    "name": "mine",
    "title": "Mine",
    "question": "Which?",
    "demonstration": False,
    "baseline": "hybrid 0.5",
    "references": [],
    "axis": None,
    "series": [],
    "missing": [],
    "corpus": "captions",
    "notes": [],
    "concepts": {"train": 2400, "validation": 50, "test": 1500},
    "languages": {"all": ["en", "de", "sw"], "seen": ["en", "de"], "unseen": ["sw"]},
    "fingerprint": {"test": "abc"},
    "environment": {"python": "3.11", "packages": {"torch": "2.13", "absent": None}, "machine": "x86, 2 cores"},
    "random_rank_distance": 2000.0,
    "encoder": "tiny",
}


def compared(first, second, differences=(0.1, 0.2, 0.3, 100.0), p=0.2):
    """Rows that compare two systems by every test, with intervals of 0.02 (ranks: 40), which hold 0 but for p < .05."""
    halves = [half + abs(value) * (p >= 0.05) for half, value in zip([0.01, 0.01, 0.01, 20], differences, strict=True)]
    return [
        row(value - half, value + half, p, first, second, *test)
        for test, value, half in zip(TESTS, differences, halves, strict=True)
    ]


def told(systems, compared=(), runs=None, summary=None, pairs=None, **about):
    """A study of systems with one seed each.

    Args:
        systems: label -> nDCG@10 monolingual, crosslingual, multilingual, rank distance; an interval is 0.1 about it.
        compared: rows of comparisons.
        runs: (label, seconds) pairs; default: 60 seconds of each system.
        summary: (label, seed, nDCG@10 multilingual) triples instead of the systems' own.
        pairs: label -> pairs trained on, where these are not 4,096.
        about: what differs from ``ABOUT``.
    """
    rows = [
        (label, "all", *test, value, value - 0.1, value + 0.1)
        for label, values in systems.items()
        for test, value in zip(TESTS, values, strict=True)
    ]
    means = pd.DataFrame(rows, columns="configuration languages setting measure value low high".split())
    whole = means.drop(columns=["low", "high"]).assign(seed=1)
    if summary is not None:
        whole = pd.DataFrame(summary, columns=["configuration", "seed", "value"])
        whole = whole.assign(languages="all", setting="multilingual", measure="nDCG@10")
    costs = [
        (f"{about.get('runs_of', about.get('name', 'mine'))}-{n}", *row)
        for n, row in enumerate(runs or [(label, 60.0) for label in systems])
    ]
    costs = pd.DataFrame(costs, columns=["run", "configuration", "seconds"])
    costs["pairs"] = [(pairs or {}).get(label, 4096.0) for label in costs["configuration"]]
    scores = costs[["run", "configuration"]].assign(seed=1)
    comparisons = pd.DataFrame(list(compared), columns=list(row(0, 0, 1)))
    return Told(Path("mine"), {**ABOUT, **about}, scores, whole, means, comparisons, costs)


def report(reports, text, name="mine", **changes):
    """Write the tables of a study whose runs have random scores, as ``report`` does; returns its folder.

    Args:
        reports: the folder of all studies.
        text: of the study's file.
        name: of the study.
        changes: what ``study.json`` says instead.
    """
    reports.mkdir(parents=True, exist_ok=True)
    file = reports.parent / f"{name}.yaml"
    file.write_text(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HYBRIDLIB_REPORTS", str(reports))
        patch.setattr("hybridlib.study.data_fingerprint", lambda _: "0" * 64)  # of texts that are not read
        study = load_study(file)
        split = Split(corpus().select(languages=["en", "de"]), corpus(), corpus())
        names = {config: run for run, config in study.runs().items()}
        for number, (config, run) in enumerate(names.items()):
            found, seconds = evaluated(number), {"train, processor": 900.0}
            write_run(run_folder(name, run), config, split, found, found, None, seconds, {"uniformity": -1.0})
        for number, (place, system) in enumerate(study.derived().items(), start=len(names)):
            evaluations = {debiasing: evaluated(number) for debiasing in ("none", *system.debias)}
            encoder = "encoder" if len(system.parents) > 1 else None
            about = {"label": system.label, "seed": system.seed, "run": names[system.parents[0]], "encoder": encoder}
            geometry = {debiasing: {"uniformity": -1.0} for debiasing in evaluations}
            write_results(system_folder(name, place), evaluations, geometry, about)
        results = StudyResults.read(study)
        scores, summary = results.scores(), results.summary()
        tables = {
            "scores": score_table(results.runs),
            "summary": summary,
            "means": means_table(scores, summary),
            "comparisons": results.comparisons(study, scores, summary),
            "runs": results.costs(study),
        }
        folder = study_folder(name)
        for table, content in tables.items():
            write_csv(folder / f"{table}.csv", content)
        write_json(folder / "study.json", {**results.about(study), **changes})
    return folder
