"""What ``python -m hybridlib derive`` does: a system of a study, made of its finished runs and tested as they were."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from hybridlib.averaging import average
from hybridlib.errors import InputError
from hybridlib.evaluate_command import Request, evaluate
from hybridlib.paths import run_folder, system_folder
from hybridlib.runs import Run
from hybridlib.study import Study


def derive(study: Study, name: str, say: Callable[[str], object]) -> Path | None:
    """Make one of :meth:`hybridlib.study.Study.derived` and evaluate it into its folder; returns its page, if any.

    Raises:
        InputError: if the study has no such system, or a run that it is made of is not finished.
    """
    derived = study.derived()
    if name not in derived:
        raise InputError(f"derive: found {name!r}, expected one of {' '.join(derived) or 'none: the study has none'}")
    system = derived[name]
    runs = {config: run for run, config in study.runs().items()}
    parents = [run_folder(study.name, runs[config]) for config in system.parents]
    for parent in parents:
        Run.read(parent)
    out, encoder = system_folder(study.name, name), None
    if len(parents) > 1:
        encoder = out / "encoder"
        (out / "result.json").unlink(missing_ok=True)  # it says that all else is there
        shutil.rmtree(encoder, ignore_errors=True)
        average(parents[0], parents[1], encoder, system.weight)
    request = Request(
        out=out,
        run=parents[0],
        encoder=str(encoder) if encoder else None,
        debias=system.debias or None,
        label=system.label,
        seed=system.seed if encoder else None,
        threads=system.parents[0].threads,
    )
    return evaluate(request, say)
