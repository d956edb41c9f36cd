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
from hybridlib.html_table import PROSE, html_table
from hybridlib.latex_table import latex_table
from hybridlib.plain_text import html_text
from hybridlib.results import Results, write_csv
from hybridlib.runs import Run
from hybridlib.study import Study, papermill_command

_FEW = 8  # runs that are shown without a click
_PRINTED = 400  # rows of a table that are printed
_LONG = 30  # rows of a table that are read at a glance


def figure(drawn: Figure, *, alt: str, read: str, finding: str, file: Path | None = None) -> None:
    """Display a figure, then how to read it and what it shows; close it.

    Args:
        drawn: the figure.
        alt: what a reader who cannot see it should know.
        read: a sentence on how to read it; empty where a figure before it said so.
        finding: a sentence on what it shows in this run, computed from the run's numbers.
        file: where to keep it as PNG as well.
    """
    data = picture(drawn)
    if file is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
        replace_file(file, data)
    display(Image(data, format="png", alt=alt))
    display(Markdown("\n\n".join(_sentences(read, finding))))


def picture(drawn: Figure) -> bytes:
    """Return a figure as a small PNG, and close it."""
    stream = io.BytesIO()
    drawn.savefig(stream, format="png", dpi=110)
    plt.close(drawn)
    return small_png(stream.getvalue())


def small_png(data: bytes) -> bytes:
    """Return a PNG with a palette of 256 colours, a third of the size: plots have few colours, and pages embed many."""
    stream = io.BytesIO()
    with PIL.Image.open(io.BytesIO(data)) as picture:
        picture.convert("RGB").quantize(256, PIL.Image.Quantize.MAXCOVERAGE, dither=PIL.Image.Dither.NONE).save(
            stream, format="png", optimize=True
        )
    return stream.getvalue()


def table(content: pd.DataFrame, *, read: str = "", finding: str = "", file: Path | None = None) -> None:
    """Display a table of ready strings, as :func:`hybridlib.html_table.html_table` makes it.

    Args:
        content: strings.
        read: a sentence on how to read it.
        finding: a sentence on what it shows in this run.
        file: in the page's folder, ``tables/`` and a name without suffix: where to keep it as CSV and as LaTeX, which
            are then linked.
    """
    display(HTML(html_table(content)))
    _keep(content, file)
    for sentence in _sentences(read, finding):
        display(Markdown(sentence))


def long_table(content: pd.DataFrame, *, read: str = "", finding: str = "", file: Path | None = None) -> None:
    """Display a table whose rows may be many: more than thirty are folded into a line that says how many.

    Args:
        content: see :func:`table`, as for all else.
        read: a sentence on how to read it.
        finding: a sentence on what it shows in this run.
        file: where to keep it.
    """
    if len(content) <= _LONG:
        table(content, read=read, finding=finding, file=file)
        return
    display(HTML(_folded(f"{len(content)} rows", html_table(content))))
    _keep(content, file)
    for sentence in _sentences(read, finding):
        display(Markdown(sentence))


def _keep(content: pd.DataFrame, file: Path | None) -> None:
    """Keep a table as CSV and as LaTeX, and display links to them, if it has a place."""
    if file is None:
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    plain = content.map(lambda value: str(value).removeprefix("*"))
    if plain.columns.nlevels > 1:
        plain.columns = pd.Index([" ".join(filter(None, reversed(name))) for name in plain.columns])
    write_csv(file.with_name(f"{file.name}.csv"), plain.reset_index())
    replace_file(file.with_name(f"{file.name}.tex"), latex_table(content).encode())
    place = f"{escape(file.parent.name)}/{escape(file.name)}"
    links = f'<a href="{place}.csv">CSV</a> <a href="{place}.tex">LaTeX</a>'
    display(HTML(f'<p class="download">{html_text(file.name)}: {links}</p>'))


def folded_table(content: pd.DataFrame, *, summary: str, read: str) -> None:
    """Display a line that opens to a long table and how to read it; on paper it is open, unless it would fill a book.

    Args:
        content: see :func:`table`.
        summary: what the line says.
        read: a sentence on how to read it.
    """
    kind = "folded unprinted" if len(content) > _PRINTED else "folded"
    said = f"<p><em>How to read it.</em> {html_text(read)}</p>{html_table(content)}"
    display(HTML(_folded(summary, said, kind)))


def _folded(summary: str, content: str, kind: str = "folded") -> str:
    return f'<details class="{kind}"><summary>{html_text(summary)}</summary>{content}</details>'


def _sentences(read: str, finding: str) -> list[str]:
    return [f"*{name}* {said}" for name, said in (("How to read it.", read), ("Result.", finding)) if said]


def runs(study: Study, finished: Sequence[Run]) -> None:
    """Display a row a run: a link to its page, its scores, its cost, and the command that makes it again.

    More than eight are folded into a line.
    """
    rows = []
    for run in finished:
        name, means = run.folder.name, run.result["means"]["all"]
        link = f'<a href="runs/{escape(name)}/index.html">{escape(name)}</a>'
        cells = [
            f"{means['multilingual']['rank_distance']:,.0f}",
            f"{run.result['seconds'].get('train', 0.0):,.0f}",
            f"<code>{html_text(papermill_command(run.config, study.name, name))}</code>",
        ]
        scores = f"<td{PROSE}>{escape(scores_by_setting(means))}</td>"
        rows.append(f"<tr><th>{link}</th>{scores}{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>")
    head = f"<th>run</th><th{PROSE}>nDCG@10</th><th>rank distance</th><th>training seconds</th><th{PROSE}>command</th>"
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
    display(HTML(table if len(rows) <= _FEW else _folded(f"{len(rows)} runs, each with its command", table)))


def systems(made: Sequence[Results]) -> None:
    """Display a row a system that is made of runs: a link to its page and what it is made of."""
    if not made:
        return
    rows = "".join(
        f'<tr><th><a href="systems/{escape(one.folder.name)}/index.html">{escape(one.folder.name)}</a></th>'
        f"<td{PROSE}>{html_text(', '.join(one.label(name) for name in one.result['debiasings']))}</td></tr>"
        for one in made
    )
    head = f"<th>made of runs</th><th{PROSE}>systems</th>"
    display(HTML(f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"))
