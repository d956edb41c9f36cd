"""MIRACL and collections in the same form: human queries on Wikipedia in 18 languages (arXiv 2210.09984).

Read are MTEB's Parquet editions on the Hugging Face hub, each at one commit. A language has three configurations:
``ar-corpus`` (``_id`` or ``id``, ``text`` and mostly ``title``), ``ar-queries`` (``_id`` or ``id``, ``text``) and
``ar-qrels`` (``query-id``, ``corpus-id``, ``score``). Queries are in one language each and not parallel, so the setting
is monolingual. A passage is its article's title, a space and its text, as MTEB encodes it. The passages stay on disk:
English has 32.9 million, 8 GB to download, 30 GB as Arrow. Judgements are under Apache 2.0, texts under CC BY-SA.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from datasets import Dataset, concatenate_datasets

from hybridlib.corpora.collection import Collection
from hybridlib.corpora.hub import Rows, check_columns, hub_rows, hub_split, pinned
from hybridlib.errors import InputError

SOURCE = "mteb/MIRACLRetrieval"
HARD_NEGATIVES = "mteb/MIRACLRetrievalHardNegatives"
REVISIONS = {
    SOURCE: "9c09abc13478308c27598f350e31d8f06b9b5481",
    HARD_NEGATIVES: "d7d94fa4b946cec4a27c84653aa0cf6b33f74a3c",
}
_NAMES = {SOURCE: "miracl", HARD_NEGATIVES: "miracl-hard-negatives"}
_TREC = "miracl-v1.0-{language}/{what}/{what}.miracl-v1.0-{language}-{split}.tsv"
_BATCH = 10_000


def load(
    languages: Sequence[str],
    *,
    source: str = SOURCE,
    revision: str | None = None,
    split: str = "dev",
    trec: str | Path | None = None,
) -> Collection:
    """Load one or several languages; a query's concept is its own id.

    Where there are several, every id has its language in front (``ar/26569#0``). Queries that are not judged are left
    out; a passage without text is kept.

    Args:
        languages: codes in the names of the configurations (``ar``, ``bn``, …).
        source: a repository of the hub in the form above, such as :data:`HARD_NEGATIVES` (the best 250 passages a query
            of three rankers), or a local folder of that form.
        revision: its commit; may be left out for those in :data:`REVISIONS` and for a folder.
        split: of the judgements; queries and passages are read from the split of that name, or from their only one.
        trec: a folder with queries and judgements in place of those of ``source``, in the layout of the hub's
            ``miracl/miracl`` (which asks for a log-in): ``miracl-v1.0-ar/topics/topics.miracl-v1.0-ar-dev.tsv`` (id
            and text) and ``miracl-v1.0-ar/qrels/qrels.miracl-v1.0-ar-dev.tsv`` (query, Q0, passage, relevance).

    Raises:
        InputError: naming repository, configuration, row or line and value: for what cannot be read, an id that stands
            twice, and a judgement of a query or passage that is not there.
    """
    languages = list(dict.fromkeys(languages))
    if not languages:
        raise InputError("miracl: found no language, expected one at least")
    commit = pinned(source, revision, REVISIONS)
    queries, qrels, passages = [], [], []
    for language in languages:
        prefix = f"{language}/" if len(languages) > 1 else ""
        asked, judged = (
            _hub_rows(source, language, commit, split) if trec is None else _trec_rows(Path(trec), language, split)
        )
        queries += [(prefix + key, language, text) for _, (key, text) in asked]
        qrels += [(prefix + query, prefix + key, _relevance(score, at), at) for at, (query, key, score) in judged]
        passages.append(_passages(source, language, commit, split, prefix))
    return _collection(
        pd.DataFrame(queries, columns=["id", "language", "text"], dtype="str"),
        concatenate_datasets(passages),
        pd.DataFrame(qrels, columns=["query", "passage", "relevance", "where"]),
        _NAMES.get(source, Path(source).name),
    )


def _hub_rows(source: str, language: str, commit: str | None, split: str) -> tuple[Rows, Rows]:
    asked, judged = f"{language}-queries", f"{language}-qrels"
    queries = hub_split(source, asked, commit, split, or_the_only_one=True)
    qrels = hub_split(source, judged, commit, split)
    return (
        hub_rows(queries, ("id", "text"), f"{source} {asked}"),
        hub_rows(qrels, ("query-id", "corpus-id", "score"), f"{source} {judged}"),
    )


def _trec_rows(folder: Path, language: str, split: str) -> tuple[Rows, Rows]:
    topics, qrels = (folder / _TREC.format(language=language, what=what, split=split) for what in ("topics", "qrels"))
    return _fields(topics, "\t", (0, 1)), _fields(qrels, None, (0, 2, 3))


def _fields(path: Path, separator: str | None, wanted: tuple[int, ...]) -> Rows:
    """Yield ``("file:line", the wanted fields)``; a line has as many as the last of them says."""
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: found no text in UTF-8 ({error}), expected TREC's topics or qrels") from error
    for number, line in enumerate(lines, start=1):
        fields = line.strip().split(separator)
        if line.strip() and len(fields) != wanted[-1] + 1:
            raise InputError(f"{path}:{number}: found {len(fields)} fields, expected {wanted[-1] + 1}")
        if line.strip():
            yield f"{path}:{number}", [fields[field] for field in wanted]


def _relevance(value: str, where: str) -> int:
    if not re.fullmatch(r"-?[0-9]+(\.0)?", value):
        raise InputError(f"{where}: found relevance {value!r}, expected an integer")
    return int(float(value))


def _passages(source: str, language: str, commit: str | None, split: str, prefix: str) -> Dataset:
    """Return ``id``, ``language``, ``text`` of a corpus, written to disk batch by batch."""
    table = hub_split(source, f"{language}-corpus", commit, split, or_the_only_one=True)
    where = f"{source} {language}-corpus"
    check_columns(table, ("id", "text"), where)
    joined = table.with_format("arrow").map(
        _joined,
        batched=True,
        batch_size=_BATCH,
        remove_columns=table.column_names,
        fn_kwargs={"language": language, "prefix": prefix, "where": where},
        desc=where,
    )
    return joined.with_format(None)


def _joined(batch: pa.Table, language: str, prefix: str, where: str) -> pa.Table:
    if batch["id"].null_count:
        raise InputError(f"{where}: found a passage without an id, expected one each")
    key = pc.binary_join_element_wise(prefix, pc.cast(batch["id"], pa.string()), "")
    parts = [column for column in ("title", "text") if column in batch.column_names]
    texts = (pc.fill_null(pc.cast(batch[part], pa.string()), "") for part in parts)
    text = pc.utf8_trim_whitespace(pc.binary_join_element_wise(*texts, " "))
    return pa.table({"id": key, "language": pa.repeat(language, len(batch)), "text": text})


def _collection(queries: pd.DataFrame, passages: Dataset, qrels: pd.DataFrame, name: str) -> Collection:
    twice = queries["id"].duplicated()
    if twice.any():
        raise InputError(f"{name}: found query id {queries['id'][twice].iloc[0]!r} twice, expected different ids")
    judged = queries["id"].isin(set(qrels["query"]))
    queries = queries[judged].assign(concept=queries["id"]).reset_index(drop=True)
    positions = {
        "query": pd.Index(queries["id"]).get_indexer(pd.Index(qrels["query"])),
        "passage": _positions(passages, qrels["passage"].to_numpy(dtype=object), name),
    }
    for what, position in positions.items():
        unknown = np.flatnonzero(position < 0)
        if len(unknown):
            row = qrels.iloc[unknown[0]]
            raise InputError(f"{row['where']}: found {what} {row[what]!r}, expected the id of a {what} that is there")
    relevance = qrels["relevance"].to_numpy(dtype=np.int64)
    return Collection(queries, passages, pd.DataFrame({**positions, "relevance": relevance}), name)


def _positions(passages: Dataset, ids: np.ndarray, name: str) -> np.ndarray:
    """Return int64 [ids]: the row of ``passages`` with each id, -1 where there is none; they are read in batches."""
    wanted, which = np.unique(ids, return_inverse=True)
    values = pa.array(wanted, type=pa.string())
    rows = np.full(len(wanted), -1, dtype=np.int64)
    times = np.zeros(len(wanted), dtype=np.int64)
    start = 0
    for batch in passages.select_columns(["id"]).with_format("arrow").iter(batch_size=10 * _BATCH):
        hits = pc.index_in(batch["id"], value_set=values)
        found = pc.drop_null(hits).to_numpy()
        rows[found] = start + np.flatnonzero(pc.is_valid(hits))
        times += np.bincount(found, minlength=len(wanted))
        start += len(batch)
    if (times > 1).any():
        raise InputError(f"{name}: found passage id {wanted[times > 1][0]!r} twice, expected different ids")
    return rows[which]
