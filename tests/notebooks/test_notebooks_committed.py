"""The notebooks as they are committed: without outputs, with parameters that are those of a run."""

import nbformat
import papermill
import pytest
from notebook_runs import CORPUS, NOTEBOOKS, TRAIN, cells_of

from hybridlib.config import RunConfig


def is_parameters(cell):
    return "parameters" in cell.metadata.get("tags", [])


def variables_of(file):
    """Run the parameters cell of a notebook; returns what it defines."""
    (cell,) = filter(is_parameters, cells_of(file))
    variables = {}
    exec(cell.source, variables)
    return {name: value for name, value in variables.items() if not name.startswith("__")}


@pytest.mark.parametrize("file", NOTEBOOKS, ids=lambda file: file.stem)
def test_notebooks_are_committed_without_outputs(file):
    cells = cells_of(file)
    assert [cell.outputs for cell in cells] == [[]] * len(cells)
    assert [cell.execution_count for cell in cells] == [None] * len(cells)


@pytest.mark.parametrize("file", NOTEBOOKS, ids=lambda file: file.stem)
def test_notebooks_are_valid(file):
    nbformat.validate(nbformat.read(file, as_version=4))


@pytest.mark.parametrize("file", NOTEBOOKS, ids=lambda file: file.stem)
def test_cells_that_are_shown_are_short(file):
    shown = [
        cell for cell in cells_of(file) if not is_parameters(cell) and "hidden" not in cell.metadata.get("tags", [])
    ]
    lengths = [len(cell.source.splitlines()) for cell in shown]
    assert max(lengths) <= 25


@pytest.mark.parametrize("file", NOTEBOOKS, ids=lambda file: file.stem)
def test_first_code_cell_is_the_parameters(file):
    assert [is_parameters(cell) for cell in cells_of(file)] == [True] + [False] * (len(cells_of(file)) - 1)


@pytest.mark.parametrize("file", NOTEBOOKS, ids=lambda file: file.stem)
def test_papermill_knows_types_and_help_of_all_parameters(file):
    found = papermill.inspect_notebook(file)
    assert set(found) == set(variables_of(file))
    assert [name for name, parameter in found.items() if parameter["inferred_type_name"] in (None, "None")] == []
    assert [name for name, parameter in found.items() if not parameter["help"]] == []


def test_parameters_are_the_study_and_the_configuration_with_its_defaults():
    assert variables_of(TRAIN) == {"study": "scratch", **RunConfig().model_dump(mode="json")}


def test_parameters_are_explained_as_in_the_configuration():
    helps = {name: parameter["help"] for name, parameter in papermill.inspect_notebook(TRAIN).items()}
    assert helps.pop("study")
    assert helps == {name: field.description for name, field in RunConfig.model_fields.items()}


def test_parameters_of_the_corpus_notebook_are_those_of_a_run():
    shared = {name: value for name, value in variables_of(CORPUS).items() if name != "languages"}
    assert shared == {name: RunConfig().model_dump()[name] for name in shared}
