"""A run that another study has finished: the same configuration on the same data has the same name."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from hybridlib.config import RunConfig
from hybridlib.errors import InputError
from hybridlib.paths import FINISHED, locked, run_folder, study_folder
from hybridlib.results import environment, read_json

_OF_THIS_STUDY = {".lock", "log.txt"}
_LAST = "result.json"
_WEIGHTS = "encoder/model.safetensors"


def finished_elsewhere(study: str, run: str, config: RunConfig, *, encoder: bool = True) -> Path | None:
    """Return the folder of a finished run of this name in another study, with its scores.

    It must have been made with the versions and on the kind of processor of here, so that it is what a run here would
    give; weights out of a local folder may have changed, so a run that starts or learns from one is not found.

    Args:
        study: where it is wanted.
        run: its name, which says configuration and data by their hash.
        config: its configuration.
        encoder: whether the trained weights must be there too, which are not committed as scores are; without them no
            system can be made of the run. A run that has them is preferred.
    """
    weights = {name for stage in config.stages() for name in (stage.encoder, stage.teacher) if name}
    if any(Path(name).exists() for name in weights):
        return None
    reports = study_folder(study).parent
    there = sorted(reports.glob(f"*/runs/{run}"), key=lambda folder: (not (folder / _WEIGHTS).is_file(), folder))
    for folder in there:
        needed = [folder / file for file in (*FINISHED, "index.html")]
        if encoder and config.sampler != "untrained":
            needed.append(folder / _WEIGHTS)
        other = folder.parent.parent.name
        if other == study or not all(file.is_file() for file in needed) or not _is_inside(other, run):
            continue
        if read_json(folder / _LAST).get("environment") == environment(config.threads):
            return folder
    return None


def _is_inside(study: str, run: str) -> bool:
    """Whether a run is in the folder of a study, and no link in it leads out of the reports folder."""
    try:
        run_folder(study, run)
    except InputError:
        return False
    return True


def take_over(source: Path, study: str, run: str) -> Path:
    """Give a study a run that another has finished; its files are linked where the disk can.

    Every file of a run is replaced as a whole when it changes, so two studies may share it. ``result.json`` comes last
    and is copied: what is made of a run is made again when this file is new, and a linked one would be new in both.

    Returns:
        The run's folder.

    Raises:
        InputError: another process is at work on it.
    """
    target = run_folder(study, run)
    lock = locked(target)
    try:
        _link(source, target)
    finally:
        lock.release()
    return target


def _link(source: Path, target: Path) -> None:
    (target / _LAST).unlink(missing_ok=True)
    files = [file for file in source.rglob("*") if file.is_file() and file.name not in _OF_THIS_STUDY]
    for file in sorted(files, key=lambda file: (file.name == _LAST, file)):
        place = target / file.relative_to(source)
        place.parent.mkdir(parents=True, exist_ok=True)
        beside = place.with_name(f".{place.name}.part")
        beside.unlink(missing_ok=True)
        try:
            if file.name == _LAST:
                shutil.copy(file, beside)
            else:
                os.link(file, beside)
        except OSError:
            shutil.copy(file, beside)
        beside.replace(place)
        beside.unlink(missing_ok=True)  # where both were links to one file, a rename leaves both
