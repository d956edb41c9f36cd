"""The rankings of a system as TREC files, for trec_eval, ir_measures and everything that reads them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from hybridlib import trec
from hybridlib.corpora.collection import Collection
from hybridlib.evaluation import rows_at
from hybridlib.retrieval import exact_ranks
from hybridlib.system import Embedded


def check_ids(folder: Path, collection: Collection) -> None:
    """Raise InputError for an id that a file in ``folder`` cannot hold: empty or with whitespace."""
    trec.checked_names(folder, "query id", collection.queries["id"].tolist())
    trec.checked_names(folder, "passage id", collection.passages["id"][:])


def export_runs(folder: Path, system: Embedded, depth: int, tag: str) -> None:
    """Write the pooled ranking, the rankings inside each language, and the qrels.

    Files: ``multilingual.run.gz`` (every query, all passages), ``monolingual-<language>.run.gz`` (the queries of a
    language, its passages) and ``qrels.gz`` (all judgements; to score a monolingual run, keep those of its passages).

    Args:
        folder: made where it is missing.
        system: vectors of a collection.
        depth: passages a query; fewer where a pool has fewer.
        tag: the run's name in the files.

    Raises:
        InputError: for an id with whitespace, which TREC's form cannot hold.
    """
    collection = system.collection
    check_ids(folder, collection)
    folder.mkdir(parents=True, exist_ok=True)
    query_ids, passage_ids = collection.queries["id"].tolist(), collection.passages["id"][:]
    qrels = collection.qrels
    trec.write_qrels(
        folder / "qrels.gz",
        query_ids,
        passage_ids,
        qrels["query"].to_numpy(),
        qrels["passage"].to_numpy(),
        qrels["relevance"].to_numpy(),
    )
    everything = np.arange(len(query_ids)), np.arange(len(passage_ids))
    parts = {"multilingual": everything} if "multilingual" in collection.settings else {}
    for code, language in enumerate(collection.languages):
        chosen = np.flatnonzero(collection.query_language == code), np.flatnonzero(collection.passage_language == code)
        if all(map(len, chosen)):
            parts[f"monolingual-{language}"] = chosen
    for name, (queries, passages) in parts.items():
        nothing = np.empty(0, dtype=np.int64)
        ranks = exact_ranks(
            rows_at(system.queries, queries),
            rows_at(system.passages, passages),
            np.zeros(len(passages), dtype=np.int64),
            nothing,
            nothing,
            itself=collection.itself_among(queries, passages),
            order=collection.tie_order[passages],
            depth=min(depth, len(passages)),
        )
        trec.write_run(
            folder / f"{name}.run.gz",
            [query_ids[i] for i in queries],
            [passage_ids[i] for i in passages],
            ranks.top,
            ranks.top_scores,
            tag,
        )
