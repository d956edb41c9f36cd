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
from hybridlib.plain_text import html_text
from hybridlib.results import Results, write_csv
from hybridlib.runs import Run
from hybridlib.study import Study, papermill_command
from hybridlib.tables import latex

_SHORT = 26  # characters of a number with its interval, which is not broken into lines
_LONG = 40  # characters above which a column is read as prose
_UNBROKEN, _WORDS = ' class="whole"', ' class="words"'


def figure(drawn: Figure, *, alt: str, read: str, finding: str, file: Path | None = None) -> None:
    """Display a figure, then how to read it and what it shows; close it.

    Args:
        drawn: the figure.
        alt: what a reader who cannot see it should know.
        read: a sentence on how to read it.
        finding: a sentence on what it shows in this run, computed from the run's numbers.
        file: where to keep it as PNG as well.
    """
    data = picture(drawn)
    if file is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
        replace_file(file, data)
    display(Image(data, format="png", alt=alt))
    display(Markdown(f"*How to read it.* {read}\n\n*In this run.* {finding}"))


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
    """Display a table of ready strings; a cell that starts with ``*`` is printed bold, everything is escaped.

    Args:
        content: strings.
        read: a sentence on how to read it.
        finding: a sentence on what it shows in this run.
        file: in the page's folder, ``tables/`` and a name without suffix: where to keep it as CSV and as LaTeX, which
            are then linked.
    """
    prose = [any(len(str(value)) > _LONG for value in content.iloc[:, place]) for place in range(content.shape[1])]
    head = "".join(f"<th{_WORDS * of}>{html_text(str(name))}</th>" for name, of in zip(content, prose, strict=True))
    rows = "".join(
        f"<tr><th>{html_text(str(index))}</th>"
        f"{''.join(_cell(str(value), of) for value, of in zip(row, prose, strict=True))}</tr>"
        for index, *row in content.itertuples(name=None)
    )
    head = f"<th>{html_text(str(content.index.name or ''))}</th>{head}"
    display(HTML(f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"))
    if file is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_csv(
            file.with_name(f"{file.name}.csv"), content.map(lambda value: str(value).removeprefix("*")).reset_index()
        )
        replace_file(file.with_name(f"{file.name}.tex"), latex(content).encode())
        place = f"{escape(file.parent.name)}/{escape(file.name)}"
        links = f'<a href="{place}.csv">CSV</a> <a href="{place}.tex">LaTeX</a>'
        display(HTML(f'<p class="download">{html_text(file.name)}: {links}</p>'))
    for name, sentence in (("How to read it.", read), ("In this run.", finding)):
        if sentence:
            display(Markdown(f"*{name}* {sentence}"))


def runs(study: Study, finished: Sequence[Run]) -> None:
    """Display a row a run: a link to its page, its scores, its cost, and the command that makes it again."""
    rows = []
    for run in finished:
        name, means = run.folder.name, run.result["means"]["all"]
        link = f'<a href="runs/{escape(name)}/index.html">{escape(name)}</a>'
        cells = [
            f"{means['multilingual']['rank_distance']:,.0f}",
            f"{run.result['seconds'].get('train', 0.0):,.0f}",
            f"<code>{html_text(papermill_command(run.config, study.name, name))}</code>",
        ]
        scores = f"<td{_WORDS}>{escape(scores_by_setting(means))}</td>"
        rows.append(f"<tr><th>{link}</th>{scores}{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>")
    head = (
        f"<th>run</th><th{_WORDS}>nDCG@10</th><th>rank distance</th><th>training seconds</th><th{_WORDS}>command</th>"
    )
    display(HTML(f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"))


def systems(made: Sequence[Results]) -> None:
    """Display a row a system that is made of runs: a link to its page and what it is made of."""
    if not made:
        return
    rows = "".join(
        f'<tr><th><a href="systems/{escape(one.folder.name)}/index.html">{escape(one.folder.name)}</a></th>'
        f"<td{_WORDS}>{html_text(', '.join(one.label(name) for name in one.result['debiasings']))}</td></tr>"
        for one in made
    )
    head = f"<th>made of runs</th><th{_WORDS}>systems</th>"
    display(HTML(f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"))


def _cell(value: str, prose: bool) -> str:
    text = html_text(value.removeprefix("*"))
    kind = _WORDS if prose else _UNBROKEN if len(text) <= _SHORT and not text[:1].isalpha() else ""
    return f"<td{kind}><strong>{text}</strong></td>" if value.startswith("*") else f"<td{kind}>{text}</td>"
