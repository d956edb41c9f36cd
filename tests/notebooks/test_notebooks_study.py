"""A small study through the notebooks: a run by hand, the same at the command line, the report, an evaluation."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from bs4 import BeautifulSoup
from notebook_runs import PROJECT, SMALL, TRAIN, environment, execute

from hybridlib.derive_command import derive
from hybridlib.study import load_study

STUDY = f"""
title: Two samplers
question: Which is better?
baseline: monolingual
axis: alpha
defaults: {json.dumps(SMALL)}
grid: {{sampler: [monolingual, hybrid]}}
systems: [{{of: hybrid 0.5, debias: [centring]}}]
"""


@pytest.fixture(scope="module")
def by_hand(tmp_path_factory):
    """Run the hybrid run of the study by hand; returns reports/scratch/runs and what the notebook shows."""
    folder = tmp_path_factory.mktemp("by-hand")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment(folder).items():
            patch.setenv(name, value)
        shown = execute(TRAIN, folder / "out.ipynb", **SMALL)
    return folder / "reports" / "scratch" / "runs", shown


def command_line(folder, *arguments):
    """Run a command in a process of its own; returns what it prints."""
    command = [sys.executable, "-m", "hybridlib", *map(str, arguments)]
    options = {"cwd": PROJECT, "env": {**os.environ, **environment(folder)}, "timeout": 600}
    outcome = subprocess.run(command, capture_output=True, text=True, **options)
    assert outcome.returncode == 0, outcome.stderr
    return outcome.stdout.strip()


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """Run and report a study of two runs and a system at the command line; returns its file and its folder.

    The system is made here, without its page.
    """
    folder = tmp_path_factory.mktemp("study")
    file = folder / "small.yaml"
    file.write_text(STUDY)
    for run in load_study(file).runs():
        page = folder / "reports" / "small" / "runs" / run / "index.html"
        assert command_line(folder, "run", file, run) == str(page)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment(folder).items():
            patch.setenv(name, value)
        patch.setattr("hybridlib.execute.execute_evaluation", lambda *_: "")
        for system in load_study(file).derived():
            derive(load_study(file), system, str)
    assert command_line(folder, "report", file) == str(folder / "reports" / "small" / "index.html")
    return file, folder / "reports" / "small"


def result_of(run):
    return json.loads((run / "result.json").read_text())


def test_run_by_hand_leaves_its_folder(by_hand):
    (run,) = by_hand[0].iterdir()
    assert run.name.startswith("hybrid-0.5-seed1-")
    files = {".lock", "config.json", "encoder", "history.csv", "ranks.parquet", "result.json", "scores.parquet"}
    assert {file.name for file in run.iterdir()} == {*files, "top_share.parquet"}
    assert result_of(run)["concepts"] == {"train": 16, "validation": 6, "test": 10}


def test_run_by_hand_shows_what_it_found(by_hand):
    (run,), shown = list(by_hand[0].iterdir()), by_hand[1]
    assert f"Run `{run.name}`" in shown
    for setting, means in result_of(run)["means"]["all"].items():
        before = result_of(run)["means_before"]["all"][setting]["nDCG@10"]
        assert f"{setting} {before:.3f} → {means['nDCG@10']:.3f}" in shown
    assert shown.count("*How to read it.*") == shown.count("*Result.*") == 6


def test_run_by_hand_reproduces_the_committed_row(by_hand):
    """On another processor a product may round otherwise, and two passages of 30 swap their ranks."""
    (run,) = by_hand[0].iterdir()
    committed = pd.read_csv(Path(__file__).with_name("committed_row.csv"))
    means = result_of(run)["means"]["all"]
    for setting, measure, value in committed.itertuples(index=False):
        assert means[setting][measure] == pytest.approx(value, rel=0.01, abs=0.01), (setting, measure)


def test_same_run_gives_the_same_result_again(by_hand, study):
    """By hand and by a study: another process, another study, the same numbers."""
    (first,) = by_hand[0].iterdir()
    second = study[1] / "runs" / first.name
    timeless = [{k: v for k, v in result_of(run).items() if k != "seconds"} for run in (first, second)]
    assert timeless[0] == timeless[1]
    assert result_of(first)["seconds"].keys() == result_of(second)["seconds"].keys()
    for name in ("scores.parquet", "ranks.parquet", "top_share.parquet", "config.json"):
        assert (first / name).read_bytes() == (second / name).read_bytes()


def test_pages_of_runs_are_left_with_them(study):
    for run, config in load_study(study[0]).runs().items():
        page = BeautifulSoup((study[1] / "runs" / run / "index.html").read_text(), "html.parser")
        assert page.title.get_text() == f"{config.label()}, seed 1"
        assert len(page.find_all("img")) == 5
        assert (study[1] / "runs" / run / "notebook.ipynb").exists()


@pytest.fixture(scope="module")
def report(study):
    return BeautifulSoup((study[1] / "index.html").read_text(), "html.parser")


def test_report_has_its_parts(report):
    assert (report.title.get_text(), report.h1.get_text().rstrip("¶")) == ("Two samplers", "Two samplers")
    assert [heading.get_text().rstrip("¶") for heading in report.find_all("h2")] == [
        "Over alpha",
        "nDCG by setting",
        "Language bias",
        "Balance of monolingual and cross-lingual retrieval",
        "Where the differences are",
        "What fills the top ten",
        "Seen and unseen languages",
        "Every comparison",
        "Every run",
    ]


def test_report_begins_with_question_and_answer(report):
    text = report.main.get_text(" ", strip=True)
    assert "Question. Which is better?" in text
    assert report.blockquote.get_text(" ", strip=True).startswith(
        "Answer. hybrid over alpha: within a language best at "
    )


def test_report_on_scenes_says_that_it_is_a_demonstration(report):
    assert "A demonstration. The captions of this corpus are made up" in report.main.get_text(" ", strip=True)


def test_every_figure_of_the_report_is_described_and_explained(report):
    assert len(report.find_all("img")) == 8
    assert [image for image in report.find_all("img") if len(image["alt"]) < 30] == []
    text = report.main.get_text(" ", strip=True)
    assert text.count("Result.") >= 8
    assert text.count("How to read it.") >= 8


def test_report_is_one_file(report):
    assert [tag["src"] for tag in report.find_all(src=True) if not tag["src"].startswith("data:image/png")] == []
    assert report.find_all(["script", "link", "iframe"]) == []


def test_figures_of_the_report_are_kept_as_files(study):
    names = "balance curves differences forest language-bias rank-distance realised wins"
    assert {file.name for file in (study[1] / "figures").iterdir()} == {f"{name}.png" for name in names.split()}


def test_report_links_to_the_page_of_every_run(report, study):
    links = [a["href"] for a in report.find_all("a") if a["href"].startswith("runs/")]
    assert links == [f"runs/{run}/index.html" for run in load_study(study[0]).runs()]
    assert [link for link in links if not (study[1] / link).is_file()] == []


def test_report_links_to_its_tables(report, study):
    links = {a["href"] for a in report.find_all("a") if a["href"].endswith((".csv", ".tex"))}
    assert {"scores.csv", "means.csv", "comparisons.csv", "runs.csv", "tables/ndcg.csv", "tables/ndcg.tex"} <= links
    assert [link for link in links if not (study[1] / link).is_file()] == []


def test_report_links_to_the_page_of_every_system(report, study):
    links = [a["href"] for a in report.find_all("a") if a["href"].startswith("systems/")]
    assert links == [f"systems/{name}/index.html" for name in load_study(study[0]).derived()]


def test_scores_are_a_row_a_run_setting_pair_and_measure(study):
    scores = pd.read_csv(study[1] / "scores.csv")
    keys = ["run", "configuration", "seed", "setting", "query_language", "passage_language", "measure"]
    assert scores.columns.tolist() == [*keys, "value"]
    assert not scores.duplicated(keys).any()
    assert set(scores["run"]) == set(load_study(study[0]).runs())
    pairs = scores[scores["measure"] == "nDCG@10"].groupby(["configuration", "setting"]).size().unstack()
    expected = {"crosslingual": 6, "monolingual": 3, "multilingual": 3}
    assert pairs.to_dict("index") == {"hybrid 0.5": expected, "monolingual": expected}


def test_scores_average_to_the_results(study):
    scores = pd.read_csv(study[1] / "scores.csv").groupby(["run", "setting", "measure"])["value"].mean()
    for run in load_study(study[0]).runs():
        means = result_of(study[1] / "runs" / run)["means"]["all"]
        expected = {(setting, name): value for setting, of in means.items() for name, value in of.items()}
        assert scores[run].to_dict() == pytest.approx(expected, rel=1e-4)


def test_comparisons_have_the_documented_columns(study):
    compared = pd.read_csv(study[1] / "comparisons.csv")
    assert (
        compared.columns.tolist()
        == (
            "configuration baseline setting measure difference low high p holm_p "
            "wins ties losses concepts seeds baseline_seeds sign_flip_p concept_error seed_error freedom"
        ).split()
    )
    assert set(zip(compared["configuration"], compared["baseline"], strict=True)) == {
        ("hybrid 0.5", "monolingual"),
        ("hybrid 0.5 + centring", "monolingual"),
        ("hybrid 0.5 + centring", "hybrid 0.5"),
    }


def test_comparisons_are_differences_of_the_results(study):
    compared = pd.read_csv(study[1] / "comparisons.csv")
    compared = compared[compared["configuration"] == "hybrid 0.5"].set_index(["setting", "measure"])["difference"]
    means = {config.label(): result_of(study[1] / "runs" / run)["means"]["all"] for run, config in runs_of(study)}
    for setting, measure in compared.index:
        difference = means["hybrid 0.5"][setting][measure] - means["monolingual"][setting][measure]
        assert compared[setting, measure] == pytest.approx(difference, rel=1e-4, abs=1e-6)


def test_means_are_those_of_the_runs_and_the_system(study):
    means = pd.read_csv(study[1] / "means.csv")
    assert list(means["configuration"].unique()) == ["monolingual", "hybrid 0.5", "hybrid 0.5 + centring"]
    (system,) = (study[1] / "systems").iterdir()
    expected = {config.label(): result_of(study[1] / "runs" / run)["means"]["all"] for run, config in runs_of(study)}
    expected["hybrid 0.5 + centring"] = result_of(system)["means"]["centring"]
    chosen = means[means["languages"] == "all"].set_index(["configuration", "setting", "measure"])
    assert chosen["value"].to_dict() == pytest.approx(
        {
            (label, setting, measure): value
            for label, settings in expected.items()
            for setting, measures in settings.items()
            for measure, value in measures.items()
        },
        rel=1e-4,
        abs=1e-6,
    )
    tested = chosen[chosen["low"].notna()]
    assert ((tested["low"] <= tested["value"]) & (tested["value"] <= tested["high"])).all()


def runs_of(study):
    return load_study(study[0]).runs().items()


@pytest.fixture(scope="module")
def evaluation(study, tmp_path_factory):
    """Evaluate the hybrid run of the study at the command line, plain and centred; returns the folder."""
    folder = tmp_path_factory.mktemp("evaluation")
    (run,) = [study[1] / "runs" / name for name in load_study(study[0]).runs() if name.startswith("hybrid")]
    options = ["--debias", "centring", "--fit-concepts", 8]
    said = command_line(folder, "evaluate", "--run", run, "--out", folder / "out", *options)
    assert said.splitlines()[-1] == str(folder / "out" / "index.html")
    return folder / "out"


def test_evaluation_leaves_its_page_tables_and_figures(evaluation):
    tables = {"comparisons.csv", "languages.parquet", "means.csv", "ranks.parquet", "scores.csv", "scores.parquet"}
    assert {file.name for file in evaluation.iterdir()} == {
        *tables, "figures", "index.html", "notebook.ipynb", "result.json",
    }  # fmt: skip
    names = "balance differences language-bias pairs rank-distance single-answer"
    assert {file.stem for file in (evaluation / "figures").iterdir()} == set(names.split())
    assert set(pd.read_csv(evaluation / "comparisons.csv")["configuration"]) == {"hybrid 0.5 + centring"}


def test_page_of_an_evaluation_has_its_parts(evaluation):
    page = BeautifulSoup((evaluation / "index.html").read_text(), "html.parser")
    assert page.title.get_text() == page.h1.get_text().rstrip("¶") == "hybrid 0.5 on scenes"
    assert [heading.get_text().rstrip("¶") for heading in page.find_all("h2")] == [
        "Retrieval by setting",
        "Language bias",
        "Every language pair",
        "What fills the top ten, and what an answer's language costs",
        "Balance of monolingual and cross-lingual retrieval",
        "The space of the embeddings",
        "Every comparison",
    ]
    assert len([image for image in page.find_all("img") if len(image["alt"]) >= 30]) == 6
    text = page.main.get_text(" ", strip=True)
    assert "A demonstration. The captions of this corpus are made up" in text
    assert page.blockquote.get_text(" ", strip=True).startswith("Answer. hybrid 0.5 has a mean nDCG@10 of ")
    assert "Debiasing is fitted on 8 other concepts of scenes." in text


def test_evaluation_of_a_run_has_the_scores_of_the_run(evaluation, study):
    (run,) = (study[1] / "runs").glob("hybrid*")
    assert result_of(evaluation)["means"]["none"] == result_of(run)["means"]["all"]
