import logging

import pytest
from notebook_runs import PROJECT, environment


@pytest.fixture
def folders(tmp_path, monkeypatch):
    """Reports and cache of their own; the working directory is the project's."""
    for name, value in environment(tmp_path).items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(PROJECT)
    root, own = logging.getLogger(), logging.getLogger("hybridlib")
    before = root.handlers[:], root.level, own.level
    yield tmp_path
    root.handlers[:], root.level = before[:2]  # a notebook sets up logging for its process
    own.setLevel(before[2])
