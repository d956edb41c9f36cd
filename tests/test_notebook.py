import logging
import math
import time

import numpy as np
import pytest

from hybridlib import notebook
from hybridlib.config import RunConfig
from hybridlib.errors import InputError
from hybridlib.notebook import batch_languages, run_config, timed
from hybridlib.pairs import Pairs


@pytest.fixture(autouse=True)
def logging_as_before():
    """run_config sets up logging for a notebook's process, which this one is not."""
    root, own = logging.getLogger(), logging.getLogger("hybridlib")
    before = root.handlers[:], root.level, own.level
    yield
    root.handlers[:], root.level = before[:2]
    own.setLevel(before[2])


def test_variables_become_the_configuration():
    assert run_config({"alpha": 0.25, "train_languages": ["en", "de"]}) == RunConfig(
        alpha=0.25, train_languages=("en", "de")
    )


def test_no_variables_are_the_defaults():
    assert run_config({}) == RunConfig()


@pytest.mark.parametrize("value", [3, "x", None, True, 0.5, [1], (1,), {"a": 1}], ids=repr)
def test_unknown_parameter_is_named(value):
    with pytest.raises(InputError, match="found unknown parameter 'stepz', expected one of corpus "):
        run_config({"stepz": value})


def test_other_parameters_of_the_notebook_are_known():
    assert run_config({"study": "quick", "seed": 2}, others=("study",)) == RunConfig(seed=2)


def test_others_are_among_the_expected_ones():
    with pytest.raises(InputError, match="'stepz', expected one of study corpus "):
        run_config({"stepz": 1}, others=("study",))


def test_what_is_no_parameter_is_let_be():
    variables = {"np": np, "math": math, "RunConfig": RunConfig, "__name__": "__main__", "_": 3, "_ih": [""]}
    assert run_config({**variables, "In": ["", "study = 1"], "Out": {}}) == RunConfig()


def test_own_variables_of_later_cells_are_let_be():
    """Who runs the cell again in a notebook has made variables meanwhile."""
    assert run_config({"seconds": {}, "In": [""] * 9}) == RunConfig()


def test_bad_values_are_named():
    with pytest.raises(InputError, match=r"^parameters: found alpha = 2, expected less than or equal to 1$"):
        run_config({"alpha": 2})


def test_log_lines_of_the_library_get_through(capsys):
    run_config({})
    logging.getLogger("hybridlib.training").info("step 1 of 2")
    logging.getLogger("other").info("chatter")
    assert capsys.readouterr().out == "step 1 of 2\n"


@pytest.fixture
def clock(monkeypatch):
    moments = iter([10.0, 12.5, 100.0, 100.25])
    monkeypatch.setattr(notebook.time, "perf_counter", lambda: next(moments))


def test_time_is_taken(clock):
    seconds = {"load": 1.0}
    with timed(seconds, "train"):
        pass
    assert seconds == {"load": 1.0, "train": 2.5}


def test_times_add_up(clock):
    seconds = {}
    for _ in range(2):
        with timed(seconds, "train"):
            pass
    assert seconds == {"train": 2.75}


def test_time_is_wall_time():
    seconds = {}
    with timed(seconds, "nap"):
        time.sleep(0.02)
    assert 0.02 <= seconds["nap"] < 2


class Batches:
    """A sampler that gives the same batches in every epoch, and remembers which epochs it was set to."""

    def __init__(self, *batches):
        self.batches, self.epochs, self.given = batches, [], 0

    def set_epoch(self, epoch):
        self.epochs.append(epoch)

    def __iter__(self):
        for batch in self.batches:
            self.given += 1
            yield batch


@pytest.fixture
def pairs():
    """Texts 0 to 5 in languages 2 1 0 2 1 0."""
    return Pairs(
        concept=np.arange(6),
        language=np.array([2, 1, 0, 2, 1, 0]),
        is_query=np.ones(6, dtype=bool),
        is_passage=np.ones(6, dtype=bool),
        text=np.arange(6),
        languages=("en", "de", "zh"),
    )


def test_languages_of_batches_are_sorted_and_padded(pairs):
    query, passage = batch_languages(Batches([(0, 1), (2, 3), (1, 4)], [(3, 5), (0, 4)]), pairs, count=8)
    assert query.tolist() == [[0, 1, 2], [2, 2, -1]]
    assert passage.tolist() == [[2, 1, 1], [0, 1, -1]]


def test_first_batches_of_epoch_0_are_shown(pairs):
    sampler = Batches([(0, 0)], [(1, 1)], [(2, 2)])
    query, _ = batch_languages(sampler, pairs, count=2)
    assert query.tolist() == [[2], [1]]
    assert sampler.given == 2


def test_sampler_is_left_at_epoch_0(pairs):
    sampler = Batches([(0, 0)])
    batch_languages(sampler, pairs, count=1)
    assert sampler.epochs[0] == sampler.epochs[-1] == 0
