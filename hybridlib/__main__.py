"""The command line: ``python -m hybridlib``."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import Annotated

import typer

from hybridlib.errors import InputError
from hybridlib.study import check_data, load_study, papermill_command, result_file

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Hybrid batching study: plan it, run it, report it.")
StudyFile = Annotated[Path, typer.Argument(help="a study file, such as studies/quick.yaml")]


@app.command()
def plan(study: StudyFile) -> None:
    """List the runs of a study: finished or not, and the papermill command of each."""
    loaded = load_study(study)
    for run, config in loaded.runs().items():
        state = "finished" if result_file(loaded.name, run).exists() else "open"
        typer.echo(f"{state:9}{papermill_command(config, loaded.name, run)}")


@app.command()
def check(study: StudyFile) -> None:
    """Read a study and its data and say what is wrong, before anything is trained."""
    check_data(load_study(study))


@app.command()
def run(study: StudyFile, name: Annotated[str, typer.Argument(help="a run, as `plan` names it")]) -> None:
    """Execute one run of a study: notebooks/2-train.ipynb through papermill, then its page."""
    from hybridlib.execute import execute_run  # papermill and nbconvert take a second to import

    loaded = load_study(study)
    runs = loaded.runs()
    if name not in runs:
        raise InputError(f"run: found {name!r}, expected one of {' '.join(runs)}")
    typer.echo(execute_run(loaded.name, name, runs[name]))


@app.command()
def report(study: StudyFile) -> None:
    """Compare the runs of a study: notebooks/3-compare.ipynb through papermill, then reports/STUDY/index.html."""
    from hybridlib.execute import execute_comparison

    typer.echo(execute_comparison(load_study(study)))


def main() -> None:
    """Run the command line; bad input ends with its one message and exit code 2."""
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    try:
        app()
    except InputError as error:
        typer.echo(f"error: {error}", err=True)
        raise SystemExit(2) from None


if __name__ == "__main__":
    main()
