import pandas as pd
import pytest
from drawn import CODES, ORDER, heights, texts
from matplotlib import pyplot as plt

from hybridlib import corpus_figures


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def test_counts_are_stacked_by_language():
    cells = pd.DataFrame({"with a pair": [1, 2, 3, 4], "without": [10, 20, 30, 40]}, CODES)
    (axes,) = corpus_figures.counts_by_language(cells).axes
    assert texts(axes.get_xticklabels()) == ORDER
    assert heights(axes) == [cells.loc[ORDER, column].tolist() for column in cells]
    assert [bar.get_y() for bar in axes.containers[1]] == cells.loc[ORDER, "with a pair"].tolist()
    assert texts(axes.get_legend().get_texts()) == ["with a pair", "without"]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("language", "concepts")


def test_a_box_a_language_and_role():
    rows = [(code, role, 10 * n + len(role)) for code in CODES for role in ("query", "passage") for n in range(5)]
    (axes,) = corpus_figures.length_boxes(pd.DataFrame(rows, columns=["language", "role", "characters"])).axes
    assert texts(axes.get_xticklabels()) == ORDER
    assert texts(axes.get_legend().get_texts()) == ["query", "passage"]
    assert [len(boxes.boxes) for boxes in axes.containers] == [len(CODES)] * 2
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("language", "characters")
