"""The cells of an executed notebook as its page has them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

HIDDEN_INPUT = "hide-input"  # the tag of a cell of which the page has the outputs alone


def merged(cells: Iterable[Any]) -> list[Any]:
    """Put the code of cells without outputs before that of the next cell that shows its code, up to a text.

    So there is no fold of code with nothing after it, but where a text, or the end of the notebook, comes first: there
    such code stands together. Cells are those of nbformat, and are changed.
    """
    found: list[Any] = []
    waiting: list[Any] = []
    for cell in cells:
        tags = cell.metadata.get("tags", [])
        if cell.cell_type == "code" and HIDDEN_INPUT in tags:
            found.append(cell)
        elif cell.cell_type == "code" and not cell.outputs:
            waiting.append(cell)
        else:
            if cell.cell_type == "code":
                cell.source = _together([*waiting, cell])
            else:
                found += _one(waiting)
            found.append(cell)
            waiting = []
    return found + _one(waiting)


def _one(cells: list[Any]) -> list[Any]:
    """Return the last of cells, with the code of all."""
    if cells:
        cells[-1].source = _together(cells)
    return cells[-1:]


def _together(cells: list[Any]) -> str:
    return "\n\n".join(cell.source.strip("\n") for cell in cells)
