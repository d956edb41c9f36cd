"""What the workflow would do, by Snakemake's dry run, and that it is alone at work on a study."""

import os
import re
import subprocess
import sys

import pytest

from hybridlib.paths import locked, project_folder
from hybridlib.study import load_study

TEXT = """
title: Mine
defaults: {corpus: scenes, encoder: tiny, train_languages: [en, de]}
runs: [{sampler: untrained}]
grid: {sampler: [mixed, hybrid]}
"""


@pytest.fixture
def study(tmp_path):
    """Write a study whose runs are all finished; returns its file and the folders of its runs."""
    file = tmp_path / "mine.yaml"
    file.write_text(TEXT)
    folders = [tmp_path / "reports" / "mine" / "runs" / run for run in load_study(file).runs()]
    for folder in folders:
        folder.mkdir(parents=True)
        for name in ("index.html", "scores.parquet", "result.json"):
            (folder / name).write_text("{}")
    return file, folders


def snakemake(file, *options):
    """Run the workflow on a study file."""
    command = [sys.executable, "-m", "snakemake", "--snakefile", "workflow/Snakefile", "--config", f"study={file}"]
    return subprocess.run(
        [*command, "--cores", "1", "--rerun-triggers", "mtime", "--nolock", *options],
        cwd=project_folder(),
        env={**os.environ, "HYBRIDLIB_REPORTS": str(file.parent / "reports")},
        capture_output=True,
        text=True,
        timeout=120,
    )


def planned(file):
    """Return how many jobs of each rule a dry run counts."""
    outcome = snakemake(file, "--dry-run")
    assert outcome.returncode == 0, outcome.stderr
    return {rule: int(count) for rule, count in re.findall(r"^(run|report) +(\d+)$", outcome.stdout, re.MULTILINE)}


def test_what_is_finished_is_reported_alone(study):
    assert planned(study[0]) == {"report": 1}


@pytest.mark.parametrize("missing", ["result.json", "scores.parquet"])
def test_a_run_without_its_result_or_its_scores_is_made_again(study, missing):
    """Early results were committed without scores; a report that read the others alone would lose their rows."""
    file, folders = study
    (folders[1] / missing).unlink()
    assert planned(file) == {"run": 1, "report": 1}


def test_a_study_that_is_at_work_is_not_started_twice(study):
    """A second Snakemake removes the outputs of what it makes again, while the first one may be writing them."""
    file, folders = study
    (folders[1] / "scores.parquet").unlink()
    lock = locked(folders[1].parents[1])
    try:
        outcome = snakemake(file)
    finally:
        lock.release()
    assert outcome.returncode == 1
    assert "reports/mine: found another process at work on it" in outcome.stderr
    assert (folders[1] / "result.json").read_text() == "{}"
