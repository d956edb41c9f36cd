"""The command evaluate on a run; its page is left out."""

import json

import pytest
import torch
from evaluate_cli import invoke
from small_runs import CONFIG, finished

from hybridlib import evaluate_command
from hybridlib.config import RunConfig
from hybridlib.errors import InputError
from hybridlib.results import Results

pytestmark = pytest.mark.usefixtures("pages")

torch.set_num_threads(1)


def test_run_is_evaluated_on_its_test_concepts(tmp_path):
    run = finished(tmp_path / "a-run", CONFIG)
    invoke("evaluate", "--run", run, "--out", tmp_path / "out")
    read = Results.read(tmp_path / "out")
    expected = json.loads((run / "result.json").read_text())["means"]["all"]
    assert {name: pytest.approx(means) for name, means in read.result["means"]["none"].items()} == expected
    assert (read.result["label"], read.result["seed"], read.result["run"]) == ("hybrid 0.5", 1, "a-run")
    assert RunConfig.checked(read.result["configuration"]) == CONFIG


def test_run_is_evaluated_on_another_corpus(tmp_path):
    """As its encoder would be, with the label and the seed of the run."""
    run = finished(tmp_path / "a-run", CONFIG)
    options = ["--corpus", "scenes", "--languages", "en,fr", "--max-length", 40]
    invoke("evaluate", "--run", run, *options, "--out", tmp_path / "run")
    invoke("evaluate", "--encoder", run / "encoder", *options, "--out", tmp_path / "encoder")
    found, expected = (Results.read(tmp_path / name).result for name in ("run", "encoder"))
    assert found["means"] == expected["means"]
    assert (found["label"], found["seed"], found["run"]) == ("hybrid 0.5", 1, "a-run")
    assert (found["max_length"], found["collection"]["languages"]) == (40, ["en", "fr"])
    assert RunConfig.checked(found["configuration"]) == CONFIG


def test_results_of_a_run_are_not_written_over(tmp_path):
    """Its folder would count as a finished run, with the scores of something else."""
    run = finished(tmp_path / "a-run", CONFIG)
    before = {file.name: file.read_bytes() for file in run.iterdir() if file.is_file()}
    for command in (["evaluate", "--encoder", "tiny"], ["compare", run, run]):
        with pytest.raises(InputError, match=r"out: found the config\.json of another kind of result in .*a-run, exp"):
            invoke(*command, "--out", run)
    assert {file.name: file.read_bytes() for file in run.iterdir() if file.is_file()} == before


def test_an_evaluation_is_no_run(tmp_path):
    run = finished(tmp_path / "a-run", CONFIG)
    result = json.loads((run / "result.json").read_text())
    del result["fingerprint"]
    (run / "result.json").write_text(json.dumps(result))
    with pytest.raises(InputError, match=r"result\.json: found no fingerprint, expected that of a training run"):
        invoke("evaluate", "--run", run, "--out", tmp_path / "out")


def test_untrained_run_has_no_seed_and_needs_no_weights(tmp_path):
    run = finished(tmp_path / "a-run", CONFIG.model_copy(update={"sampler": "untrained"}))
    (run / "encoder").rename(tmp_path / "gone")
    invoke("evaluate", "--run", run, "--out", tmp_path / "out", "--languages", "zh", "--measures", "AP")
    result = Results.read(tmp_path / "out").result
    assert (result["seed"], result["collection"]["languages"]) == (None, ["zh"])


def test_run_is_debiased_on_training_concepts_in_its_test_languages(tmp_path, monkeypatch):
    """With the full vocabulary: Chinese was not trained on, so its texts to fit on have pieces that were trimmed."""
    trimmed, embed = [], evaluate_command.cached_text_vectors

    def watched(encoder, *given):
        trimmed.append(encoder.kept_ids is not None)
        return embed(encoder, *given)

    monkeypatch.setattr(evaluate_command, "cached_text_vectors", watched)
    run = finished(tmp_path / "a-run", CONFIG)
    invoke("evaluate", "--run", run, "--out", tmp_path / "out", "--debias", "centring", "--fit-concepts", 12)
    read = Results.read(tmp_path / "out")
    assert (read.result["fitted_on"]["concepts"], read.result["fitted_on"]["languages"]) == (12, ["en", "zh"])
    assert list(read.scores()) == ["hybrid 0.5", "hybrid 0.5 + centring"]
    assert trimmed == [False] * 4


def test_average_of_two_runs_is_evaluated_on_the_test_concepts_of_one(tmp_path):
    """With an encoder beside the run: the mean of a run and itself is the run."""
    run = finished(tmp_path / "a-run", CONFIG)
    invoke("average", run, run, "--out", tmp_path / "mean")
    for name, options in (("own", []), ("other", ["--encoder", tmp_path / "mean"])):
        invoke("evaluate", "--run", run, *options, "--out", tmp_path / name)
    own, other = (Results.read(tmp_path / name).result for name in ("own", "other"))
    assert {name: pytest.approx(means) for name, means in other["means"]["none"].items()} == own["means"]["none"]
    assert (other["label"], other["seed"], other["encoder"]) == ("mean", None, str(tmp_path / "mean"))


@pytest.mark.parametrize("options", [[], ["--languages", "en"]])
def test_run_of_another_corpus_is_refused(tmp_path, options):
    run = finished(tmp_path / "a-run", CONFIG)
    result = json.loads((run / "result.json").read_text())
    result["fingerprint"]["test"] = "0" * 64
    (run / "result.json").write_text(json.dumps(result))
    with pytest.raises(InputError, match="a-run: found another corpus than the run was tested on"):
        invoke("evaluate", "--run", run, *options, "--out", tmp_path / "out")
