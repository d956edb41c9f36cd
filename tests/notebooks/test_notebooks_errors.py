"""What the notebooks refuse."""

import pytest
from notebook_runs import EVALUATE, SMALL, TRAIN, execute, run_here
from papermill.exceptions import PapermillExecutionError

from hybridlib.config import RunConfig
from hybridlib.errors import InputError


def test_evaluation_notebook_on_a_folder_without_results_names_it(folders):
    with pytest.raises(InputError, match=r"empty: found no result\.json"):
        run_here(EVALUATE, folders=[str(folders / "empty")], out=str(folders))


def test_unknown_parameter_ends_the_notebook(folders):
    """papermill itself only warns of it."""
    with pytest.raises(PapermillExecutionError) as error:
        execute(TRAIN, folders / "out.ipynb", **SMALL, stepz=9)
    assert error.value.ename == "InputError"
    assert error.value.evalue == (
        f"parameters: found unknown parameter 'stepz', expected one of study {' '.join(RunConfig.model_fields)}"
    )
    assert list(folders.rglob("result.json")) == []


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"alpha": 2}, "parameters: found alpha = 2, expected less than or equal to 1"),
        ({"batch_size": 17}, "batch_size: found 17, expected at most 16, what the 16 training concepts"),
        ({"train_languages": ["en", "xx"]}, "corpus scenes: found language 'xx', expected one of: en de "),
        ({"study": "../elsewhere"}, "study: found the name '../elsewhere', expected "),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_bad_parameters_leave_no_result(folders, parameters, message):
    with pytest.raises(InputError) as error:
        run_here(TRAIN, **{**SMALL, **parameters})
    assert str(error.value).startswith(message)
    assert len(str(error.value).splitlines()) == 1
    assert [file for file in folders.rglob("*") if file.is_file()] == []
