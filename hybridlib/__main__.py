"""The command line: ``python -m hybridlib``."""

from __future__ import annotations

import logging
import os
import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer
from huggingface_hub.utils import disable_progress_bars

from hybridlib.corpora.load import CORPORA
from hybridlib.errors import InputError
from hybridlib.paths import is_finished, run_folder, system_folder
from hybridlib.shared_runs import finished_elsewhere, take_over
from hybridlib.study import load_study, papermill_command

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Hybrid batching study: plan it, run it, report it.")
StudyFile = Annotated[Path, typer.Argument(help="a study file, such as studies/quick.yaml")]


@app.command()
def plan(study: StudyFile) -> None:
    """List the runs of a study, finished or not, with the command that makes each, and the systems made of them."""
    loaded = load_study(study)
    for run, config in loaded.runs().items():
        state = "finished" if is_finished(run_folder(loaded.name, run)) else "open"
        typer.echo(f"{state:9}{papermill_command(config, loaded.name, run)}")
    for name in loaded.derived():
        state = "finished" if is_finished(system_folder(loaded.name, name)) else "open"
        typer.echo(f"{state:9}{shlex.join(['python', '-m', 'hybridlib', 'derive', str(study), name])}")


@app.command()
def check(study: StudyFile) -> None:
    """Read a study and its data and say what is wrong, before anything is trained."""
    from hybridlib.study_data import check_data

    loaded = load_study(study)
    check_data(loaded)
    typer.echo(f"{study}: {len(loaded.configs)} runs, their texts read, nothing found wrong")


@app.command()
def run(study: StudyFile, name: Annotated[str, typer.Argument(help="a run, as `plan` names it")]) -> None:
    """Execute one run of a study: notebooks/2-train.ipynb through papermill, then its page.

    A run that another study has finished is taken over: the same configuration on the same data has the same name. One
    that this study has finished is made again.
    """
    from hybridlib.execute import execute_run  # papermill and nbconvert take a second to import

    loaded = load_study(study)
    runs = loaded.runs()
    if name not in runs:
        raise InputError(f"run: found {name!r}, expected one of {' '.join(runs)}")
    again = is_finished(run_folder(loaded.name, name))
    used = any(runs[name] in system.parents for system in loaded.derived().values())
    finished = None if again else finished_elsewhere(loaded.name, name, runs[name], encoder=used)
    if finished is not None:
        typer.echo(f"{take_over(finished, loaded.name, name) / 'index.html'} (from {finished})")
    else:
        typer.echo(execute_run(loaded.name, name, runs[name]))


@app.command()
def derive(study: StudyFile, name: Annotated[str, typer.Argument(help="a system, as `plan` names it")]) -> None:
    """Make one system of a study of its finished runs: weights averaged, vectors debiased; then test it."""
    from hybridlib import derive_command as command

    logging.getLogger("papermill").setLevel(logging.WARNING)
    command.derive(load_study(study), name, typer.echo)


@app.command()
def report(study: StudyFile) -> None:
    """Compare the runs of a study: notebooks/3-compare.ipynb through papermill, then reports/STUDY/index.html."""
    from hybridlib.execute import execute_comparison

    typer.echo(execute_comparison(load_study(study)))


@app.command()
def findings() -> None:
    """Tell the story of all reported studies: notebooks/5-findings.ipynb through papermill, then reports/index.html."""
    from hybridlib.execute import execute_findings

    typer.echo(execute_findings())


@app.command()
def similarities(
    corpus: Annotated[str, typer.Option(help=f"what batches are drawn from: {CORPORA}")] = "scenes",
    concepts: Annotated[int, typer.Option(min=32, help="how many of its concepts")] = 600,
) -> None:
    """Show how contrastive training moves similarities: notebooks/4-similarities.ipynb through papermill."""
    from hybridlib.execute import execute_similarities

    typer.echo(execute_similarities(corpus, concepts))


@app.command()
def evaluate(
    out: Annotated[Path, typer.Option(help="folder for tables, figures and the page")],
    encoder: Annotated[str | None, typer.Option(help="hub id, local folder, bundled:<name> or tiny")] = None,
    embeddings: Annotated[Path | None, typer.Option(help="folder with queries.npy, passages.npy and their ids")] = None,
    run: Annotated[
        Path | None, typer.Option(help="a training run's folder; --corpus: its encoder on other texts")
    ] = None,
    corpus: Annotated[str | None, typer.Option(help=f"what to test on, by default scenes: {CORPORA}")] = None,
    languages: Annotated[str, typer.Option(help="codes with commas; default: all")] = "",
    settings: Annotated[str, typer.Option(help="monolingual,crosslingual,multilingual; default: all")] = "",
    measures: Annotated[str, typer.Option(help="such as nDCG@20,AP,R@100")] = "",
    debias: Annotated[str, typer.Option(help="centring,shift,lir: any of them, fitted on other texts")] = "",
    fit_concepts: Annotated[int, typer.Option(min=1, help="concepts to fit debiasing on, not tested on")] = 200,
    label: Annotated[str, typer.Option(help="how tables call it; default: the encoder's name")] = "",
    seed: Annotated[int | None, typer.Option(min=0, help="of the training that made --encoder or --embeddings")] = None,
    revision: Annotated[str | None, typer.Option(help="branch, tag or commit of a hub id")] = None,
    max_length: Annotated[int | None, typer.Option(min=4, help="tokens a text; default: 128")] = None,
    precision: Annotated[str | None, typer.Option(help="auto, bfloat16 or float32; default: auto")] = None,
    query_prefix: Annotated[str | None, typer.Option(help="put before a query; default: as the encoder says")] = None,
    passage_prefix: Annotated[str | None, typer.Option(help="put before a passage, likewise")] = None,
    threads: Annotated[int, typer.Option(min=0, help="threads of torch; 0: all")] = 0,
    trec_depth: Annotated[int, typer.Option(min=0, help="write TREC runs with so many passages a query; 0: none")] = 0,
) -> None:
    """Evaluate an encoder, precomputed vectors, or a training run: measures, language bias, geometry, one page."""
    from hybridlib import evaluate_command as command

    logging.getLogger("papermill").setLevel(logging.WARNING)
    command.evaluate(
        command.Request(
            out=out,
            encoder=encoder,
            embeddings=embeddings,
            run=run,
            corpus=corpus,
            languages=_list(languages),
            settings=_list(settings),
            measures=_list(measures),
            debias=_list(debias),
            fit_concepts=fit_concepts,
            label=label,
            seed=seed,
            revision=revision,
            max_length=max_length,
            precision=precision,
            query_prefix=query_prefix,
            passage_prefix=passage_prefix,
            threads=threads,
            trec_depth=trec_depth,
        ),
        typer.echo,
    )


@app.command()
def compare(
    folders: Annotated[list[Path], typer.Argument(help="folders that `evaluate` wrote")],
    out: Annotated[Path, typer.Option(help="folder for comparisons.csv, figures and the page")],
) -> None:
    """Compare evaluated systems with significance: by concept and, where they have some, by seed; Holm; intervals."""
    from hybridlib import evaluate_command as command

    logging.getLogger("papermill").setLevel(logging.WARNING)
    command.compare(folders, out, typer.echo)


@app.command()
def train(
    parameters: Annotated[Path, typer.Argument(help="YAML of parameters, such as presets/hybrid_2408_10536.yaml")],
    out: Annotated[Path, typer.Option(help="folder of the run: new, or one where it was begun")],
    changes: Annotated[list[str] | None, typer.Option("--set", help="name=value instead of the file's; repeat")] = None,
    timeout: Annotated[int, typer.Option(min=1, help="seconds until another process that hangs is given up")] = 60,
) -> None:
    """Train and test one configuration; on several processes: torchrun --nproc-per-node N -m hybridlib train ...

    Batches do not depend on the number of processes; chunk_tokens and threads are of each. Each takes a GPU if there
    are any.
    """
    from hybridlib import train_command as command

    command.train(parameters, out, changes or [], timeout, typer.echo)


@app.command()
def texts(
    out: Annotated[Path, typer.Option(help="folder for queries.jsonl and passages.jsonl")],
    corpus: Annotated[str, typer.Option(help=f"what to test on: {CORPORA}")] = "scenes",
    languages: Annotated[str, typer.Option(help="codes with commas; default: all")] = "",
) -> None:
    """Write the texts of a collection with their ids, to be embedded by any system; see `evaluate --embeddings`."""
    from hybridlib.corpora.load import load_collection
    from hybridlib.vectors import write_texts

    write_texts(out, load_collection(corpus, _list(languages)))


@app.command()
def average(
    first: Annotated[Path, typer.Argument(help="folder of a run or an encoder")],
    second: Annotated[Path, typer.Argument(help="another, of the same shape and vocabulary")],
    out: Annotated[Path, typer.Option(help="new folder for the encoder")],
    weight: Annotated[float, typer.Option(min=0, max=1, help="share of the second")] = 0.5,
) -> None:
    """Interpolate the weights of two encoders, such as a monolingual and a cross-lingual run."""
    from hybridlib.averaging import average

    average(first, second, out, weight)


def _list(text: str) -> list[str] | None:
    """Split at commas; nothing is None."""
    return [part.strip() for part in text.split(",") if part.strip()] or None


def main() -> None:
    """Run the command line; bad input ends with its one message and exit code 2."""
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    # transformers reads both when it is imported; that takes seconds, so it is left to the commands that need it.
    disable_progress_bars()
    os.environ["TRANSFORMERS_VERBOSITY"] = "error"
    try:
        app()
    except InputError as error:
        typer.echo(f"error: {error}", err=True)
        raise SystemExit(2) from None


if __name__ == "__main__":
    main()
