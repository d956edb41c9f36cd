"""Of a run as of an evaluation, result.json is written last and alone says that the folder is finished."""

from types import SimpleNamespace

import pandas as pd
import pytest
from random_results import corpus, evaluated

from hybridlib import results
from hybridlib.config import RunConfig
from hybridlib.corpora.corpus import Split
from hybridlib.results import write_results
from hybridlib.runs import write_run


def write_a_run(folder, seconds=1.0):
    training = SimpleNamespace(history=pd.DataFrame({"step": [1], "loss": [0.5]}), best_step=1)
    write_run(folder, RunConfig(), Split(*[corpus()] * 3), evaluated(0), evaluated(1), training, {"train": seconds}, {})


def write_an_evaluation(folder, seconds=1.0):
    write_results(folder, {"none": evaluated(0)}, {"none": {"uniformity": -1.5}}, {"seconds": seconds})


FILES = {
    write_a_run: "history.csv ranks.parquet scores.parquet top_share.parquet config.json result.json".split(),
    write_an_evaluation: "ranks.parquet scores.parquet languages.parquet scores.csv result.json".split(),
}


@pytest.mark.parametrize("write", FILES)
def test_result_is_written_last(tmp_path, monkeypatch, write):
    order, replace_file = [], results.replace_file
    monkeypatch.setattr(results, "replace_file", lambda path, data: (order.append(path.name), replace_file(path, data)))
    write(tmp_path)
    assert sorted(order) == sorted(FILES[write])
    assert order[-1] == "result.json"


@pytest.mark.parametrize(("write", "failing"), [(write, file) for write, files in FILES.items() for file in files])
def test_what_could_not_be_written_is_not_finished(tmp_path, monkeypatch, write, failing):
    """Not even if an older result was there."""
    replace_file = results.replace_file

    def full_disk(path, data):
        if path.name == failing:
            raise OSError("no space left on device")
        replace_file(path, data)

    (tmp_path / "result.json").write_text("{}")
    monkeypatch.setattr(results, "replace_file", full_disk)
    with pytest.raises(OSError, match="no space"):
        write(tmp_path)
    assert not (tmp_path / "result.json").exists()


@pytest.mark.parametrize("write", FILES)
def test_a_number_that_json_does_not_have_is_not_written(tmp_path, write):
    """JSON has no infinity: writing fails instead of leaving a file that others cannot read."""
    with pytest.raises(ValueError, match="JSON"):
        write(tmp_path, float("inf"))
    assert not (tmp_path / "result.json").exists()
