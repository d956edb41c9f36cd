import logging
import re
from pathlib import Path

import pytest

from hybridlib import execute
from hybridlib.corpora import scenes
from hybridlib.study import load_study

collect_ignore_glob = ["*/conftest.py"]  # as modules with doctests their names would clash


@pytest.fixture(autouse=True)
def log_level():
    """Leave the level of our logger as it is in a new process: commands set it for theirs."""
    yield
    logging.getLogger("hybridlib").setLevel(logging.NOTSET)


@pytest.fixture
def pages(tmp_path, monkeypatch):
    """A cache of its own, and the arguments of the pages that are asked for."""
    asked = []
    monkeypatch.setenv("HYBRIDLIB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(execute, "execute_evaluation", lambda *given: asked.append(given) or Path("page.html"))
    return asked


@pytest.fixture
def readme_code():
    """The README's blocks of Python."""
    readme = Path(__file__).parents[1] / "README.md"
    return re.findall(r"```python\n(.*?)```", readme.read_text(encoding="utf-8"), re.DOTALL)


@pytest.fixture(scope="module")
def corpus():
    """A small corpus to train on."""
    return scenes.load(count=60, languages=("en", "de", "ru"))


@pytest.fixture(scope="module")
def parts(corpus):
    """Two corpora of other concepts and other languages."""
    chosen = (corpus.concepts[:36], ["en", "de"]), (corpus.concepts[36:], ["ru", "de"])
    return [corpus.select(concepts=concepts, languages=codes) for concepts, codes in chosen]


@pytest.fixture
def study_of(tmp_path):
    """Write a study file and load it."""

    def load(text, name="mine.yaml"):
        file = tmp_path / name
        file.write_text(text, encoding="utf-8")
        return load_study(file)

    return load
