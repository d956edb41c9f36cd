"""The command derive on tiny runs; its page is left out."""

import json
import shutil

import pytest
import torch
from evaluate_cli import invoke
from safetensors.torch import load_file, save_file
from small_runs import CONFIG, finished

from hybridlib.derive_command import derive
from hybridlib.errors import InputError
from hybridlib.paths import run_folder, system_folder
from hybridlib.results import Results, read_json
from hybridlib.study import load_study

pytestmark = pytest.mark.usefixtures("pages")

torch.set_num_threads(1)

DEFAULTS = json.dumps(CONFIG.model_dump(mode="json", exclude_defaults=True))
TEXT = f"""
defaults: {DEFAULTS}
runs: [{{sampler: untrained}}, {{sampler: monolingual, seed: [1, 2]}}, {{sampler: crosslingual, seed: [2]}}]
systems:
  - {{of: [monolingual, crosslingual], label: between, weight: 0.25, debias: [centring]}}
  - {{of: monolingual, debias: [centring, lir]}}
  - {{of: untrained, debias: [shift]}}
"""


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """The finished runs of the study; the crosslingual one has weights of its own."""
    folder = tmp_path_factory.mktemp("derive")
    (folder / "mine.yaml").write_text(TEXT)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HYBRIDLIB_REPORTS", str(folder / "reports"))
        patch.setenv("HYBRIDLIB_CACHE", str(folder / "cache"))
        for run, config in load_study(folder / "mine.yaml").runs().items():
            weights = finished(run_folder("mine", run), config) / "encoder" / "model.safetensors"
            if config.sampler == "crosslingual":
                torch.manual_seed(0)
                moved = {name: value + 0.1 * torch.randn_like(value) for name, value in load_file(weights).items()}
                save_file(moved, weights, metadata={"format": "pt"})
    return folder


@pytest.fixture
def study(runs, tmp_path, monkeypatch):
    shutil.copytree(runs / "reports", tmp_path / "reports")
    monkeypatch.setenv("HYBRIDLIB_REPORTS", str(tmp_path / "reports"))
    return load_study(runs / "mine.yaml")


def folders_of(study, sampler):
    return {config.seed: run_folder("mine", run) for run, config in study.runs().items() if config.sampler == sampler}


def made(study, label, seed):
    """Make a system of the study; returns its results."""
    (name,) = [name for name, one in study.derived().items() if (one.label, one.seed) == (label, seed)]
    derive(study, name, str)
    return Results.read(system_folder("mine", name))


def test_weights_are_averaged_and_vectors_debiased(study):
    between = made(study, "between", 2)
    first, second = (folders_of(study, sampler)[2] for sampler in ("monolingual", "crosslingual"))
    weights = [load_file(f / "encoder" / "model.safetensors") for f in (first, second, between.folder)]
    torch.testing.assert_close(
        weights[2], {name: torch.lerp(weights[0][name], weights[1][name], 0.25) for name in weights[0]}
    )
    assert list(between.scores()) == ["between", "between + centring"]
    assert (between.result["seed"], between.result["run"]) == (2, first.name)
    assert between.result["encoder"] == "encoder"
    assert between.result["means"]["none"] != read_json(first / "result.json")["means"]["all"]


@pytest.mark.parametrize("seed", [1, 2])
def test_a_single_run_is_debiased_with_its_own_encoder(study, seed):
    found = made(study, "monolingual", seed)
    run = folders_of(study, "monolingual")[seed]
    assert list(found.scores()) == ["monolingual", "monolingual + centring", "monolingual + lir"]
    assert (found.result["seed"], found.result["run"], found.result["encoder"]) == (seed, run.name, None)
    assert not (found.folder / "encoder").exists()
    expected = read_json(run / "result.json")["means"]["all"]
    assert {name: pytest.approx(means) for name, means in found.result["means"]["none"].items()} == expected


def test_the_untrained_encoder_is_debiased_and_has_no_seed(study):
    shutil.rmtree(folders_of(study, "untrained")[1] / "encoder")
    found = made(study, "untrained", 1)
    assert found.result["seed"] is None
    assert found.result["debiasings"] == ["none", "shift"]


def test_a_system_that_is_made_again_is_the_same(study):
    first, second = (
        (found.result, (found.folder / "scores.parquet").read_bytes())
        for found in (made(study, "between", 2) for _ in range(2))
    )
    assert [first[0].pop("seconds").keys()] == [second[0].pop("seconds").keys()]
    assert first == second


def test_the_command_makes_the_system_and_says_its_page(study):
    name = next(iter(study.derived()))
    said = invoke("derive", study.path, name).stdout
    assert said.splitlines()[-1] == "page.html"
    assert (system_folder("mine", name) / "result.json").is_file()


@pytest.mark.parametrize("sampler", ["monolingual", "crosslingual"])
def test_a_system_of_a_run_that_is_not_finished_is_refused(study, sampler):
    run = folders_of(study, sampler)[2]
    (run / "result.json").unlink()
    with pytest.raises(InputError, match=rf"{run.name}: found no result\.json, expected a finished run$"):
        made(study, "between", 2)
    assert not (run.parent.parent / "systems").exists()


def test_an_unknown_system_lists_the_known_ones(study):
    with pytest.raises(InputError) as error:
        derive(study, "average-seed9", str)
    assert str(error.value) == f"derive: found 'average-seed9', expected one of {' '.join(study.derived())}"


def test_a_study_without_systems_says_so(tmp_path):
    (tmp_path / "plain.yaml").write_text("runs: [{}]")
    with pytest.raises(InputError, match=r"expected one of none: the study has none$"):
        derive(load_study(tmp_path / "plain.yaml"), "average-seed9", str)
