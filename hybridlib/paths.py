"""Where a study's files are."""

from __future__ import annotations

import os
import re
from pathlib import Path

from hybridlib.errors import InputError

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
    """Return the folder of a study's results, inside the reports folder."""
    return _inside(reports_folder(), checked_name(study, "study"))


def run_folder(study: str, run: str) -> Path:
    """Return the folder of a run's results."""
    return _inside(study_folder(study) / "runs", checked_name(run, "run"))


def checked_name(name: str, what: str) -> str:
    """Return a name that is safe as part of a path, else raise."""
    if not isinstance(name, str) or not NAME.fullmatch(name) or ".." in name:
        raise InputError(f"{what}: found the name {name!r}, expected {NAME.pattern}")
    return name


def _inside(parent: Path, name: str) -> Path:
    folder = parent / name
    if not folder.resolve().is_relative_to(reports_folder().resolve()):
        raise InputError(f"{folder}: found a link that leads out of {reports_folder()}, expected a folder inside it")
    return folder
