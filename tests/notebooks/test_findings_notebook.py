"""The page of findings: made of studies with all their parts, and of one with none that it can do without."""

import json
import shutil
from types import SimpleNamespace

import IPython.display
import nbformat
import pandas as pd
import pytest
from bs4 import BeautifulSoup
from IPython.display import HTML, Image
from matplotlib import pyplot as plt
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from notebook_runs import PROJECT, cells_of, environment, run_here
from told_cases import report
from typer.testing import CliRunner

from hybridlib import __main__ as command_line
from hybridlib import claims_show, execute, show
from hybridlib.errors import InputError

FINDINGS = PROJECT / "notebooks" / "5-findings.ipynb"
FULL = """
title: Everything
question: Which alpha?
baseline: hybrid 0.5
references: [crosslingual]
axis: alpha
defaults: {encoder: tiny}
runs: [{sampler: untrained}]
grid: {sampler: [crosslingual, monolingual, hybrid], seed: [1, 2]}
systems: [{of: hybrid 0.5, debias: [centring]}]
"""
FEW = """
title: Little
baseline: monolingual
defaults: {encoder: tiny}
grid: {sampler: [monolingual, mixed]}
"""


def page_of(folder, **parameters):
    """Run the notebook on the reports in a folder; returns what it displays and the reports."""
    shown = []
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment(folder).items():
            patch.setenv(name, value)
        patch.chdir(PROJECT)
        for module in (IPython.display, show, claims_show):
            patch.setattr(module, "display", shown.append)
        run_here(FINDINGS, **parameters)
    return SimpleNamespace(shown=shown, reports=folder / "reports")


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    """The reports of both studies; claims are made of the one that is called xm3600."""
    folder = tmp_path_factory.mktemp("studies")
    report(folder / "reports", FEW, "few")
    report(folder / "reports", FULL, "xm3600", demonstration=False)
    return folder


@pytest.fixture(scope="module")
def full(tables, tmp_path_factory):
    """The page of both studies, in a folder where no page was before."""
    return page_of(shutil.copytree(tables, tmp_path_factory.mktemp("full"), dirs_exist_ok=True))


@pytest.fixture(scope="module")
def few(tables, tmp_path_factory):
    """The page of the small study alone."""
    folder = tmp_path_factory.mktemp("few")
    shutil.copytree(tables / "reports" / "few", folder / "reports" / "few")
    return page_of(folder)


def text_of(page):
    """What is displayed but for pictures, as text."""
    parts = [one.data for one in page.shown if not isinstance(one, Image)]
    return BeautifulSoup("\n".join(parts), "html.parser").get_text()


def table_of(page, head):
    """The rows of the first table whose first column has that name."""
    for one in (one.data for one in page.shown if isinstance(one, HTML)):
        found = BeautifulSoup(one, "html.parser")
        heads = found.select("thead tr:last-child th")
        if heads and heads[0].get_text() == head:
            return [[cell.get_text() for cell in row.find_all(["th", "td"])] for row in found.tbody.find_all("tr")]
    return None


def verdicts_of(page):
    """What the lines of claims say first, and the studies that they name."""
    found = BeautifulSoup("".join(one.data for one in page.shown if isinstance(one, HTML)), "html.parser")
    lines = found.select("div.claims details summary")
    studies = [line.find(class_="where").get_text().rpartition("study ")[2] for line in lines]
    return [(line.strong.get_text()[2:], study) for line, study in zip(lines, studies, strict=True)]


def names_in(folder):
    return {file.name for file in folder.iterdir()}


def test_page_begins_with_the_answer_of_the_main_study(full):
    stands, best = (line for line in full.shown[0].data.splitlines() if line.strip("> "))
    assert stands.startswith("> Beside monolingual and crosslingual batches, which it mixes, **hybrid 0.5** is **")
    assert "In brackets its difference to monolingual, then to crosslingual batches, by nDCG@10 unless said" in stands
    assert best.startswith("> Of 5 systems of the study ")
    assert "Next to each study's baseline, nDCG@10 in the pool of all languages goes from worst to best" in text_of(
        full
    )
    names = [name for name, *_ in table_of(full, "study / batches")]
    assert names[0].startswith("Everything (")
    assert names[1:5] == ["hybrid", "− monolingual", "− crosslingual", "− untrained"]
    assert "A demonstration" not in text_of(full)


def test_page_of_made_up_texts_alone_says_so_first(few):
    assert few.shown[0].data.startswith("**A demonstration.** The captions of this study are made up")
    sentences = few.shown[1].data
    assert sentences.startswith("> Of 2 systems of the study ")
    assert "Beside" not in sentences


@pytest.mark.parametrize(
    ("name", "figures"),
    [
        ("full", ["balance", "published", "forest", "xm3600", "pairs", "differences", "rank-distance"]),
        ("few", ["balance", "published", "forest", "pairs", "rank-distance"]),
    ],
)
def test_figures_are_described_explained_and_kept(request, name, figures):
    """Without an axis there is no curve, without the parents of hybrid batches no difference to them."""
    page = request.getfixturevalue(name)
    pictures = [one for one in page.shown if isinstance(one, Image)]
    assert [len(picture.alt) >= 30 for picture in pictures] == [True] * len(figures)
    assert names_in(page.reports / "figures") == {f"{figure}.png" for figure in figures}
    assert [(page.reports / "figures" / f"{figure}.png").read_bytes() for figure in figures] == [
        picture.data for picture in pictures
    ]
    assert text_of(page).count("*How to read it.*") >= len(figures)
    assert text_of(page).count("*Result.*") >= len(figures)
    assert plt.get_fignums() == []


def test_curves_are_of_the_studies_of_real_texts_and_are_said_to_be_missing(full, few):
    assert "### [Everything](xm3600/index.html)\n\nWhich alpha?" in text_of(full)
    assert "**hybrid** over alpha: within a language best at " in text_of(full)
    assert "No reported study goes over one of these." not in text_of(full)
    assert "No reported study goes over one of these." in text_of(few)


def test_heatmaps_are_of_the_parents_and_of_the_subject(full, few):
    alts = [one.alt for page in (full, few) for one in page.shown if isinstance(one, Image) and "Heatmaps" in one.alt]
    assert alts == [
        "Heatmaps of nDCG@10, query language by passage language, of monolingual, crosslingual, hybrid 0.5.",
        "Heatmaps of the difference of nDCG@10 of hybrid 0.5 to monolingual and crosslingual, query language by "
        "passage language.",
        "Heatmaps of nDCG@10, query language by passage language, of monolingual.",
    ]
    assert "hybrid 0.5 − monolingual: The highest difference is " in text_of(full)
    assert "hybrid 0.5 − crosslingual: The highest difference is " in text_of(full)


def test_claims_are_judged_where_there_are_results_and_else_cannot_be_told(full, few):
    for page, known in ((full, "xm3600"), (few, None)):
        rows = verdicts_of(page)
        assert len(rows) >= 12
        assert {verdict for verdict, study in rows if study != known} == {"cannot tell here"}
        kept = pd.read_csv(page.reports / "tables" / "claims.csv")
        assert kept["verdict"].tolist() == [verdict for verdict, _ in rows]
        judged = kept[kept["reproduce"] == "make study STUDY=xm3600"]["ours"]
        assert judged.str.contains("nDCG@10").any() == (known is not None)
        assert f"Of {len(rows)} claims, " in text_of(page)
    assert f"cannot tell here: {len(rows)}." in text_of(few)


def test_methods_have_their_cost(full, few):
    costs = {label.split(" (")[0]: seconds for label, *_, seconds in table_of(full, "configuration")}
    assert costs == {
        "untrained": "0", "crosslingual": "900", "monolingual": "900", "hybrid 0.5": "900",
        "hybrid 0.5 + centring": "900",
    }  # fmt: skip
    assert {row[0] for row in table_of(few, "configuration")} == {"monolingual (a)", "mixed"}


def test_studies_are_listed_with_their_commands_demonstrations_last(full):
    assert table_of(full, "study") == [
        ["Everything", "5", "7", "0", "1.5", "no", "make study STUDY=xm3600"],
        ["Little", "2", "2", "0", "0.5", "yes", "make study STUDY=few"],
    ]
    assert "- [Everything](xm3600/index.html)\n- [Little](few/index.html)\n" in text_of(full)


def test_the_study_that_answers_can_be_named_and_the_folder_given(tables, tmp_path):
    (tmp_path / "reports").mkdir()
    elsewhere = shutil.copytree(tables / "reports", tmp_path / "elsewhere")
    with pytest.raises(InputError, match="main: found 'many', expected one of the reported studies xm3600 few"):
        page_of(tmp_path, reports=str(elsewhere), main="many")
    with pytest.raises(InputError, match="found no reported study"):
        page_of(tmp_path)


def as_output(shown):
    if isinstance(shown, Image):
        data, metadata = shown._repr_mimebundle_()
        return new_output("display_data", data, metadata=metadata)
    return new_output("display_data", {"text/html" if isinstance(shown, HTML) else "text/markdown": shown.data})


@pytest.fixture
def calls(full, monkeypatch):
    """What papermill was called with; instead of executing the notebook it writes what the page showed before."""
    asked = []

    def write(source, target, **options):
        asked.append((source, options["parameters"], options["cwd"]))
        outputs = new_code_cell("1", outputs=[as_output(one) for one in full.shown])
        titles = [new_markdown_cell(cell.source) for cell in cells_of(FINDINGS, "markdown")]
        nbformat.write(new_notebook(cells=[*titles, outputs]), target)

    monkeypatch.setattr(execute.papermill, "execute_notebook", write)
    monkeypatch.setenv("HYBRIDLIB_REPORTS", str(full.reports))
    monkeypatch.chdir(PROJECT)
    return asked


def test_command_makes_the_page_from_the_tables_alone(full, calls):
    said = CliRunner().invoke(command_line.app, ["findings"])
    file = full.reports / "index.html"
    assert (said.exit_code, said.stdout.strip()) == (0, str(file))
    assert calls == [(FINDINGS, {}, PROJECT)]
    page = BeautifulSoup(file.read_text(), "html.parser")
    assert page.title.get_text() == page.h1.get_text() == "How to balance monolingual and cross-lingual retrieval?"
    assert len(page.find_all("img")) == 7
    assert len(page.select(".claims details")) == len(verdicts_of(full))
    links = {link["href"] for link in page.find_all("a", href=True)}
    assert {"xm3600/index.html", "few/index.html", "tables/claims.csv", "tables/methods.tex"} <= links
    assert [link for link in links if link.startswith("tables/") and not (full.reports / link).is_file()] == []
    assert json.loads((full.reports / "notebook.ipynb").read_text())["cells"]
