from types import SimpleNamespace

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt
from matplotlib.colors import to_rgb

from hybridlib import similarity_figures
from hybridlib.config import RunConfig
from hybridlib.corpora import scenes
from hybridlib.encoders.encoder import DualEncoder
from hybridlib.objectives.theory import negative_variance_bounds

mpl.use("Agg")
MEANS = pd.DataFrame({"positive_mean": [1.0, 0.5], "negative_mean": [-0.2, -0.4]})


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def legend(axes):
    return [text.get_text() for text in axes.get_legend().get_texts()]


def test_means_stand_beside_the_predicted_ones():
    (axes,) = similarity_figures.mean_similarities(MEANS.set_axis(["dcl", "dhel"]), 6, "objective").axes
    positives, one, negatives, corner = axes.lines
    assert [positives.get_ydata().tolist(), negatives.get_ydata().tolist()] == [[1.0, 0.5], [-0.2, -0.4]]
    assert [set(one.get_ydata()), set(corner.get_ydata())] == [{1.0}, {-0.2}]
    assert legend(axes) == ["positives", "predicted: 1", "negatives", "predicted: -0.2"]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("objective", "mean similarity")


@pytest.mark.parametrize(("index", "style"), [(["dcl", "dhel"], "None"), ([0.5, 1.5], "-")])
def test_means_of_numbers_are_joined_and_those_of_names_are_not(index, style):
    (axes,) = similarity_figures.mean_similarities(MEANS.set_axis(index), 6, "").axes
    assert [axes.lines[n].get_linestyle() for n in (0, 2)] == [style] * 2


def test_threshold_is_marked():
    (axes,) = similarity_figures.mean_similarities(MEANS.set_axis([3.0, 5.0]), 6, "b", threshold=4.25).axes
    assert list(axes.lines[-1].get_xdata()) == [4.25, 4.25]
    assert legend(axes)[-1] == "threshold of Theorem 5.3"


def test_variances_are_drawn_over_the_interval_of_the_theorem():
    rows = [(name, m, 0.1 * m + extra) for name in ("a", "b") for m in (4, 2) for extra in (0.0, 0.02)]
    table = pd.DataFrame(rows, columns=["objective", "batch_size", "variance"])
    (axes,) = similarity_figures.variance_band(table, 8).axes
    band, *dots = axes.collections
    corners = {(x, round(y, 9)) for x, y in band.get_paths()[0].vertices.tolist()}
    assert corners == {(m, round(bound, 9)) for m in (2, 4) for bound in negative_variance_bounds(8, m)}
    assert [len(part.get_offsets()) for part in dots] == [4, 4]
    assert [line.get_xydata().tolist() for line in axes.lines] == [
        [[2, pytest.approx(0.21)], [4, pytest.approx(0.41)]]
    ] * 2
    assert legend(axes) == ["Theorem 5.5", "a", "b"]
    assert axes.get_ylim()[0] == 0


def test_gradients_are_a_line_a_pair_and_their_mean():
    gradients = pd.DataFrame([[0.4, 0.2], [0.1, 0.05]], index=[4, 8])
    (axes,) = similarity_figures.gradient_lines(gradients).axes
    assert [line.get_ydata().tolist() for line in axes.lines[:2]] == [[0.4, 0.1], [0.2, 0.05]]
    assert axes.lines[2].get_ydata() == pytest.approx([0.3, 0.075])
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["4", "8"]
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")


COLUMNS = ["panel", "line", "batch_size", "languages", "mean", "variance"]
NEGATIVES = pd.DataFrame(
    [
        ("without VRNS", "mixed", 32, "one language", 0.8, 0.04),
        ("without VRNS", "mixed", 16, "one language", 0.7, 0.05),
        ("without VRNS", "mixed", 16, "two languages", 0.6, 0.02),
        ("with VRNS", "hybrid 0.5", 16, "one language", 0.5, 0.01),
    ],
    columns=COLUMNS,
)


def test_negatives_have_a_column_a_panel_and_kind_of_pair():
    drawn = similarity_figures.negatives_by_batch_size(NEGATIVES)
    titles = [
        f"{panel}: {kind}" for panel in ("without VRNS", "with VRNS") for kind in ("one language", "two languages")
    ]
    assert [axes.get_title() for axes in drawn.axes] == [*titles, *[""] * 4]
    assert [axes.get_ylabel() for axes in drawn.axes if axes.get_ylabel()] == [
        "mean of negatives",
        "variance of negatives",
    ]
    assert [text.get_text() for text in drawn.legends[0].get_texts()] == ["mixed", "hybrid 0.5"]


def test_negatives_are_in_their_panel_in_order_of_size_and_in_the_colour_of_their_line():
    drawn = similarity_figures.negatives_by_batch_size(NEGATIVES)
    found = [[line.get_xydata().tolist() for line in axes.lines] for axes in drawn.axes]
    assert found[0] == [[[16, 0.7], [32, 0.8]], []]
    assert found[1] == [[[16, 0.6]], []]
    assert found[4] == [[[16, 0.05], [32, 0.04]], []]
    assert found[6] == [[], [[16, 0.01]]]
    colours = {tuple(to_rgb(axes.lines[n].get_color()) for n in (0, 1)) for axes in drawn.axes}
    key = tuple(to_rgb(line.get_color()) for line in drawn.legends[0].get_lines())
    assert colours == {key}


@pytest.fixture
def drawn(tmp_path, monkeypatch):
    """Batches of ten scenes in two languages, embedded by the tiny encoder; the vectors of its texts are cached."""
    monkeypatch.setenv("HYBRIDLIB_CACHE", str(tmp_path))
    corpus, config = scenes.load(count=10, languages=("en", "de")), RunConfig(seed=3)
    samplers, sizes = ("monolingual", "crosslingual", "hybrid"), (4, 10)
    encoder = DualEncoder.load("tiny")
    table = similarity_figures.drawn_negatives(config, corpus, encoder, samplers, sizes, count=3)
    return SimpleNamespace(table=table, corpus=corpus, encoder=encoder)


def test_drawn_negatives_have_a_row_a_sampler_size_and_kind_of_pair(drawn):
    table = drawn.table
    assert table.columns.tolist() == COLUMNS
    keys = list(zip(table["line"], table["batch_size"], table["languages"], strict=True))
    kinds = ("one language", "two languages", "all pairs")
    samplers = ("monolingual", "crosslingual", "hybrid 0.5")
    assert keys == [(sampler, size, kind) for sampler in samplers for size in (4, 10) for kind in kinds]
    assert set(table["panel"]) == {"scenes"}


def test_monolingual_batches_have_no_negatives_of_two_languages(drawn):
    values = drawn.table.pivot_table("mean", "line", "languages", dropna=False)
    assert np.isnan(values.loc["monolingual", "two languages"])
    assert values.loc["monolingual", "one language"] == values.loc["monolingual", "all pairs"]
    assert values.loc["crosslingual"].notna().all()


def test_drawn_negatives_of_all_concepts_are_those_of_the_encoder(drawn):
    """A monolingual batch of ten holds all ten scenes, so that each language has one mean."""
    texts = drawn.corpus.table
    means = []
    for code in ("en", "de"):
        of = {role: texts[(texts["role"] == role) & (texts["language"] == code)] for role in ("query", "passage")}
        of = {role: part.sort_values("concept")["text"].tolist() for role, part in of.items()}
        similarities = drawn.encoder.encode(of["query"], "query") @ drawn.encoder.encode(of["passage"], "passage").T
        means.append(similarities[~np.eye(10, dtype=bool)].mean())
    found = drawn.table[(drawn.table["line"] == "monolingual") & (drawn.table["batch_size"] == 10)]["mean"].iloc[0]
    possible = [(k * means[0] + (3 - k) * means[1]) / 3 for k in range(4)]
    assert min(abs(found - value) for value in possible) < 1e-6


def run_of(geometry=None, ndcg=0.5, label=None, **config):
    geometry = {"negative_same_mean": 0.5, "negative_same_variance": 0.04, **(geometry or {})}
    means = {"monolingual": {"nDCG@10": ndcg}, "multilingual": {"nDCG@10": 0.25, "rank_distance": 100.0}}
    made = RunConfig(**config)
    return SimpleNamespace(
        config=made, label=label or made.label(), result={"geometry": geometry, "means": {"all": means}}
    )


INFONCE = {"infonce": {"temperature": 0.05}}


def test_trained_negatives_are_those_of_runs_that_lie_on_a_curve_over_the_batch_size():
    runs = [
        run_of(sampler="mixed", batch_size=16, label="mixed, batch_size 16"),
        run_of(
            {"negative_other_variance": 0.02}, sampler="mixed", batch_size=64, steps=30, learning_rate=1e-4,
            label="mixed, batch_size 64",
        ),
        run_of(sampler="monolingual", batch_size=16, label="monolingual, batch_size 16"),
        run_of(sampler="crosslingual", batch_size=16, label="ours"),
        run_of(sampler="crosslingual", batch_size=64, label="theirs"),
    ]  # fmt: skip
    found = similarity_figures.trained_negatives(runs)
    assert found.columns.tolist() == COLUMNS
    keys = [("mixed", "infonce", size, kind) for size in (16, 64) for kind in ("one language", "two languages")]
    assert list(found.iloc[:, :4].itertuples(index=False, name=None)) == keys
    assert found["variance"].tolist() == pytest.approx([0.04, np.nan, 0.04, 0.02], nan_ok=True)


def test_curves_of_one_sampler_share_a_panel_under_what_their_labels_add():
    objectives = {"": INFONCE, " + VRNS": {**INFONCE, "vrns": {"weight": 30}}, ", 16 steps": INFONCE}
    runs = [
        run_of(batch_size=size, objective=objective, label=f"hybrid 0.5{more}, batch_size {size}")
        for more, objective in objectives.items()
        for size in (16, 32)
    ]
    found = similarity_figures.trained_negatives(runs)
    assert set(found["panel"]) == {"hybrid 0.5"}
    assert found["line"].unique().tolist() == ["infonce", "+ VRNS", "16 steps"]


def test_runs_without_a_study_lie_on_the_curves_of_made_labels():
    found = similarity_figures.trained_negatives([run_of(batch_size=size) for size in (16, 32)])
    assert found[["panel", "line", "batch_size"]].drop_duplicates().to_numpy().tolist() == [
        ["hybrid 0.5", "infonce", size] for size in (16, 32)
    ]


def test_trained_negatives_are_means_over_seeds():
    runs = [
        run_of({"negative_same_mean": 0.1 * seed}, batch_size=size, seed=seed) for size in (16, 32) for seed in (1, 3)
    ]
    found = similarity_figures.trained_negatives(runs)
    assert found["mean"].dropna().tolist() == pytest.approx([0.2, 0.2])


@pytest.mark.parametrize("runs", [[], [run_of(batch_size=16)]], ids=["none", "one"])
def test_trained_negatives_of_runs_without_partners_are_none(runs):
    found = similarity_figures.trained_negatives(runs)
    assert found.columns.tolist() == COLUMNS
    assert found.empty


def test_runs_are_called_as_their_study_calls_them():
    runs = [run_of({"uniformity": 1.0}, seed=1), run_of({"uniformity": 2.0}, seed=2, batch_size=16)]
    runs[0].label = "ours"
    assert similarity_figures.run_numbers(runs).index.tolist() == ["ours", "hybrid 0.5, batch_size 16"]


def test_numbers_of_runs_are_a_row_a_configuration():
    runs = [
        run_of({"language_probe": 0.9}, ndcg=0.4, sampler="mixed", seed=1),
        run_of({"language_probe": 0.7}, ndcg=0.6, sampler="mixed", seed=2),
        run_of({"uniformity": -2.0}, sampler="untrained"),
    ]
    found = similarity_figures.run_numbers(runs)
    assert found.index.tolist() == ["mixed", "untrained"]
    assert found.columns.tolist() == [
        "nDCG@10 monolingual", "nDCG@10 crosslingual", "nDCG@10 multilingual", "rank distance", "positive mean",
        "negative same mean", "negative other mean", "negative same variance", "negative other variance",
        "negative variance", "alignment", "uniformity", "language probe",
    ]  # fmt: skip
    assert found.loc["mixed", ["nDCG@10 monolingual", "language probe"]].tolist() == pytest.approx([0.5, 0.8])
    assert found["nDCG@10 crosslingual"].isna().all()
    assert found["uniformity"].tolist() == pytest.approx([np.nan, -2.0], nan_ok=True)
