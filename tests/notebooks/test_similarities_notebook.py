"""The notebook on similarities: theory, drawn batches, and finished runs of two batch sizes."""

import json
import shutil

import pytest
from notebook_runs import PROJECT, SMALL, TRAIN, cells_of, execute, run_here

SIMILARITIES = PROJECT / "notebooks" / "4-similarities.ipynb"


@pytest.fixture
def results(folders):
    """Make runs in batches of 4 and 8, and one as of a time when similarities were not kept; returns their results."""
    runs = folders / "reports" / "mine" / "runs"
    results = {size: run_here(TRAIN, **{**SMALL, "study": "mine", "batch_size": size})["result"] for size in (4, 8)}
    shutil.copytree(runs / results[4]["run"], runs / "old")
    old = {name: value for name, value in results[4].items() if name != "geometry"}
    (runs / "old" / "result.json").write_text(json.dumps(old))
    return results


def test_similarities_notebook_checks_the_theory_and_reads_finished_runs(folders, results):
    """Batches of 64 and more are left out: there are 40 concepts."""
    output = folders / "out.ipynb"
    small = {"encoder": "tiny", "concepts": 40, "studies": ["mine", "absent"]}
    shown = execute(SIMILARITIES, output, **small)
    for finding in ("6 of 7 objectives reach 1", "15 of 15 variances lie", "In 12 of 12 pairs", "9 of 9 optima"):
        assert finding in shown
    assert "tiny on scenes: in mixed batches of 32, negatives of one language are " in shown
    assert "**A demonstration.**" in shown
    assert "Study *absent*: no finished run, so it is skipped." in shown
    assert "Study *mine*: finished runs: 3; left out, since made before similarities were kept: 1." in shown
    for size in (4, 8):
        assert f"<th>hybrid 0.5, batch_size {size}</th>" in shown
        assert f">{results[size]['geometry']['negative_same_mean']:.3f}</td>" in shown
    assert "The variance is smaller after batches of 8 than after those of 4 in " in shown
    assert shown.count("*How to read it.*") == shown.count("*Result.*") == 7
    pictures = [one for cell in cells_of(output) for one in cell.outputs if "image/png" in one.get("data", {})]
    assert [len(one.metadata["image/png"]["alt"]) >= 30 for one in pictures] == [True] * 6
