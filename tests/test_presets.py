"""The presets of the papers are parameters that the training notebook takes."""

from pathlib import Path

import pytest
import yaml

from hybridlib.config import RunConfig

FILES = sorted((Path(__file__).parents[1] / "presets").glob("*.yaml"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_preset_is_a_configuration(file):
    values = yaml.safe_load(file.read_text(encoding="utf-8"))
    config = RunConfig.checked(values, file.name)
    assert {name: value for name, value in config.model_dump(mode="json").items() if name in values} == values


def test_every_paper_has_a_preset():
    assert [file.stem for file in FILES] == ["hybrid_2408_10536", "mimo_2605_31171", "vrns_2506_09781"]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_preset_names_its_own_papermill_command(file):
    command = f"papermill notebooks/2-train.ipynb OUT.ipynb -f presets/{file.name} -p corpus xm3600"
    assert command in file.read_text(encoding="utf-8")
