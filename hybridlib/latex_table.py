"""A table of ready strings as LaTeX for the package booktabs."""

from __future__ import annotations

import pandas as pd

from hybridlib.html_table import group_and_name, spans
from hybridlib.plain_text import visible
from hybridlib.tables import LETTERS


def latex_table(table: pd.DataFrame) -> str:
    """Turn a table into LaTeX: ``*`` is bold, raised letters are raised, two levels are heads and groups.

    Args:
        table: see :func:`hybridlib.html_table.html_table`.
    """
    names, width = [group_and_name(name) for name in table.columns], table.shape[1]
    lines = []
    if any(first for first, _ in names):
        lines.append(["", *(rf"\multicolumn{{{span}}}{{c}}{{{_cell(first)}}}" for first, span in spans(names))])
    corner = " / ".join(str(name) for name in table.index.names if name)
    lines.append([_cell(corner), *(_cell(second) for _, second in names)])
    heads, above = len(lines), ""
    for (group, name), row in zip(map(group_and_name, table.index), table.to_numpy(), strict=True):
        if group not in ("", above):
            above = group
            lines.append([rf"\multicolumn{{{width + 1}}}{{l}}{{\textit{{{_cell(group)}}}}}"])
        lines.append([_cell(name), *(_cell(str(value)) for value in row)])
    rows = [" & ".join(line) + r" \\" for line in lines]
    body = "\n".join([*rows[:heads], r"\midrule", *rows[heads:]])
    return f"\\begin{{tabular}}{{l{'r' * width}}}\n\\toprule\n{body}\n\\bottomrule\n\\end{{tabular}}\n"


def _cell(value: str) -> str:
    text, raised = value.removeprefix("*"), ""
    for letter, small in LETTERS:
        if small in text:
            text, raised = text.replace(small, ""), raised + letter
    text = _escaped(text).replace("±", r"$\pm$").replace("≈", r"$\approx$").replace("−", "$-$")
    text = rf"\textbf{{{text}}}" if value.startswith("*") else text
    return f"{text}$^{{{raised}}}$" if raised else text


def _escaped(text: str) -> str:
    special = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
    return "".join(special.get(letter, f"\\{letter}" if letter in "&%$#_{}" else letter) for letter in visible(text))
