"""Where a study's files are."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from filelock import FileLock, Timeout

from hybridlib.errors import InputError

FINISHED = ("result.json", "scores.parquet")  # files of a run or system that is finished
NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,79}")


def project_folder() -> Path:
    """Return the nearest folder, from the working directory upwards, with ``notebooks/2-train.ipynb`` in it."""
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / "notebooks" / "2-train.ipynb").exists():
            return folder
    raise InputError(f"{here}: found no notebooks/2-train.ipynb here or above, expected the folder of the project")


def reports_folder() -> Path:
    """Return ``$HYBRIDLIB_REPORTS`` if set, else ``reports/`` of the project."""
    named = os.environ.get("HYBRIDLIB_REPORTS")
    return Path(named).expanduser().resolve() if named else project_folder() / "reports"


def study_folder(study: str) -> Path:
    """Return the folder of a study's results, inside the reports folder; no link in it leads out of that."""
    return _inside(reports_folder(), checked_name(study, "study"), deep=False)


def run_folder(study: str, run: str) -> Path:
    """Return the folder of a run's results; no link in it, however deep, leads out of the reports folder."""
    return _inside(study_folder(study) / "runs", checked_name(run, "run"), deep=True)


def system_folder(study: str, system: str) -> Path:
    """Return the folder of a system that is made of finished runs; no link in it leads out of the reports folder."""
    return _inside(study_folder(study) / "systems", checked_name(system, "system"), deep=True)


def is_finished(folder: Path) -> bool:
    """Whether a run, system or evaluation has its result and the scores of its queries, which comparisons need."""
    return all((folder / file).is_file() for file in FINISHED)


def checked_name(name: str, what: str) -> str:
    """Return a name that is safe as part of a path, else raise."""
    if not isinstance(name, str) or not NAME.fullmatch(name) or ".." in name:
        raise InputError(f"{what}: found the name {name!r}, expected {NAME.pattern}")
    return name


def locked(folder: Path) -> FileLock:
    """Take a folder for this process, until it ends or releases the lock; a dead process holds none.

    Raises:
        InputError: if another process has it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / ".lock", is_singleton=True)  # so that a notebook cell may run twice
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise InputError(f"{folder}: found another process at work on it, expected one") from None
    return lock


def _inside(parent: Path, name: str, *, deep: bool) -> Path:
    folder, reports = parent / name, reports_folder().resolve()
    for path in chain([folder], _links(folder, deep)):
        if not path.resolve().is_relative_to(reports):
            raise InputError(f"{path}: found a link that leads out of {reports_folder()}, expected a folder inside it")
    return folder


def _links(folder: Path, deep: bool) -> Iterator[Path]:
    for parent, folders, files in os.walk(folder):
        yield from (path for name in (*folders, *files) if (path := Path(parent, name)).is_symlink())
        if not deep:
            return
