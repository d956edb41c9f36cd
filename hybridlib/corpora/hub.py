"""Reading a data set of the Hugging Face hub at one commit, or a local folder in the same form."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from datasets import Dataset, load_dataset
from datasets.exceptions import DatasetsError

from hybridlib.corpora.lines import checked_text
from hybridlib.errors import InputError

Rows = Iterator[tuple[str, list[str]]]


def pinned(source: str, revision: str | None, known: dict[str, str]) -> str | None:
    """Return the commit at which ``source`` is read: ``None`` for a local folder, else the one given or known.

    Raises:
        InputError: for a repository of the hub without a commit of 40 hexadecimal digits.
    """
    if Path(source).is_dir():
        return None
    commit = revision or known.get(source)
    if commit is None or not re.fullmatch(r"[0-9a-f]{40}", commit):
        raise InputError(
            f"{source}: found revision {commit!r}, expected the 40 hexadecimal digits of a commit "
            f"(known for {', '.join(known)}), or a local folder as source"
        )
    return commit


def hub_split(source: str, config: str, commit: str | None, split: str, *, or_the_only_one: bool = False) -> Dataset:
    """Return a split of a configuration, from the hub or from a folder in its form, as a table on disk.

    Args:
        source: repository of the hub, or a folder.
        config: name of the configuration.
        commit: as :func:`pinned` gives it.
        split: its name.
        or_the_only_one: take the configuration's split whatever its name if it has a single one.

    Raises:
        InputError: naming source and configuration, for what does not exist or cannot be fetched.
    """
    where = f"{source} {config}"
    try:
        tables = load_dataset(source, config, revision=commit)
    except (DatasetsError, OSError, RuntimeError, ValueError) as error:
        reason = f"{type(error).__name__}: {error}".splitlines()[0]
        raise InputError(
            f"{where}: found no data ({reason}), expected this configuration in a folder or in a repository of the hub"
            f"{f' at {commit}' if commit else ''}"
        ) from error
    if or_the_only_one and len(tables) == 1:
        split = next(iter(tables))
    if split not in tables:
        raise InputError(f"{where}: found no split {split!r}, expected one of {', '.join(tables)}")
    table = tables[split]
    return table.rename_column("_id", "id") if "_id" in table.column_names else table


def hub_rows(table: Dataset, columns: Sequence[str], where: str) -> Rows:
    """Yield ``("where:row", values of the columns as text)``.

    Raises:
        InputError: for a missing column, a null and a blank value.
    """
    check_columns(table, columns, where)
    values = table.select_columns(list(columns))[:]
    for number, row in enumerate(zip(*(values[c] for c in columns), strict=True), start=1):
        place = f"{where}:row {number}"
        yield place, [checked_text(v if v is None else str(v), place, c) for v, c in zip(row, columns, strict=True)]


def check_columns(table: Dataset, columns: Sequence[str], where: str) -> None:
    """Raise unless the table has the columns."""
    missing = [column for column in columns if column not in table.column_names]
    if missing:
        raise InputError(f"{where}: found columns {' '.join(table.column_names)}, expected {missing[0]} among them")
