"""Tables as LaTeX."""

import pandas as pd

from hybridlib.latex_table import latex_table


def test_a_table_is_one_of_booktabs():
    index = pd.Index(["a_b (a)", "50 %"], name="configuration")
    table = pd.DataFrame({"x & y": ["*0.5 ± 0.1ᵃᵇ", "0.4 ≈"], "z": ["−1", "{~}"]}, index)
    assert latex_table(table).splitlines() == [
        r"\begin{tabular}{lrr}",
        r"\toprule",
        r"configuration & x \& y & z \\",
        r"\midrule",
        r"a\_b (a) & \textbf{0.5 $\pm$ 0.1}$^{ab}$ & $-$1 \\",
        r"50 \% & 0.4 $\approx$ & \{\textasciitilde{}\} \\",
        r"\bottomrule",
        r"\end{tabular}",
    ]


def test_two_levels_are_heads_over_columns_and_groups_of_rows():
    columns = pd.MultiIndex.from_tuples([("AP", "mono"), ("AP", "cross"), ("", "seconds")])
    index = pd.MultiIndex.from_tuples([("A & B", "x"), ("A & B", "y"), ("C", "x")], names=["test", "batches"])
    table = pd.DataFrame([["1", "*2", "3"]] * 3, index, columns)
    assert latex_table(table).splitlines()[2:-2] == [
        r" & \multicolumn{2}{c}{AP} & \multicolumn{1}{c}{} \\",
        r"test / batches & mono & cross & seconds \\",
        r"\midrule",
        r"\multicolumn{4}{l}{\textit{A \& B}} \\",
        r"x & 1 & \textbf{2} & 3 \\",
        r"y & 1 & \textbf{2} & 3 \\",
        r"\multicolumn{4}{l}{\textit{C}} \\",
        r"x & 1 & \textbf{2} & 3 \\",
    ]
