"""The notebooks: as they are committed, and executed through papermill.

A kernel takes seconds to start, so papermill executes eight notebooks in all (one of them in test_execute.py). Where a
kernel makes no difference, the cells are run here, with the parameters as papermill injects them.
"""

import json
import logging
import os
import subprocess
import sys
from pathlib import Path

import matplotlib as mpl
import nbformat
import pandas as pd
import papermill
import pytest
from bs4 import BeautifulSoup
from papermill.exceptions import PapermillExecutionError
from papermill.iorw import load_notebook_node
from papermill.parameterize import parameterize_notebook

from hybridlib import evaluate_command
from hybridlib.config import RunConfig
from hybridlib.errors import InputError
from hybridlib.evaluate_command import Request
from hybridlib.study import load_study

mpl.use("Agg")
PROJECT = Path(__file__).parents[2]
NOTEBOOKS = sorted((PROJECT / "notebooks").glob("*.ipynb"))
CORPUS, TRAIN, _, EVALUATE = NOTEBOOKS
SMALL = {
    "encoder": "tiny",
    "train_languages": ["en", "de", "zh"],
    "test_languages": ["en", "de", "zh"],
    "train_concepts": 16,
    "validation_concepts": 6,
    "test_concepts": 10,
    "max_length": 32,
    "batch_size": 4,
    "steps": 3,
    "validate_every": 2,
    "threads": 1,
}
STUDY = f"""
title: Two samplers
question: Which is better?
baseline: monolingual
defaults: {json.dumps(SMALL)}
grid: {{sampler: [monolingual, hybrid]}}
"""


def cells_of(file, kind="code"):
    return [cell for cell in nbformat.read(file, as_version=4).cells if cell.cell_type == kind]


def is_parameters(cell):
    return "parameters" in cell.metadata.get("tags", [])


def variables_of(file):
    """Run the parameters cell of a notebook; returns what it defines."""
    (cell,) = filter(is_parameters, cells_of(file))
    variables = {}
    exec(cell.source, variables)
    return {name: value for name, value in variables.items() if not name.startswith("__")}


def run_here(file, **parameters):
    """Run the cells of a notebook in this process; returns its variables."""
    variables = {"__name__": "__main__"}
    for cell in parameterize_notebook(load_notebook_node(str(file)), parameters).cells:
        if cell.cell_type == "code":
            exec(cell.source, variables)
    return variables


def execute(file, output, **parameters):
    """Execute a notebook through papermill; returns the text of what it shows, without the code."""
    papermill.execute_notebook(file, output, parameters, cwd=PROJECT, progress_bar=False)
    shown = [output.get("text") or output.get("data", {}) for cell in cells_of(output) for output in cell.outputs]
    return "\n".join(part if isinstance(part, str) else "\n".join(map(str, part.values())) for part in shown)


def environment(folder):
    return {"HYBRIDLIB_REPORTS": str(folder / "reports"), "HYBRIDLIB_CACHE": str(folder / "cache"), "MPLBACKEND": "Agg"}


@pytest.fixture
def folders(tmp_path, monkeypatch):
    """Reports and cache of their own; the working directory is the project's."""
    for name, value in environment(tmp_path).items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(PROJECT)
    root, own = logging.getLogger(), logging.getLogger("hybridlib")
    before = root.handlers[:], root.level, own.level
    yield tmp_path
    root.handlers[:], root.level = before[:2]  # a notebook sets up logging for its process
    own.setLevel(before[2])


@pytest.mark.parametrize("file", NOTEBOOKS, ids=lambda file: file.stem)
def test_notebooks_are_committed_without_outputs(file):
    cells = cells_of(file)
    assert [cell.outputs for cell in cells] == [[]] * len(cells)
    assert [cell.execution_count for cell in cells] == [None] * len(cells)


@pytest.mark.parametrize("file", NOTEBOOKS, ids=lambda file: file.stem)
def test_notebooks_are_valid(file):
    nbformat.validate(nbformat.read(file, as_version=4))


@pytest.mark.parametrize("file", NOTEBOOKS, ids=lambda file: file.stem)
def test_cells_that_are_shown_are_short(file):
    shown = [
        cell for cell in cells_of(file) if not is_parameters(cell) and "hidden" not in cell.metadata.get("tags", [])
    ]
    lengths = [len(cell.source.splitlines()) for cell in shown]
    assert max(lengths) <= 25


@pytest.mark.parametrize("file", NOTEBOOKS, ids=lambda file: file.stem)
def test_first_code_cell_is_the_parameters(file):
    assert [is_parameters(cell) for cell in cells_of(file)] == [True] + [False] * (len(cells_of(file)) - 1)


@pytest.mark.parametrize("file", NOTEBOOKS, ids=lambda file: file.stem)
def test_papermill_knows_types_and_help_of_all_parameters(file):
    found = papermill.inspect_notebook(file)
    assert set(found) == set(variables_of(file))
    assert [name for name, parameter in found.items() if parameter["inferred_type_name"] in (None, "None")] == []
    assert [name for name, parameter in found.items() if not parameter["help"]] == []


def test_parameters_are_the_study_and_the_configuration_with_its_defaults():
    assert variables_of(TRAIN) == {"study": "scratch", **RunConfig().model_dump(mode="json")}


def test_parameters_are_explained_as_in_the_configuration():
    helps = {name: parameter["help"] for name, parameter in papermill.inspect_notebook(TRAIN).items()}
    assert helps.pop("study")
    assert helps == {name: field.description for name, field in RunConfig.model_fields.items()}


def test_parameters_of_the_corpus_notebook_are_those_of_a_run():
    shared = {name: value for name, value in variables_of(CORPUS).items() if name != "languages"}
    assert shared == {name: RunConfig().model_dump()[name] for name in shared}


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
    """Run and report a study of two runs at the command line; returns its file and its folder."""
    folder = tmp_path_factory.mktemp("study")
    file = folder / "small.yaml"
    file.write_text(STUDY)
    for run in load_study(file).runs():
        page = folder / "reports" / "small" / "runs" / run / "index.html"
        assert command_line(folder, "run", file, run) == str(page)
    assert command_line(folder, "report", file) == str(folder / "reports" / "small" / "index.html")
    return file, folder / "reports" / "small"


def result_of(run):
    return json.loads((run / "result.json").read_text())


def test_run_by_hand_leaves_its_folder(by_hand):
    (run,) = by_hand[0].iterdir()
    assert run.name.startswith("hybrid-0.5-seed1-")
    files = {"config.json", "encoder", "history.csv", "ranks.parquet", "result.json", "scores.parquet"}
    assert {file.name for file in run.iterdir()} == {*files, "top_share.parquet"}
    assert result_of(run)["concepts"] == {"train": 16, "validation": 6, "test": 10}


def test_run_by_hand_shows_what_it_found(by_hand):
    (run,), shown = list(by_hand[0].iterdir()), by_hand[1]
    assert f"Run `{run.name}`" in shown
    for setting, means in result_of(run)["means"]["all"].items():
        before = result_of(run)["means_before"]["all"][setting]["nDCG@10"]
        assert f"{setting} {before:.3f} → {means['nDCG@10']:.3f}" in shown
    assert shown.count("*How to read it.*") == shown.count("*In this run.*") == 5


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
    assert report.blockquote.get_text(" ", strip=True).startswith("Answer. By nDCG@10, ")


def test_report_on_scenes_says_that_it_is_a_demonstration(report):
    assert "A demonstration. The captions of this corpus are made up" in report.main.get_text(" ", strip=True)


def test_every_figure_of_the_report_is_described_and_explained(report):
    assert len(report.find_all("img")) == 5
    assert [image for image in report.find_all("img") if len(image["alt"]) < 30] == []
    text = report.main.get_text(" ", strip=True)
    assert text.count("In this run.") >= 5
    assert text.count("How to read it.") >= 5


def test_report_is_one_file(report):
    assert [tag["src"] for tag in report.find_all(src=True) if not tag["src"].startswith("data:image/png")] == []
    assert report.find_all(["script", "link", "iframe"]) == []


def test_figures_of_the_report_are_kept_as_files(study):
    names = {"balance.png", "differences.png", "language-bias.png", "rank-distance.png", "wins.png"}
    assert {file.name for file in (study[1] / "figures").iterdir()} == names


def test_report_links_to_the_page_of_every_run(report, study):
    links = [a["href"] for a in report.find_all("a") if a["href"].startswith("runs/")]
    assert links == [f"runs/{run}/index.html" for run in load_study(study[0]).runs()]
    assert [link for link in links if not (study[1] / link).is_file()] == []


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
            "wins ties losses concepts seeds baseline_seeds"
        ).split()
    )
    assert set(zip(compared["configuration"], compared["baseline"], strict=True)) == {("hybrid 0.5", "monolingual")}


def test_comparisons_are_differences_of_the_results(study):
    compared = pd.read_csv(study[1] / "comparisons.csv").set_index(["setting", "measure"])["difference"]
    means = {config.label(): result_of(study[1] / "runs" / run)["means"]["all"] for run, config in runs_of(study)}
    for setting, measure in compared.index:
        difference = means["hybrid 0.5"][setting][measure] - means["monolingual"][setting][measure]
        assert compared[setting, measure] == pytest.approx(difference, rel=1e-4, abs=1e-6)


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
    tables = {"comparisons.csv", "languages.parquet", "ranks.parquet", "scores.csv", "scores.parquet"}
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


@pytest.mark.parametrize(
    ("settings", "measures", "figures"),
    [
        (["multilingual"], None, "language-bias rank-distance single-answer"),
        (["monolingual"], None, "pairs"),
        (["monolingual", "multilingual"], ["AP"], "pairs language-bias rank-distance single-answer"),
    ],
)
@pytest.mark.parametrize("systems", [1, 2])
def test_evaluation_notebook_on_some_settings_and_measures(folders, monkeypatch, settings, measures, figures, systems):
    """German has a query and a passage of one concept alone."""
    cells = [*((f"c{c}", code) for c in range(8) for code in ("en", "zh")), ("c0", "de")]
    lines = [{"concept": c, "language": code, "query": f"{c} {code}?", "passage": f"{c} {code}"} for c, code in cells]
    file, outs = folders / "own.jsonl", [folders / f"out{number}" for number in range(systems)]
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    monkeypatch.setattr(evaluate_command, "execute_evaluation", lambda *_: "")
    for number, out in enumerate(outs):
        chosen = {"corpus": str(file), "settings": settings, "measures": measures, "max_length": 4 + 8 * number}
        evaluate_command.evaluate(Request(out, encoder="tiny", label=f"tiny {number}", **chosen), str)
    run_here(EVALUATE, folders=[str(out) for out in outs], out=str(folders / "both"))
    found = {file.stem for file in (folders / "both" / "figures").iterdir()}
    assert found - {"differences"} == set(figures.split())
    assert ("differences" in found) == (systems == 2 and "pairs" in figures)
    assert (folders / "both" / "comparisons.csv").exists() == (systems == 2)


def test_evaluation_notebook_on_a_folder_without_results_names_it(folders):
    with pytest.raises(InputError, match=r"empty: found no result\.json"):
        run_here(EVALUATE, folders=[str(folders / "empty")], out=str(folders))


def test_unknown_parameter_ends_the_notebook(folders):
    """papermill itself only warns of it."""
    with pytest.raises(PapermillExecutionError) as error:
        execute(TRAIN, folders / "out.ipynb", **SMALL, stepz=9)
    assert error.value.ename == "InputError"
    assert error.value.evalue == (
        f"parameters: found unknown parameter 'stepz', expected one of study {' '.join(RunConfig.model_fields)}"
    )
    assert list(folders.rglob("result.json")) == []


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"alpha": 2}, "parameters: found alpha = 2, expected less than or equal to 1"),
        ({"batch_size": 17}, "batch_size: found 17, expected at most the 16 training concepts"),
        ({"train_languages": ["en", "xx"]}, "corpus scenes: found language 'xx', expected one of: en de "),
        ({"study": "../elsewhere"}, "study: found the name '../elsewhere', expected "),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_bad_parameters_leave_no_result(folders, parameters, message):
    with pytest.raises(InputError) as error:
        run_here(TRAIN, **{**SMALL, **parameters})
    assert str(error.value).startswith(message)
    assert len(str(error.value).splitlines()) == 1
    assert [file for file in folders.rglob("*") if file.is_file()] == []


def test_corpus_notebook_on_scenes(folders, capsys):
    variables = run_here(CORPUS, languages=["en", "de", "zh"], validation_concepts=20, test_concepts=30)
    assert variables["corpus"].languages == ["en", "de", "zh"]
    assert f"scenes: {len(variables['corpus'].concepts)} concepts, 3 languages" in capsys.readouterr().out
    assert variables["shared"]["texts"].tolist() == [60, 60, 60]


def test_corpus_notebook_on_a_file(folders):
    """Three concepts in three forms; the Greek text stands alone in its cell."""
    lines = [
        {"concept": "a", "language": "en", "query": "a dog", "passage": "One dog."},
        {"concept": "a", "language": "el", "text": "ένας σκύλος"},
        {"concept": "b", "language": "en", "query": "a cat", "passage": "One dog."},
        {"concept": "c", "language": "el", "query": "γάτα", "passage": "μια γάτα"},
        {"concept": "c", "language": "en", "query": "the <b>cat</b>", "passage": "That cat."},
    ]
    file = folders / "own.jsonl"
    file.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    shown = execute(CORPUS, folders / "out.ipynb", corpus=str(file), validation_concepts=1, test_concepts=1)
    assert "own: 3 concepts, 2 languages, 9 texts" in shown
    assert "<th>el</th><td>Greek</td><td>Greek</td><td>2</td><td>3</td><td>1</td>" in shown
    assert "1 of 5 cells have no monolingual pair, most of them in Greek (1)." in shown
    assert "<b>cat" not in shown
