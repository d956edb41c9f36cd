import numpy as np
import pandas as pd
import pytest
from drawn import CODES, ORDER, texts
from matplotlib import pyplot as plt
from matplotlib.colors import to_rgb

from hybridlib.verdict_figures import verdicts

TABLE = pd.DataFrame([[1, 0, -1, np.nan], [0, 0, 0, 0], [-1, -1, 1, 0], [1, 1, 1, 1]], CODES, CODES, dtype=float)


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def legend(drawn):
    return next(one for one in (*drawn.legends, *(axes.get_legend() for axes in drawn.axes)) if one)


def test_words_stand_in_the_cells_but_for_ties():
    (panel,) = verdicts({"a against b": TABLE}, x_label="passage language").axes
    assert texts(panel.get_yticklabels()) == texts(panel.get_xticklabels()) == ORDER
    words = TABLE.loc[ORDER, ORDER].to_numpy().ravel()
    assert texts(panel.texts) == [{1: "win", 0: "", -1: "loss"}[verdict] for verdict in words[~np.isnan(words)]]


@pytest.mark.parametrize("count", [1, 3, 4])
def test_a_legend_names_the_three_colours(count):
    drawn = verdicts({str(n): TABLE for n in range(count)}, x_label="passage language")
    drawn.canvas.draw()
    assert texts(legend(drawn).get_texts()) == ["win", "tie", "loss"]
    key = [to_rgb(patch.get_facecolor()) for patch in legend(drawn).get_patches()]
    picture = drawn.axes[0].collections[0]
    assert [to_rgb(picture.cmap(picture.norm(verdict))) for verdict in (1, 0, -1)] == key
    assert len(set(key)) == 3


def test_the_legend_stands_in_the_place_that_is_left():
    drawn = verdicts({str(n): TABLE for n in range(3)}, x_label="passage language")
    assert drawn.axes[3].get_legend() is legend(drawn)
    assert len(drawn.axes) == 4


def test_pairs_that_all_end_alike_have_their_colour():
    draw = verdicts({"one": TABLE * 0 + 1}, x_label="passage language")
    picture = draw.axes[0].collections[0]
    assert to_rgb(picture.cmap(picture.norm(1))) == to_rgb(legend(draw).get_patches()[0].get_facecolor())
