from pathlib import Path

import pytest

from hybridlib import evaluate_command

collect_ignore_glob = ["*/conftest.py"]  # as modules with doctests their names would clash


@pytest.fixture
def pages(tmp_path, monkeypatch):
    """A cache of its own, and the arguments of the pages that are asked for."""
    asked = []
    monkeypatch.setenv("HYBRIDLIB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(evaluate_command, "execute_evaluation", lambda *given: asked.append(given) or Path("page.html"))
    return asked
