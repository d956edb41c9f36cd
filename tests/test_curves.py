"""Curves over a parameter of a study."""

import numpy as np
import pandas as pd
import pytest
from drawn import texts
from matplotlib import pyplot as plt
from matplotlib.colors import to_rgb

from hybridlib import curves
from hybridlib.config import RunConfig
from hybridlib.far_points import BEYOND
from hybridlib.study_names import labels


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def series(configs, axis):
    """The rows of the table, of configurations that are called as a study calls them."""
    found = curves.series(dict(zip(configs, labels(configs), strict=True)), axis)
    assert list(found.columns) == ["configuration", "series", "x"]
    return list(found.itertuples(index=False, name=None))


def test_alpha_goes_from_crosslingual_through_hybrid_to_monolingual():
    configs = [RunConfig(sampler=name) for name in ("monolingual", "crosslingual")]
    configs += [RunConfig(alpha=alpha) for alpha in (0.75, 0.25)]
    called = {"monolingual": 1.0, "crosslingual": 0.0, "hybrid 0.75": 0.75, "hybrid 0.25": 0.25}
    assert series(configs, "alpha") == [(label, "hybrid", x) for label, x in called.items()]


def test_exact_shares_lie_on_a_curve_of_their_own():
    configs = [RunConfig(sampler=sampler, alpha=alpha) for sampler in ("hybrid", "hybrid_even") for alpha in (0.4, 0.6)]
    assert [row[1:] for row in series(configs, "alpha")] == [
        (sampler, alpha) for sampler in ("hybrid", "hybrid_even") for alpha in (0.4, 0.6)
    ]


def test_what_differs_in_more_than_alpha_lies_on_other_curves():
    configs = [RunConfig(alpha=alpha, batch_size=size) for alpha in (0.25, 0.5) for size in (16, 64)]
    assert [row[1:] for row in series(configs, "alpha")] == [
        (f"hybrid, batch_size {size}", alpha) for alpha in (0.25, 0.5) for size in (16, 64)
    ]
    names = {RunConfig(): "hybrid 0.5 + VRNS", RunConfig(sampler="crosslingual"): "MIMO"}
    assert curves.series(names, "alpha").to_numpy().tolist() == [["hybrid 0.5 + VRNS", "hybrid + VRNS", 0.5]]


@pytest.mark.parametrize(
    "config",
    [
        RunConfig(sampler="untrained"),
        RunConfig(sampler="mixed"),
        RunConfig(sampler="hybrid_rows"),
        RunConfig(sampler="both_pairs"),
        RunConfig(alpha=1.0, alpha_end=0.0),
    ],
    ids=lambda config: config.label(),
)
def test_what_has_no_single_alpha_lies_on_no_curve(config):
    assert series([config], "alpha") == []


def test_temperature_is_the_only_one_of_the_objectives():
    two = {"infonce": {"temperature": 0.1}, "lakda": {"temperature": 0.2}}
    names = {
        RunConfig(objective={"dcl": {"temperature": 0.02}, "vrns": {"weight": 30}}): "DCL, temperature 0.02",
        RunConfig(objective=two): "two, temperature 0.1",
        RunConfig(objective={"spectral": {}}): "spectral",
    }
    assert curves.series(names, "temperature").to_numpy().tolist() == [["DCL, temperature 0.02", "DCL", 0.02]]


def test_over_samplers_the_curve_is_what_else_the_label_says():
    names = {
        RunConfig(sampler="monolingual", objective={"dcl": {}}): "DCL, monolingual",
        RunConfig(objective={"dcl": {}}): "DCL, hybrid",
        RunConfig(): "hybrid 0.5",
        RunConfig(sampler="untrained"): "untrained",
    }
    expected = [["DCL, monolingual", "DCL", "monolingual"], ["DCL, hybrid", "DCL", "hybrid"]]
    assert curves.series(names, "sampler").to_numpy().tolist() == expected


def test_seeds_of_a_configuration_are_one_row():
    names = {RunConfig(seed=seed, batch_size=32): "hybrid 0.5, batch_size 32" for seed in (1, 2, 3)}
    for axis, series, x in (("alpha", "hybrid, batch_size 32", 0.5), ("batch_size", "hybrid 0.5", 32.0)):
        assert curves.series(names, axis).to_numpy().tolist() == [["hybrid 0.5, batch_size 32", series, x]]


def test_over_another_parameter_there_is_a_curve_for_what_is_left_of_the_labels():
    """As a study makes them, or as it gives them."""
    configs = [RunConfig(sampler=name, batch_size=size) for name in ("mixed", "hybrid") for size in (64, 16)]
    names = dict(zip(configs, labels(configs), strict=True))
    names[RunConfig(batch_size=16, steps=9)] = "ours, batch_size 16, 9 steps"
    assert [tuple(row) for row in curves.series(names, "batch_size")[["series", "x"]].to_numpy().tolist()] == [
        ("mixed", 64.0), ("mixed", 16.0), ("hybrid 0.5", 64.0), ("hybrid 0.5", 16.0), ("ours, 9 steps", 16.0),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("config", "label"),
    [
        (RunConfig(sampler="untrained", train_concepts=100), "untrained"),
        (RunConfig(train_concepts=100), "hybrid 0.5, train_concepts 200"),
        (RunConfig(), "hybrid 0.5, train_concepts 100"),
    ],
)
def test_a_label_that_does_not_say_the_parameter_lies_on_no_curve(config, label):
    assert curves.series({config: label}, "train_concepts").empty


LINES = {"hybrid 0.5": {64: 0.5, 16: 0.3, 32: 0.6}, "mixed": {16: 0.4, 64: 0.2}}
POINTS = pd.DataFrame(
    [
        (name, x, setting, measure, value * scale, value * scale - 0.1, value * scale + 0.2)
        for name, line in LINES.items()
        for x, value in line.items()
        for (setting, measure), scale in zip(curves.PANELS, (1, 2, 3, 1000), strict=True)
    ],
    columns=["series", "x", "setting", "measure", "value", "low", "high"],
)
SEEDS = pd.concat([POINTS.assign(value=POINTS["value"] + shift) for shift in (-0.05, 0.05)])
LEVEL = pd.Series({panel: number + 0.5 for number, panel in enumerate(curves.PANELS)})


def drawn(x_label="batch_size", levels=None):
    figure = curves.curves(POINTS, SEEDS, levels or {}, x_label=x_label)
    figure.canvas.draw()
    return figure


def test_a_panel_a_setting_and_one_for_the_rank_distance():
    panels = drawn().axes
    assert [axes.get_title() for axes in panels] == ["monolingual", "crosslingual", "multilingual", "rank_distance"]
    assert [axes.get_ylabel() for axes in panels] == ["nDCG@10"] * 3 + ["rank distance (lower is better)"]
    assert {axes.get_xlabel() for axes in panels} == {"batch_size"}


def test_the_first_hit_in_the_pool_has_a_panel_and_a_sentence_where_it_is_known():
    """Without an interval, too; and of more curves than fit a row, one place of the grid stays empty."""
    hits = POINTS[POINTS["measure"] == "rank_distance"].assign(measure="RR", low=np.nan, high=np.nan)
    points = pd.concat([POINTS, hits])
    figure = curves.curves(points, SEEDS, {"untrained": LEVEL}, x_label="batch_size")
    assert [axes.get_title() for axes in figure.axes][2:] == ["multilingual", "RR", "rank_distance"]
    assert "by the first hit in the pool (RR) best at 32 (600.000), worst at 16 (300.000)" in curves.finding(
        points, "batch_size"
    )
    many = pd.concat([points.assign(series=f"curve {n}") for n in range(5)])
    assert [axes.axison for axes in curves.curves(many, SEEDS[:0], {}, x_label="batch_size").axes] == [True] * 5 + [
        False
    ]


def test_a_line_a_series_through_its_points_in_order():
    for axes, scale in zip(drawn().axes, (1, 2, 3, 1000), strict=True):
        found = {line.get_label(): dict(zip(line.get_xdata(), line.get_ydata(), strict=True)) for line in axes.lines}
        assert {name: list(line) for name, line in found.items()} == {"hybrid 0.5": [16, 32, 64], "mixed": [16, 64]}
        for name, line in found.items():
            assert line == pytest.approx({x: value * scale for x, value in LINES[name].items()})


def test_bands_are_the_intervals_and_dots_the_seeds():
    axes = drawn().axes[1]
    hybrid_band, hybrid_dots, mixed_band, mixed_dots = axes.collections
    corners = {(x, round(y, 6)) for x, y in hybrid_band.get_paths()[0].vertices}
    assert corners == {
        (x, round(2 * value + way, 6)) for x, value in LINES["hybrid 0.5"].items() for way in (-0.1, 0.2)
    }
    expected = [(x, 2 * value + shift) for shift in (-0.05, 0.05) for x, value in LINES["mixed"].items()]
    assert np.allclose(mixed_dots.get_offsets(), expected)
    colours = [to_rgb(part.get_facecolor()[0]) for part in (hybrid_band, hybrid_dots, mixed_band, mixed_dots)]
    assert colours[0] == colours[1] == to_rgb(axes.lines[0].get_color())
    assert colours[2] == colours[3] == to_rgb(axes.lines[1].get_color()) != colours[0]


def test_levels_are_horizontal_lines_named_with_the_series():
    figure = drawn(levels={"untrained": LEVEL, "other": LEVEL + 1})
    for number, axes in enumerate(figure.axes):
        assert [set(line.get_ydata()) for line in axes.lines[2:]] == [{number + 0.5}, {number + 1.5}]
        assert len({line.get_linestyle() for line in axes.lines[2:]}) == 2
    assert texts(figure.legends[0].get_texts()) == ["hybrid 0.5", "mixed", "untrained", "other"]


@pytest.mark.parametrize(("value", "arrow"), [(-9.0, "v"), (9.0, "^")])
def test_a_level_far_from_the_curves_is_written_at_the_edge(value, arrow):
    figure = drawn(levels={"untrained": LEVEL.where(LEVEL.index == curves.PANELS[1], value)})
    first, second, *_ = figure.axes
    assert texts(first.texts) == [f"untrained {value:.3f}"]
    assert [line.get_marker() for line in first.lines[2:]] == [arrow]
    assert (len(second.lines), len(second.texts)) == (3, 0)
    assert texts(figure.legends[0].get_texts()) == ["hybrid 0.5", "mixed", "untrained", BEYOND]


def test_a_point_that_is_far_off_is_an_arrow_at_the_edge_with_its_value():
    """The curves keep the height that they need; its seeds are left out."""
    lost = POINTS[(POINTS["series"] == "mixed") & (POINTS["x"] == 16)].assign(series="lost")
    shift = lost["measure"].map({"nDCG@10": -20.0, "rank_distance": 20000.0})
    lost = lost.assign(**{number: lost[number] + shift for number in ("value", "low", "high")})
    figure = curves.curves(pd.concat([POINTS, lost]), pd.concat([SEEDS, lost]), {}, x_label="batch_size")
    figure.canvas.draw()
    lone = curves.curves(POINTS, SEEDS, {}, x_label="batch_size")
    for axes, alone, value in zip(figure.axes, lone.axes, lost["value"], strict=True):
        arrow = axes.lines[-1]
        assert (arrow.get_marker(), arrow.get_xdata()) == ("^" if value > 0 else "v", [16])
        assert texts(axes.texts) == [f"{value:,.0f}" if value > 0 else f"{value:.3f}"]
        assert to_rgb(arrow.get_color()) == to_rgb(axes.lines[2].get_color())
        assert np.ptp(axes.get_ylim()) < 1.2 * np.ptp(alone.get_ylim())
        edge = axes.transAxes.inverted().transform(arrow.get_transform().transform([(16, arrow.get_ydata()[0])]))[0, 1]
        assert edge > 0.9 if value > 0 else edge < 0.1
    assert texts(figure.legends[0].get_texts()) == ["hybrid 0.5", "mixed", "lost", BEYOND]


def test_nothing_is_said_of_arrows_where_there_are_none():
    assert BEYOND not in texts(drawn().legends[0].get_texts())


def test_sizes_are_logarithmic_with_a_tick_each_and_alpha_is_not():
    for axes in drawn().axes:
        assert axes.get_xscale() == "log"
        assert texts(axes.get_xticklabels()) == ["16", "32", "64"]
    assert {axes.get_xscale() for axes in drawn("alpha").axes} == {"linear"}


def test_ticks_below_one_keep_their_digits():
    points = POINTS.assign(x=POINTS["x"] / 1000)
    drawn = curves.curves(points, SEEDS.assign(x=SEEDS["x"] / 1000), {}, x_label="temperature")
    assert texts(drawn.axes[0].get_xticklabels()) == ["0.016", "0.032", "0.064"]


def test_level_is_that_of_all_languages():
    rows = [("untrained", "all", 0.5), ("untrained", "seen", 0.9), ("mixed", "all", 0.7)]
    means = pd.DataFrame(rows, columns=["configuration", "languages", "value"])
    means = means.assign(setting="monolingual", measure="nDCG@10")
    assert curves.level(means, "untrained").to_dict() == {("monolingual", "nDCG@10"): 0.5}


def test_finding_names_the_best_and_the_worst_of_each_curve():
    """Of rank distances the least is the best."""
    first, second = curves.finding(POINTS, "batch_size").split(" **mixed**")
    assert first.startswith(
        "**hybrid 0.5** over batch_size: within a language best at 32 (0.600), worst at 16 (0.300); "
    )
    assert (
        "in the pool of all languages best at 32 (1.800), worst at 16 (0.900); by rank distance best at 16 (300), "
        "worst at 32 (600)" in first
    )
    assert second.startswith(" over batch_size: within a language best at 16 (0.400), worst at 64 (0.200)")
    assert second.endswith("by rank distance best at 64 (200), worst at 16 (400).")


def test_finding_says_nothing_of_a_single_point():
    alone = POINTS[POINTS["x"] == 16]
    assert curves.finding(alone, "batch_size") == ""
    assert curves.finding(pd.concat([alone.assign(series="memory bank"), POINTS]), "batch_size") == curves.finding(
        POINTS, "batch_size"
    )


def test_finding_says_of_many_curves_where_each_is_best():
    """Of hybrid all but the rank distance is best at 32, of mixed at 16; a single point says nothing."""
    many = [POINTS[POINTS["series"] == "hybrid 0.5"].assign(series=name) for name in "abcd"]
    many.append(POINTS[POINTS["series"] == "mixed"])
    alone = many[0][many[0]["x"] == 16].assign(series="alone")
    widths = {"within a language": "0.200 to 0.300", "between two languages": "0.400 to 0.600"}
    widths["in the pool of all languages"] = "0.600 to 0.900"
    where = [f"{s} they move by {width} (best at 16 for mixed, at 32 for 4 of them)" for s, width in widths.items()]
    expected = "; ".join(
        [*where, "by rank distance they move by 200 to 300 (best at 16 for 4 of them, at 64 for mixed)"]
    )
    assert curves.finding(pd.concat([*many, alone]), "batch_size") == f"**5 curves** over batch_size: {expected}."
    alike = pd.concat([*many[:4], many[0].assign(series="e")])
    assert "within a language they move by 0.300 (best at 32 for all);" in curves.finding(alike, "batch_size")


def test_finding_says_alpha_as_it_is():
    points = POINTS[POINTS["series"] == "mixed"].assign(series="hybrid", x=[0.0] * 4 + [0.25] * 4)
    assert curves.finding(points, "alpha").startswith(
        "**hybrid** over alpha: within a language best at 0 (0.400), worst at 0.25"
    )
