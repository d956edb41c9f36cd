"""What ``python -m hybridlib evaluate`` and ``compare`` do."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from hybridlib.compared_results import compare_results, means_of_results
from hybridlib.corpora.collection import Collection
from hybridlib.corpora.holdout import held_out
from hybridlib.corpora.load import load_collection
from hybridlib.encoders.embedding_cache import cached_text_vectors
from hybridlib.encoders.encoder import DualEncoder
from hybridlib.errors import InputError
from hybridlib.evaluate_request import ENCODER_OPTIONS, Request
from hybridlib.measures import DEFAULT
from hybridlib.notebook import timed
from hybridlib.page_needs import why_no_page
from hybridlib.results import Results, environment, systems, write_csv, write_results
from hybridlib.runs import Run
from hybridlib.splits import fit_corpus, run_splits
from hybridlib.system import Embedded, evaluate_system
from hybridlib.tables import significance_table
from hybridlib.trec_export import export_runs
from hybridlib.vectors import read_vectors

Say = Callable[[str], object]


@dataclass
class _Loaded:
    """A system ready to be tested, and what ``result.json`` says of it."""

    label: str
    test: Embedded
    fit: Embedded | None
    about: dict[str, Any] = field(default_factory=dict)


def evaluate(request: Request, say: Say) -> Path | None:
    """Evaluate a system, write results and page into ``request.out``, and ``say`` the means.

    Returns:
        The page; None where :func:`hybridlib.page_needs.why_no_page` has a reason, which is said as well.

    Raises:
        InputError: for a system, a collection or a combination that cannot be evaluated, and for the folder of a run;
            nothing is written then.
    """
    _check_out(request.out)
    seconds: dict[str, float] = {}
    if request.threads:
        torch.set_num_threads(request.threads)
    with timed(seconds, "embed"):
        loaded = _run(request) if request.run and request.corpus is None else _system(request)
    with timed(seconds, "evaluate"):
        evaluated = evaluate_system(
            loaded.test,
            loaded.fit,
            request.debias or (),
            measures=request.measures or DEFAULT,
            settings=request.settings,
        )
    with timed(seconds, "geometry"):
        geometry = {name: system.geometry() for name, (system, _) in evaluated.items()}
    (request.out / "result.json").unlink(missing_ok=True)  # it says that all else is there
    shutil.rmtree(request.out / "trec", ignore_errors=True)  # of what was evaluated here before
    if request.trec_depth:
        for name, (system, _) in evaluated.items():
            export_runs(request.out / "trec" / name, system, request.trec_depth, name)
    result = write_results(
        request.out,
        {name: evaluation for name, (_, evaluation) in evaluated.items()},
        geometry,
        {
            "label": loaded.label,
            "seed": request.seed,
            **loaded.about,
            "collection": loaded.test.collection.described(),
            "fitted_on": loaded.fit.collection.described() if loaded.fit and request.debias else None,
            "settings": list(request.settings or loaded.test.collection.settings),
            "measures": list(request.measures or DEFAULT),
            "seconds": {name: round(value, 2) for name, value in seconds.items()},
            "environment": environment(torch.get_num_threads()),
        },
    )
    say(_means(result).to_string(float_format="{:.3f}".format))
    return _page([request.out], request.out, f"{loaded.label} on {loaded.test.collection.name}", say)


def compare(folders: Sequence[Path], out: Path, say: Say) -> Path | None:
    """Compare the systems of several results with significance, ``say`` the differences, and write the page.

    Returns:
        The page; None where it is left out, as by :func:`evaluate`.

    Raises:
        InputError: for results of other measures or another collection, for fewer than two systems, and for the folder
            of a run.
    """
    _check_out(out)
    results = [Results.read(folder) for folder in folders]
    measures = dict.fromkeys(" ".join(one.result["measures"]) for one in results)
    if len(measures) > 1:
        raise InputError(f"compare: found the measures {', and '.join(measures)}, expected the same in all results")
    collections = {one.result["collection"]["fingerprint"]: one for one in results}
    if len(collections) > 1:
        said = ", and ".join(f"{mark[:16]} ({one.folder})" for mark, one in collections.items())
        raise InputError(f"compare: found results on the test collections {said}, expected one in all results")
    found = systems(results)
    if len(found) < 2:
        raise InputError(f"compare: found one system, {', '.join(found)}, expected two at least")
    compared = compare_results(results)
    out.mkdir(parents=True, exist_ok=True)
    write_csv(out / "comparisons.csv", compared)
    write_csv(out / "means.csv", means_of_results(results))
    say(significance_table(compared).replace(r"^\*", "", regex=True).to_string())
    say("Holm p: corrected within a measure of a setting; wins, ties, losses: of language pairs, at p < 0.05")
    return _page(folders, out, " · ".join(found), say)


def _check_out(out: Path) -> None:
    """Refuse the folder of a run, an encoder or a study: its results would be lost, and it would still count as one."""
    for file in ("config.json", "study.json"):
        if (out / file).exists():
            raise InputError(f"out: found the {file} of another kind of result in {out}, expected a folder of its own")


def _system(request: Request) -> _Loaded:
    """Embed a collection by an encoder, or take its vectors from files; hold concepts out where something is fitted."""
    collection = load_collection(request.corpus or "scenes", request.languages)
    silent = [code for code in request.languages or () if code not in set(collection.queries["language"])]
    if silent:
        raise InputError(
            f"languages: found no query in {silent[0]!r} in {collection.name}, expected queries in every language "
            "named (where none is named, passages of a language without queries stay in the pool)"
        )
    tested = collection
    if request.debias:
        try:
            held = held_out(collection, request.fit_concepts)
        except InputError as error:
            raise InputError(f"fit-concepts: {error}") from None
        tested = collection.kept(~held[0], ~held[1])
    request.check(tested)
    if request.embeddings is not None:
        queries = read_vectors(request.embeddings, "query", collection.queries["id"].tolist())
        passages = read_vectors(request.embeddings, "passage", collection.passages["id"][:])
        test = Embedded(collection, queries, passages)
        name = request.embeddings.name
        about: dict[str, Any] = {"embeddings": str(request.embeddings)}
    else:
        encoder, name, about = _encoder(request)
        test = _embedded(encoder, collection)
    fit = None
    if request.debias:
        fit, test = test.divided(request.fit_concepts)
    return _Loaded(request.label or name, test, fit, about)


def _encoder(request: Request) -> tuple[DualEncoder, str, dict[str, Any]]:
    """Load an encoder, or that of a training run; return it with its label and what ``result.json`` says of it."""
    given = {option: getattr(request, option) for option in ENCODER_OPTIONS}
    options = {option: value for option, value in given.items() if value is not None}
    if request.run is None:
        name = str(request.encoder)
        encoder = DualEncoder.load_whole(name, **options)
        return encoder, name, {"encoder": name, "revision": request.revision, **_reading(encoder)}
    run = Run.read(request.run)
    encoder = _encoder_of(run, **options)
    return encoder, run.label, {"encoder": None, **_of(run), **_reading(encoder)}


def _reading(encoder: DualEncoder) -> dict[str, Any]:
    """Say how an encoder reads a text."""
    return {"max_length": encoder.max_length, "prefixes": encoder.prefixes}


def _encoder_of(run: Run, **options: Any) -> DualEncoder:
    """Load the encoder of a run, which has none of its own where nothing is trained."""
    config = run.config
    if config.sampler == "untrained":
        return DualEncoder.load_whole(config.encoder, **{**config.encoder_options(), **options})
    options = {"max_length": config.max_length, "precision": config.precision, **options}
    return DualEncoder.load_whole(str(run.folder / "encoder"), **options)


def _of(run: Run) -> dict[str, Any]:
    """Say of which run an encoder is; where nothing is trained there is no seed."""
    seed = run.config.seed if run.config.sampler != "untrained" else None
    configuration = run.config.model_dump(mode="json", exclude_defaults=True)
    return {"seed": seed, "run": run.folder.name, "configuration": configuration}


def _run(request: Request) -> _Loaded:
    """Embed the test concepts of a training run by its encoder or another, and texts to fit debiasing on."""
    run = Run.read(Path(str(request.run)))
    config = run.config
    whole = run_splits(config).test
    if whole.fingerprint != run.result["fingerprint"]["test"]:
        raise InputError(f"{run.folder}: found another corpus than the run was tested on, expected the same")
    test = whole.select(languages=request.languages)
    tested = Collection.from_corpus(test)
    request.check(tested)
    fit = fit_corpus(config, request.fit_concepts, test.languages) if request.debias else None
    about = {**_of(run), "encoder": _place(request)}
    if request.encoder is None:
        encoder = _encoder_of(run)
    else:
        encoder = DualEncoder.load_whole(
            request.encoder, revision=request.revision, max_length=config.max_length, precision=config.precision
        )
        about["seed"] = request.seed
    return _Loaded(
        request.label or (run.label if request.encoder is None else Path(request.encoder).name),
        _embedded(encoder, tested),
        _embedded(encoder, Collection.from_corpus(fit)) if fit else None,
        about,
    )


def _place(request: Request) -> str | None:
    """Name the encoder; one beside the results by its place there, as folders move."""
    if request.encoder and Path(request.encoder).is_relative_to(request.out):
        return str(Path(request.encoder).relative_to(request.out))
    return request.encoder


def _embedded(encoder: DualEncoder, collection: Collection) -> Embedded:
    """Embed the texts of a collection, on a GPU if there is one, from the cache where they are there."""
    encoder.to("cuda" if torch.cuda.is_available() else "cpu")
    queries = cached_text_vectors(encoder, collection.queries["text"].tolist(), "query")
    return Embedded(collection, queries, cached_text_vectors(encoder, collection.passages["text"], "passage"))


def _page(folders: Sequence[Path], out: Path, title: str, say: Say) -> Path | None:
    """Write the page of results that stand, or ``say`` why there is none: results are of use without it."""
    reason = why_no_page()
    if reason is not None:
        (out / "index.html").unlink(missing_ok=True)  # of an earlier evaluation
        say(f"results are in {out}, without figures and HTML page: {reason}")
        return None
    from hybridlib.execute import execute_evaluation  # what it imports is in the extra ``study`` alone

    page = execute_evaluation(folders, out, title)
    say(str(page))
    return page


def _means(result: dict[str, Any]) -> pd.DataFrame:
    """Give the means of results, a row a setting and measure, a column a debiasing."""
    columns = {
        name: {(setting, measure): value for setting, values in means.items() for measure, value in values.items()}
        for name, means in result["means"].items()
    }
    return pd.DataFrame(columns).rename_axis(["setting", "measure"])
