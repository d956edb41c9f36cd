"""Pooled results of several systems side by side: as HTML, as a figure of their language mix, and as a live panel.

Texts of queries and passages are the users' and the corpus's: they are escaped, and none of them is in Markdown.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from itertools import zip_longest
from typing import Any

import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from hybridlib.corpora.collection import Collection
from hybridlib.errors import InputError
from hybridlib.explore import Systems, even_mix, language_mix, query_language
from hybridlib.languages import name as language_name
from hybridlib.languages import ordered
from hybridlib.plain_text import as_label, html_text, visible
from hybridlib.show import picture

Hits = Mapping[str, pd.DataFrame]
_LISTED = 500  # test queries of a language to choose from
_WIDE = {"width": "100%"}


def results_html(text: str, hits: Hits, title: str) -> str:
    """Return a query and its results: a row a rank, a column a system, in each cell a passage.

    Args:
        text: the query.
        hits: system -> result of :meth:`hybridlib.explore.Explorer.search`.
        title: above the query.
    """
    head = "".join(f'<th class="hit" style="text-align:left">{html_text(system)}</th>' for system in hits)
    columns = [
        [_passage(hit) for hit in table.assign(relevant=table["relevant"].fillna(False)).itertuples()]
        for table in hits.values()
    ]
    ranked = enumerate(zip_longest(*columns, fillvalue="<td></td>"), start=1)
    rows = "".join(f"<tr><th>{rank}</th>{''.join(cells)}</tr>" for rank, cells in ranked)
    return (
        f'<div class="mathjax_ignore"><h3>{html_text(title)}</h3><blockquote class="text" dir="auto">{html_text(text)}'
        f'</blockquote><table style="width:100%"><thead><tr><th>rank</th>{head}</tr></thead><tbody>{rows}</tbody>'
        "</table></div>"
    )


def _passage(hit: Any) -> str:
    """Return the cell of a passage: whether it is relevant, its language and similarity, and below them its text."""
    mark = "<strong>✓ relevant</strong> · " if hit.relevant else ""
    language = html_text(language_name(hit.language))
    return (
        f'<td class="hit" style="text-align:left; vertical-align:top"><div>{mark}{language} · {hit.similarity:.3f}'
        f'</div><div class="text" dir="auto" lang="{html_text(hit.language)}" style="text-align:start">'
        f"{html_text(hit.text)}</div></td>"
    )


def query_title(collection: Collection, text: str, number: int | None = None) -> str:
    """Name a query by its number and, where it is a test query, its language."""
    code = query_language(collection, text)
    said = "Query" if number is None else f"Query {number}"
    return said if code is None else f"{said}, in {as_label(language_name(code))}"


def mix_figure(searches: Mapping[str, Hits], even: pd.Series) -> Figure:
    """Draw the language mix of every search, a panel a query, a bar a system, a black line at the even share.

    Args:
        searches: title of the query -> system -> hits.
        even: share of each language in the pool.
    """
    codes = ordered(even.index)
    columns = min(2, len(searches))
    rows = -(-len(searches) // columns)
    figure, axes = plt.subplots(
        rows, columns, figsize=(5.2 * columns, 2.1 * rows + 0.5), squeeze=False, sharey=True, layout="constrained"
    )
    places = np.arange(len(codes))
    for place, (title, hits) in zip(axes.flat, searches.items(), strict=False):
        width = 0.8 / len(hits)
        for number, (system, table) in enumerate(hits.items()):
            shares = language_mix(table).reindex(codes, fill_value=0.0)
            left = places - 0.4 + width * number
            colour = sns.color_palette("colorblind")[number]
            place.bar(left, shares, width, align="edge", color=colour, label=as_label(system))
        place.hlines(even[codes], places - 0.42, places + 0.42, color="black", linewidth=1, label="even share")
        place.set_title(as_label(title), fontsize=9)
        place.set_xticks(places, [as_label(code) for code in codes], fontsize=8 if len(codes) <= 16 else 5)
        place.tick_params(axis="x", length=0)
        place.yaxis.set_major_formatter("{x:.0%}")
        place.tick_params(axis="y", labelsize=8)
    for place in axes.flat[len(searches) :]:
        place.set_axis_off()
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=columns + 1, fontsize=8, frameon=False)
    sns.despine(figure)
    return figure


def mix_finding(searches: Mapping[str, Hits], languages: Sequence[str | None], even: pd.Series) -> str:
    """Say of each system, as means over queries, how much of its results is in the query's language and is relevant.

    Args:
        searches: as in :func:`mix_figure`.
        languages: of each query, in the order of ``searches``; None where it is no test query.
        even: share of each language in the pool.
    """
    said, asked = [], [code for code in languages if code is not None]
    for system in next(iter(searches.values())):
        tables = [hits[system] for hits in searches.values()]
        parts = [f"{np.mean([table['language'].nunique() for table in tables]):.1f} languages a query"]
        known = [(table, code) for table, code in zip(tables, languages, strict=True) if code is not None]
        if known:
            same = np.mean([(table["language"] == code).mean() for table, code in known])
            relevant = np.mean([table["relevant"].mean() for table, _ in known])
            parts += [f"{same:.0%} of the passages in the query's language", f"{relevant:.0%} relevant"]
        said.append(f"{as_label(system)}: {', '.join(parts)}")
    expected = f" Even would be {even[asked].mean():.0%} in the query's language." if asked else ""
    return f"{'; '.join(said)}.{expected}"


class Panel:
    """A box to type a query into, lists of test queries and systems to choose from, and the results below.

    Args:
        systems: what can be chosen.
        top: passages a system.

    Attributes:
        widget: what a notebook displays.
    """

    def __init__(self, systems: Systems, top: int) -> None:
        self._systems, self._top = systems, top
        queries = systems.collection.queries
        self._of_language = {code: part["text"].tolist() for code, part in queries.groupby("language", sort=False)}
        codes = ordered(self._of_language)
        self.text = ipywidgets.Text(
            placeholder="a query in any language, then Enter",
            continuous_update=False,
            description="query",
            layout=_WIDE,
        )
        self.language = ipywidgets.Dropdown(
            options=[(visible(language_name(code)), code) for code in codes], description="or one in"
        )
        self.query = ipywidgets.Dropdown(description="test query", layout=_WIDE)
        self.first, self.second = (
            ipywidgets.Dropdown(options=systems.names, value=name, description=what, layout=_WIDE)
            for name, what in ((systems.first, "first"), (systems.second, "second"))
        )
        self.output = ipywidgets.HTML()
        self._list_queries()
        self.language.observe(self._list_queries, "value")
        self.query.observe(self._take, "value")
        for control in (self.text, self.first, self.second):
            control.observe(self.search, "value")
        controls = [self.text, self.language, self.query, self.first, self.second]
        self.widget = ipywidgets.VBox([*controls, self.output])

    def search(self, _change: object = None) -> None:
        """Show the results of the text by the two systems, or why there are none."""
        text, chosen = self.text.value, list(dict.fromkeys([self.first.value, self.second.value]))
        self.output.value = ""
        if not text.strip():
            return
        self.output.value = "<p>Searching; a system is embedded when it is chosen for the first time.</p>"
        try:
            hits = self._systems.search(text, chosen, self._top)
        except InputError as error:
            self.output.value = f"<p>{html_text(str(error))}</p>"
            return
        title = query_title(self._systems.collection, text)
        drawn = mix_figure({f"languages of the first {self._top}": hits}, even_mix(self._systems.collection))
        self.output.value = results_html(text, hits, title) + _picture(drawn, _mix_in_words(hits))

    def _list_queries(self, _change: object = None) -> None:
        texts = self._of_language[self.language.value][:_LISTED]
        self.query.options = [("choose one", ""), *((visible(text)[:200], text) for text in texts)]

    def _take(self, _change: object = None) -> None:
        if self.query.value:
            self.text.value = self.query.value


def _mix_in_words(hits: Hits) -> str:
    """Say the language mix of each system, for a reader who cannot see the figure."""
    said = []
    for system, table in hits.items():
        shares = ", ".join(f"{language_name(str(code))} {share:.0%}" for code, share in language_mix(table).items())
        said.append(f"{system}: {shares}")
    return "Bars: share of each language. " + "; ".join(said)


def _picture(drawn: Figure, alt: str) -> str:
    """Return a figure as an HTML picture; close it."""
    data = base64.b64encode(picture(drawn)).decode("ascii")
    return f'<img src="data:image/png;base64,{data}" alt="{html_text(alt)}" style="max-width:100%">'
