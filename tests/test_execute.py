import base64
import re
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest
from bs4 import BeautifulSoup
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output, new_raw_cell

from hybridlib import execute
from hybridlib.config import RunConfig
from hybridlib.errors import InputError
from hybridlib.execute import execute_comparison, execute_evaluation, execute_run, html_page
from hybridlib.study import load_study

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n and so on").decode()
LOADING = {"script", "iframe", "object", "embed", "form", "link", "base", "svg", "audio", "video", "input", "frame"}


@pytest.fixture
def page_of(tmp_path):
    """Render cells; returns the parsed page."""

    def render(*cells, title="Title"):
        nbformat.write(new_notebook(cells=list(cells)), tmp_path / "notebook.ipynb")
        return BeautifulSoup(html_page(tmp_path / "notebook.ipynb", title), "html.parser")

    return render


def displayed(data, metadata=None):
    return new_code_cell("1", outputs=[new_output("display_data", data, metadata=metadata or {})])


def printed(text, name="stdout"):
    return new_code_cell("1", outputs=[new_output("stream", name=name, text=text)])


# Everything that can bring text of others into a page.
WAYS = {
    "markdown": new_markdown_cell,
    "raw": new_raw_cell,
    "HTML": lambda text: displayed({"text/html": text}),
    "caption": lambda text: displayed({"text/markdown": text}),
    "plain": lambda text: displayed({"text/plain": text}),
    "LaTeX": lambda text: displayed({"text/latex": text}),
    "print": printed,
    "code": new_code_cell,
    "error": lambda text: new_code_cell("1", outputs=[new_output("error", ename=text, evalue=text, traceback=[text])]),
    "alt": lambda text: displayed({"image/png": PNG}, {"image/png": {"alt": text}}),
    "tag": lambda text: new_code_cell("1", metadata={"tags": [text.replace(",", "")]}),
    "SVG": lambda text: displayed({"image/svg+xml": text}),
    "JavaScript": lambda text: displayed({"application/javascript": text}),
    "Mermaid": lambda text: displayed({"text/vnd.mermaid": text}),
}
ATTACKS = {
    "script": "<script>alert(1)</script>",
    "open script": "<script src=https://evil.example/x.js>",
    "onerror": "<img src=x onerror=alert(1)>",
    "attribute": '" onmouseover="alert(1)" x="',
    "handler": "<p onclick='alert(1)'>text</p>",
    "link": '<a href="javascript:alert(1)">text</a>',
    "hidden link": '<a href=" java\tscript:alert(1)">text</a>',
    "data link": '<a href="data:text/html,<script>alert(1)</script>">text</a>',
    "markdown link": "[text](javascript:alert(1))",
    "markdown picture": "![text](https://evil.example/x.png)",
    "iframe": '<iframe src="https://evil.example/"></iframe>',
    "svg": "<svg onload=alert(1)><script>alert(1)</script></svg>",
    "style": "<style>@import url(https://evil.example/x.css)</style>",
    "style attribute": '<p style="background:url(https://evil.example/x.png)">text</p>',
    "form": '<form action="https://evil.example/"><input></form>',
    "refresh": '<meta http-equiv="refresh" content="0;url=https://evil.example/">',
    "base": '<base href="https://evil.example/">',
    "out": "</pre></div></main></body></html><script>alert(1)</script>",
    "comment": "<!--><script>alert(1)</script>-->",
    "nested": "<scr<script>ipt>alert(1)</script>",
    "math": "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_no_text_becomes_active(page_of, attack):
    page = page_of(*(make(ATTACKS[attack]) for make in WAYS.values()))
    assert [tag.name for tag in page.find_all(LOADING)] == []
    assert [name for tag in page.find_all(True) for name in tag.attrs if name.startswith("on")] == []
    assert [tag for tag in page.body.find_all(True) if tag.name in ("style", "meta") or "style" in tag.attrs] == []
    assert [a["href"] for a in page.find_all("a", href=True) if not a["href"].startswith(("https://", "#"))] == []
    assert [tag for tag in page.find_all(src=True) if not tag["src"].startswith("data:image/")] == []


@pytest.mark.parametrize("way", ["HTML", "plain", "print", "code"])
def test_tags_are_shown_as_text(page_of, way):
    assert ATTACKS["script"] in page_of(WAYS[way](f"a {ATTACKS['script']}")).main.get_text()


@pytest.mark.parametrize("attack", ATTACKS)
def test_title_is_text(page_of, attack):
    page = page_of(title=f"{ATTACKS[attack]}</title>")
    assert page.title.get_text() == f"{ATTACKS[attack]}</title>"
    assert page.find("script") is None


def test_isolated_html_makes_no_frame(page_of):
    assert page_of(displayed({"text/html": "<b>text</b>"}, {"text/html": {"isolated": True}})).find("iframe") is None


@pytest.mark.parametrize("kind", ["image/png", "image/jpeg"])
@pytest.mark.parametrize("side", ["width", "height"])
def test_size_of_a_picture_brings_no_attribute(page_of, kind, side):
    page = page_of(displayed({kind: PNG}, {kind: {side: "1 onerror=alert(1)"}}))
    assert "onerror" not in page.img.attrs


@pytest.mark.parametrize("kind", ["image/png", "image/svg+xml"])
def test_picture_is_never_a_file_elsewhere(page_of, kind):
    data = PNG if kind == "image/png" else "<svg/>"
    page = page_of(displayed({kind: data}, {"filenames": {kind: "https://evil.example/x.png"}}))
    assert page.img["src"].startswith("data:")


def test_nothing_is_loaded_from_elsewhere(page_of):
    cells = [make("text https://plain.example/ text") for make in WAYS.values()]
    page = page_of(*cells, displayed({"image/png": PNG}))
    assert {tag.name for tag in page.find_all(src=True)} == {"img"}
    assert {tag.name for tag in page.find_all(href=True)} <= {"a"}
    assert re.findall(r"url\(|@import|https?://", "".join(style.get_text() for style in page.find_all("style"))) == []


def test_browser_is_told_before_the_styles_to_load_nothing(page_of):
    head = page_of().head
    policy = head.find("meta", attrs={"http-equiv": "Content-Security-Policy"})
    rules = dict(rule.split(maxsplit=1) for rule in policy["content"].split("; "))
    assert rules == {"default-src": "'none'", "img-src": "data:", "style-src": "'unsafe-inline'"}
    assert head.style in policy.find_next_siblings()


@pytest.mark.parametrize("way", ["markdown", "HTML", "caption"])
def test_links_of_ours_are_kept(page_of, way):
    page = page_of(WAYS[way]('<a href="https://doi.example/1">1</a> <a href="runs/a-run/index.html">2</a>'))
    assert [a["href"] for a in page.find_all("a")] == ["https://doi.example/1", "runs/a-run/index.html"]


def test_picture_is_embedded_with_its_alt_text(page_of):
    alt = 'Bars: "a" < b & c'
    page = page_of(displayed({"image/png": PNG, "text/plain": "<Image>"}, {"image/png": {"alt": alt}}))
    assert page.img["src"] == f"data:image/png;base64,{PNG}"
    assert page.img["alt"] == alt


def test_inputs_are_folded_away(page_of):
    page = page_of(new_code_cell("answer = 42"), printed("seen"), printed("seen"))
    folds = [details.get_text().split() for details in page.find_all("details")]
    assert folds == [["code", "answer", "=", "42", "1"], ["code", "1"]]  # what shows nothing stands with the next
    assert not page.details.has_attr("open")


def test_outputs_are_not_folded_away(page_of):
    page = page_of(printed("seen"), displayed({"text/html": "<table></table>"}), displayed({"image/png": PNG}))
    for details in page.find_all("details"):
        details.decompose()
    assert "seen" in page.main.get_text()
    assert [tag.name for tag in page.find_all(["table", "img"])] == ["table", "img"]


def test_standard_error_is_hidden(page_of):
    page = page_of(printed("a warning", "stderr"), printed("a result"))
    assert "a warning" not in page.get_text()
    assert "a result" in page.get_text()


@pytest.mark.parametrize("tag", ["parameters", "injected-parameters", "hidden"])
def test_cells_of_the_machinery_are_not_shown(page_of, tag):
    page = page_of(new_code_cell("secret = 1", metadata={"tags": [tag, "other"]}), new_code_cell("shown = 1"))
    assert "secret" not in page.get_text()
    assert "shown" in page.get_text()


def test_an_input_can_be_hidden_and_its_outputs_shown(page_of):
    shown = {"metadata": {"tags": ["hide-input"]}, "outputs": [new_output("stream", text="said")]}
    page = page_of(new_code_cell("secret = 7", **shown))
    assert "said" in page.get_text()
    assert "secret" not in page.get_text()


MARKDOWN = """# One

## Two

> **Answer.** *It* `works`.

| a | b |
|---|---|
| 1 | 2 |

- first
"""


@pytest.mark.parametrize("way", ["markdown", "caption"])
def test_markdown_keeps_its_form(page_of, way):
    page = page_of(WAYS[way](MARKDOWN))
    assert page.h1.get_text().startswith("One")
    assert page.h2.get_text().startswith("Two")
    assert page.blockquote.get_text(strip=True, separator=" ") == "Answer. It works ."
    assert [tag.name for tag in page.blockquote.find_all(["strong", "em", "code"])] == ["strong", "em", "code"]
    assert [cell.get_text() for cell in page.table.find_all(["th", "td"])] == ["a", "b", "1", "2"]
    assert [item.get_text() for item in page.find_all("li")] == ["first"]


def test_table_keeps_its_form(page_of):
    html = '<table><thead><tr><th>a</th></tr></thead><tbody><tr><td dir="rtl"><em>1</em></td></tr></tbody></table>'
    assert str(page_of(displayed({"text/html": html})).table) == html.replace("<th>", '<th scope="col">')


def test_prompts_are_left_out(page_of):
    cell = new_code_cell("1", execution_count=3)
    cell.outputs = [new_output("execute_result", {"text/plain": "1"}, execution_count=3)]
    assert re.findall(r"(In|Out)\s*\[", page_of(cell).get_text()) == []


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project whose notebook refuses its input, as the working directory."""
    refusing = """
from hybridlib.errors import InputError
raise InputError("alpha: found 2, expected at most 1\\nseed: found -1, expected 0 or more")
"""
    parameters = new_code_cell("study = ''", metadata={"tags": ["parameters"]})
    notebook = new_notebook(cells=[parameters, new_code_cell(refusing.strip())])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    (tmp_path / "notebooks").mkdir()
    nbformat.write(notebook, tmp_path / "notebooks" / "2-train.ipynb")
    monkeypatch.setenv("HYBRIDLIB_REPORTS", str(tmp_path / "reports"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_input_that_a_notebook_refuses_is_an_input_error_here(project):
    with pytest.raises(InputError) as error:
        execute_run("mine", "a-run", RunConfig())
    assert str(error.value) == "alpha: found 2, expected at most 1\nseed: found -1, expected 0 or more"
    assert [file for file in project.joinpath("reports").rglob("*") if file.is_file()] == []


@pytest.fixture
def executions(project, monkeypatch):
    """Keyword arguments that papermill was called with; it copies the notebook instead of executing it."""
    calls = []

    def copy(source, target, **options):
        calls.append(SimpleNamespace(source=source, **options))
        nbformat.write(new_notebook(cells=[new_markdown_cell("# Done")]), target)

    monkeypatch.setattr(execute.papermill, "execute_notebook", copy)
    return calls


def test_run_is_given_its_whole_configuration(executions, project):
    config = RunConfig(sampler="hybrid", alpha=0.25, train_languages=("en", "de"))
    page = execute_run("mine", "a-run", config)
    (call,) = executions
    assert call.parameters.pop("study") == "mine"
    assert RunConfig.checked(call.parameters) == config
    assert (call.source, call.cwd) == (project / "notebooks" / "2-train.ipynb", project)
    assert page == project / "reports" / "mine" / "runs" / "a-run" / "index.html"


def test_page_and_notebook_are_left(executions, project):
    page = execute_run("mine", "a-run", RunConfig(alpha=0.25, seed=7))
    assert {file.name for file in page.parent.iterdir()} == {"index.html", "notebook.ipynb"}
    assert BeautifulSoup(page.read_text(), "html.parser").title.get_text() == "hybrid 0.25, seed 7"
    assert nbformat.read(page.parent / "notebook.ipynb", as_version=4).cells[0].source == "# Done"


@pytest.mark.parametrize("folder", [".", "studies"])
def test_report_finds_its_study_from_any_folder_of_the_project(executions, project, monkeypatch, folder):
    """The notebook joins the path to the project's folder, whatever folder the command was given in."""
    (project / "studies").mkdir()
    (project / "studies" / "mine.yaml").write_text("title: Mine\nruns: [{}]")
    monkeypatch.chdir(project / folder)
    page = execute_comparison(load_study("mine.yaml" if folder == "studies" else "studies/mine.yaml"))
    assert (project / executions[0].parameters["study_file"]).is_file()
    assert page == project / "reports" / "mine" / "index.html"


def test_evaluation_is_given_its_folders_as_they_are_from_the_project(executions, project, tmp_path, monkeypatch):
    """Notebooks are executed there, and say what they were given: no page names folders of its author's machine."""
    monkeypatch.chdir(project / "notebooks")
    page = execute_evaluation([Path("a"), project / "b", tmp_path.parent / "c"], Path("../out"), "Mine")
    folders = ["notebooks/a", "b", str(tmp_path.parent / "c")]
    assert executions[0].parameters == {"folders": folders, "out": "out"}
    assert executions[0].cwd == project
    assert (executions[0].source.name, page) == ("evaluate.ipynb", Path("../out") / "index.html")


def test_error_of_a_notebook_that_is_no_input_error_is_not_hidden(project, monkeypatch):
    def fail(*_given, **_options):
        raise execute.PapermillExecutionError(0, 1, "1 / 0", "ZeroDivisionError", "division by zero", ["1 / 0 fails"])

    monkeypatch.setattr(execute.papermill, "execute_notebook", fail)
    with pytest.raises(execute.PapermillExecutionError, match="1 / 0 fails"):
        execute_run("mine", "a-run", RunConfig())
