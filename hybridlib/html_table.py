"""A table of ready strings as HTML: two heads above a column, and rows in groups, where names have two parts."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from itertools import groupby
from typing import Any

import pandas as pd

from hybridlib.plain_text import html_text

_SHORT = 26  # characters of a number with its interval, which is not broken into lines
_LONG = 40  # characters above which a column is read as prose
PROSE = ' class="words"'
TEXT = ' class="text"'


def html_table(content: pd.DataFrame) -> str:
    """Return a table; a cell that starts with ``*`` is printed bold, everything is escaped.

    Args:
        content: strings. Columns of two levels get the first as a head above all that share it; of an index of two
            levels the first stands in a row of its own above its group.
    """
    kinds = [_kind([str(value) for value in content.iloc[:, place]]) for place in range(content.shape[1])]
    body = "".join(
        f"<tbody>{_group_head(group, content.shape[1])}"
        f"{''.join(_row(name, row, kinds) for (_, name), row in rows)}</tbody>"
        for group, rows in groupby(
            zip(map(group_and_name, content.index), content.to_numpy(), strict=True), key=lambda row: row[0][0]
        )
    )
    return f"<table><thead>{_heads(content, kinds)}</thead>{body or '<tbody></tbody>'}</table>"


def group_and_name(name: Hashable) -> tuple[str, str]:
    """Return both parts of a name; one that has one part has no group."""
    return (str(name[0]), str(name[1])) if isinstance(name, tuple) else ("", str(name))


def spans(names: Iterable[tuple[str, str]]) -> list[tuple[str, int]]:
    """Return each first part of names, and how many one after the other share it."""
    return [(first, len(list(same))) for first, same in groupby(first for first, _ in names)]


def _kind(values: list[str]) -> str:
    """Return the class of a column: prose, where a value is long, or text, where all are words; none for numbers."""
    if any(len(value) > _LONG for value in values):
        return PROSE
    said = [value.removeprefix("*") for value in values if value not in ("", "–")]
    return TEXT if said and all(value[:1].isalpha() for value in said) else ""


def _heads(content: pd.DataFrame, kinds: list[str]) -> str:
    names = [group_and_name(name) for name in content.columns]
    corner = html_text(" / ".join(str(name) for name in content.index.names if name))
    upper = ""
    if any(first for first, _ in names):
        cells = "".join(f'<th class="group" colspan="{span}">{_broken(first)}</th>' for first, span in spans(names))
        upper = f"<tr><td></td>{cells}</tr>"
    lower = "".join(f"<th{kind}>{_broken(second)}</th>" for (_, second), kind in zip(names, kinds, strict=True))
    return f"{upper}<tr><th>{corner}</th>{lower}</tr>"


def _group_head(group: str, columns: int) -> str:
    return f'<tr><th class="group" colspan="{columns + 1}">{html_text(group)}</th></tr>' if group else ""


def _row(name: str, row: Any, kinds: list[str]) -> str:
    cells = "".join(_cell(str(value), kind) for value, kind in zip(row, kinds, strict=True))
    return f"<tr><th>{html_text(name)}</th>{cells}</tr>"


def _broken(name: str) -> str:
    """Return a head that may be broken after an underscore, as in same_language_share@10."""
    return html_text(name).replace("_", "_<wbr>")


def _cell(value: str, kind: str) -> str:
    text = html_text(value.removeprefix("*"))
    if not kind and len(text) <= _SHORT and not text[:1].isalpha():
        kind = ' class="whole"'
    return f"<td{kind}><strong>{text}</strong></td>" if value.startswith("*") else f"<td{kind}>{text}</td>"
