"""Figures and tables in a notebook, each with a sentence on how to read it and one on what it shows in this run."""

from __future__ import annotations

import io
from collections.abc import Sequence
from html import escape
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
import PIL.Image
from IPython.display import HTML, Image, Markdown, display
from matplotlib.figure import Figure

from hybridlib.cache import replace_file
from hybridlib.findings import scores_by_setting
from hybridlib.plain_text import visible
from hybridlib.runs import Run
from hybridlib.study import Study, papermill_command


def figure(drawn: Figure, *, alt: str, read: str, finding: str, file: Path | None = None) -> None:
    """Display a figure, then how to read it and what it shows; close it.

    Args:
        drawn: the figure.
        alt: what a reader who cannot see it should know.
        read: a sentence on how to read it.
        finding: a sentence on what it shows in this run, computed from the run's numbers.
        file: where to keep it as PNG as well.
    """
    stream = io.BytesIO()
    drawn.savefig(stream, format="png", dpi=110)
    plt.close(drawn)
    data = small_png(stream.getvalue())
    if file is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
        replace_file(file, data)
    display(Image(data, format="png", alt=alt))
    display(Markdown(f"*How to read it.* {read}\n\n*In this run.* {finding}"))


def small_png(data: bytes) -> bytes:
    """Return a PNG with a palette of 256 colours, a third of the size: plots have few colours, and pages embed many."""
    stream = io.BytesIO()
    with PIL.Image.open(io.BytesIO(data)) as picture:
        picture.convert("RGB").quantize(256, PIL.Image.Quantize.MAXCOVERAGE, dither=PIL.Image.Dither.NONE).save(
            stream, format="png", optimize=True
        )
    return stream.getvalue()


def table(content: pd.DataFrame, *, read: str = "", finding: str = "") -> None:
    """Display a table of ready strings; a cell that starts with ``*`` is printed bold, everything is escaped."""
    head = "".join(f"<th>{_text(str(name))}</th>" for name in [content.index.name or "", *content.columns])
    rows = "".join(
        f"<tr><th>{_text(str(index))}</th>{''.join(_cell(str(value)) for value in row)}</tr>"
        for index, *row in content.itertuples(name=None)
    )
    display(HTML(f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"))
    for name, sentence in (("How to read it.", read), ("In this run.", finding)):
        if sentence:
            display(Markdown(f"*{name}* {sentence}"))


def runs(study: Study, finished: Sequence[Run]) -> None:
    """Display a row a run: a link to its page, its scores, its cost, and the command that makes it again."""
    rows = []
    for run in finished:
        name, means = run.folder.name, run.result["means"]["all"]
        cells = [
            f'<a href="runs/{escape(name)}/index.html">{escape(name)}</a>',
            escape(scores_by_setting(means)),
            f"{means['multilingual']['rank_distance']:,.0f}",
            f"{run.result['seconds'].get('train', 0.0):,.0f}",
            f"<code>{_text(papermill_command(run.config, study.name, name))}</code>",
        ]
        rows.append("<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>")
    head = "".join(f"<th>{name}</th>" for name in ("run", "nDCG@10", "rank distance", "training seconds", "command"))
    display(HTML(f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"))


def _cell(value: str) -> str:
    text = _text(value.removeprefix("*"))
    return f"<td><strong>{text}</strong></td>" if value.startswith("*") else f"<td>{text}</td>"


def _text(value: str) -> str:
    return escape(visible(value))
