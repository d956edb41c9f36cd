"""Published numbers beside those of studies, on the paper's own and on made-up ones."""

import dataclasses
import json

import pandas as pd
import pytest
from matplotlib import pyplot as plt
from told_cases import told

from hybridlib import published
from hybridlib.config import RunConfig
from hybridlib.errors import InputError
from hybridlib.paths import project_folder
from hybridlib.published_figure import three_samplers
from hybridlib.results import write_json

FILE = project_folder() / "notebooks" / "published.csv"
TEST = "LaBSE, XQuAD-R (2408.10536)"


@pytest.fixture
def earlier():
    return published.read_published(FILE)


def study(name="mine", demonstration=False, **hybrid):
    """A study in which every number of monolingual batches is 0.5, of crosslingual 0.4, of hybrid 0.45 or as given."""
    levels = {"monolingual": 0.5, "crosslingual": 0.4, "hybrid 0.5": 0.45}
    rows = [
        (label, "all", *test, hybrid.get("_".join(test).replace("@", ""), level) if "hybrid" in label else level, 0, 1)
        for label, level in levels.items()
        for test in published.SHOWN
    ]
    one = told({label: (level,) * 4 for label, level in levels.items()}, name=name, demonstration=demonstration)
    means = pd.DataFrame(rows, columns="configuration languages setting measure value low high".split())
    return type(one)(**{**vars(one), "means": means})


def test_headline_table_of_the_paper_is_reproduced(earlier):
    """Table 1 and 2 of 2408.10536: AP .817, .767, .682 and rank distance 221 of LaBSE with hybrid batches."""
    row = published.beside(earlier, published.here({})).loc[TEST, "hybrid"]
    assert row["AP"].to_dict() == {"monolingual": "*0.8167", "crosslingual": "*0.7672", "multilingual": "*0.6817"}
    assert row["rank_distance", "multilingual"] == "*221.1 (-15%)"
    assert row["R@10", "multilingual"] == "*0.5972"


def test_every_test_has_its_three_samplers(earlier):
    table = published.beside(earlier, published.here({"mine": study()}))
    assert len(table) == 3 * 5
    assert [sampler for _, sampler in table.index] == ["monolingual", "crosslingual", "hybrid"] * 5
    assert table.index[-1] == ("tiny, captions (study mine)", "hybrid")


def test_one_of_three_is_the_best(earlier):
    table = published.beside(earlier, published.here({"mine": study()}))
    bold = table.map(lambda cell: cell.startswith("*")).groupby(level=0).sum()
    assert (bold == 1).all(axis=None)


def test_a_lower_rank_distance_is_better():
    ours = published.here({"mine": study()})
    table = published.beside(ours, ours.iloc[:0])
    assert list(table["rank_distance", "multilingual"]) == ["0.5", "*0.4 (-20%)", "0.5 (-10%)"]
    assert list(table["AP", "monolingual"]) == ["*0.5000", "0.4000", "0.4500"]


def test_wins_of_hybrid_are_counted(earlier):
    studies = {"one": study("one"), "two": study("two", monolingual_AP=0.6, multilingual_rank_distance=0.1)}
    said = published.finding(earlier, published.here(studies))
    assert "monolingual AP: 4 of 4 published, 1 of 2 here" in said
    assert "multilingual AP: 3 of 4 published, 0 of 2 here" in said
    assert "multilingual rank_distance: 3 of 4 published, 1 of 2 here" in said


def test_studies_that_share_their_runs_count_once():
    same = dataclasses.replace(study("one"), about={**study("one").about, "name": "same"})
    ours = published.here({"one": study("one"), "same": same, "two": study("two", monolingual_AP=0.6)})
    assert list(ours["source"].unique()) == ["study one", "study two"]


def test_studies_on_made_up_texts_or_without_the_three_are_left_out():
    lacking = told({"monolingual": (1, 1, 1, 1)})
    assert published.here({"scenes": study(demonstration=True), "lacking": lacking}).empty


def test_a_number_that_is_missing_is_named(earlier, tmp_path):
    kept = earlier.drop(earlier.query("encoder == 'XLM-R' and sampler == 'hybrid' and measure == 'R@10'").index[0])
    kept.to_csv(tmp_path / "cut.csv", index=False)
    with pytest.raises(
        InputError, match=r"cut\.csv: found no multilingual R@10 of XLM-R, XQuAD-R .*: hybrid, expected"
    ):
        published.read_published(tmp_path / "cut.csv")


def test_what_is_no_such_table_is_refused(tmp_path):
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    with pytest.raises(InputError, match=r"other\.csv: found no table"):
        published.read_published(tmp_path / "other.csv")


@pytest.fixture
def evaluations(tmp_path):
    """Write results of runs on other texts: label, seed, corpus trained on, AP."""

    def write(*results, study="xquad-r"):
        for label, seed, corpus, value in results:
            means = {setting: {} for setting, _ in published.SHOWN}
            for setting, measure in published.SHOWN:
                means[setting][measure] = value
            configuration = RunConfig(sampler="mixed", corpus=corpus).model_dump(mode="json", exclude_defaults=True)
            result = {"label": label, "means": {"none": means}, "collection": {"name": "xquad-r"}}
            folder = tmp_path / study / f"{label}-{seed}".replace(" ", "-")
            folder.mkdir(parents=True, exist_ok=True)
            write_json(folder / "result.json", result | {"configuration": configuration, "seed": seed, "run": "r"})
        return tmp_path

    return write


TRIO = [("monolingual", 1, "xm3600", 0.5), ("crosslingual", 1, "xm3600", 0.4)]


def test_runs_that_were_tested_on_other_texts_are_a_test_of_their_own(evaluations):
    folder = evaluations(*TRIO, ("hybrid 0.5", 1, "xm3600", 0.6), ("hybrid 0.5", 2, "xm3600", 0.8))
    table = published.beside(published.elsewhere(folder), published.here({}))
    assert list(table["AP", "monolingual"]) == ["0.5000", "0.4000", "*0.7000"]
    assert table.index[2] == ("multilingual-e5-small, xquad-r (xquad-r)", "hybrid")


def test_runs_that_lack_a_sampler_or_are_tested_on_their_own_texts_are_left_out(evaluations):
    evaluations(*TRIO)
    folder = evaluations(*TRIO, ("hybrid 0.5", 1, "xquad-r", 0.6), study="own")
    assert published.elsewhere(folder).empty
    assert published.elsewhere(folder / "nothing").empty


def test_runs_tested_in_one_setting_alone_are_left_out(evaluations):
    """As on a collection of one language."""
    folder = evaluations(*TRIO, ("hybrid 0.5", 1, "xm3600", 0.6))
    assert not published.elsewhere(folder).empty
    file = next(folder.glob("*/monolingual-1/result.json"))
    result = json.loads(file.read_text())
    del result["means"]["none"]["crosslingual"]
    write_json(file, result)
    assert published.elsewhere(folder).empty


def test_every_test_is_a_row_of_the_figure_with_its_three_samplers(earlier):
    figure = three_samplers(earlier, published.here({"mine": study()}))
    panels = figure.axes
    assert [axes.get_title() for axes in panels] == ["monolingual", "crosslingual", "multilingual"]
    assert [label.get_text() for label in panels[0].get_yticklabels()][-1] == "tiny, captions (study mine)"
    places = {drawn.get_label(): drawn.get_offsets().data.tolist() for drawn in panels[0].collections}
    assert list(places) == ["monolingual", "crosslingual", "hybrid"]
    assert [x for x, _ in (points[-1] for points in places.values())] == [0.5, 0.4, 0.45]
    plt.close(figure)
