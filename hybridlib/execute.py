"""Executes a notebook through papermill and turns it into one offline HTML page."""

from __future__ import annotations

import base64
import logging
import re
import tempfile
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import bleach
import nbformat
import papermill
from bs4 import BeautifulSoup, Tag
from nbconvert import HTMLExporter
from papermill.exceptions import PapermillExecutionError

from hybridlib.cache import replace_file
from hybridlib.config import RunConfig
from hybridlib.errors import InputError
from hybridlib.page_cells import merged
from hybridlib.paths import project_folder, reports_folder, run_folder, study_folder
from hybridlib.plain_text import visible_html
from hybridlib.study import Study

log = logging.getLogger(__name__)
_UNSHOWN = {"parameters", "injected-parameters", "hidden"}
_HEADINGS = ("h1", "h2", "h3", "h4")
_PNG = re.compile(rb"\x89PNG\r\n\x1a\n.{4}IHDR(.{4})(.{4})", re.DOTALL)
_TAGS = {
    *bleach.ALLOWED_TAGS,
    *_HEADINGS,
    *"p br hr div span pre table thead tbody tr th td wbr sup sub details summary".split(),
}


def execute_run(study: str, run: str, config: RunConfig) -> Path:
    """Execute ``2-train.ipynb`` for one configuration; returns the page ``index.html`` in the run's folder."""
    parameters = {"study": study, **config.model_dump(mode="json")}
    return _execute("2-train.ipynb", run_folder(study, run), parameters, f"{config.label()}, seed {config.seed}")


def execute_comparison(study: Study) -> Path:
    """Execute ``3-compare.ipynb`` for a study; returns the page ``index.html`` in the study's folder."""
    return _execute("3-compare.ipynb", study_folder(study.name), {"study_file": str(study.path.resolve())}, study.title)


def execute_findings() -> Path:
    """Execute ``5-findings.ipynb`` on the tables of all reported studies; returns the page ``reports/index.html``."""
    return _execute("5-findings.ipynb", reports_folder(), {}, "How to balance monolingual and cross-lingual retrieval?")


def execute_similarities(corpus: str, concepts: int) -> Path:
    """Execute ``4-similarities.ipynb`` on a corpus and the finished studies; returns ``similarities/index.html``."""
    folder = reports_folder() / "similarities"
    parameters = {"corpus": corpus, "concepts": concepts}
    return _execute("4-similarities.ipynb", folder, parameters, "Similarities of positives and negatives")


def execute_evaluation(folders: Sequence[Path], out: Path, title: str) -> Path:
    """Execute ``evaluate.ipynb`` for results of ``evaluate``; returns the page ``index.html`` in ``out``."""
    parameters = {"folders": [_from_project(folder) for folder in folders], "out": _from_project(out)}
    return _execute("evaluate.ipynb", out, parameters, title)


def _from_project(folder: Path) -> str:
    """Return a path as it is from the project's folder, in which notebooks run, so that pages say it as elsewhere."""
    whole, project = folder.resolve(), project_folder().resolve()
    return str(whole.relative_to(project) if whole.is_relative_to(project) else whole)


def _execute(notebook: str, folder: Path, parameters: dict[str, Any], title: str) -> Path:
    project = project_folder()
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        output = Path(scratch) / "notebook.ipynb"
        try:
            papermill.execute_notebook(
                project / "notebooks" / notebook,
                output,
                parameters=parameters,
                cwd=project,
                kernel_name="python3",
                progress_bar=False,
                log_output=True,
            )
        except PapermillExecutionError as error:
            if error.ename == InputError.__name__:
                raise InputError(error.evalue) from None
            raise
        page = html_page(output, title)
        replace_file(folder / "notebook.ipynb", output.read_bytes())
    replace_file(folder / "index.html", page.encode())
    return folder / "index.html"


def html_page(notebook: Path, title: str) -> str:
    """Render an executed notebook: pictures embedded, outputs sanitised, inputs folded away, nothing from elsewhere.

    Controls and changes of the text's direction are shown as escapes, so that what is read is what is there.
    """
    content = nbformat.read(notebook, as_version=4)
    content.cells = [cell for cell in content.cells if not _UNSHOWN & set(cell.metadata.get("tags", []))]
    for cell in content.cells:
        if cell.cell_type != "code":
            continue
        cell["outputs"] = [output for output in cell.get("outputs", []) if output.get("name") != "stderr"]
        for output in cell["outputs"]:
            alt = output.get("metadata", {}).get("image/png", {}).get("alt")
            if "metadata" in output:
                size = _size(output.get("data", {}).get("image/png", ""))
                output["metadata"] = {"image/png": size | ({"alt": alt} if alt else {})}
    content.cells = merged(content.cells)
    with resources.as_file(resources.files("hybridlib")) as package:
        exporter = HTMLExporter(
            template_name="page",
            extra_template_basedirs=[str(package)],
            sanitize_html=True,
            exclude_input_prompt=True,
            exclude_output_prompt=True,
        )
        exporter.register_filter("clean_html", _clean)
        body, _ = exporter.from_notebook_node(content, {"page_title": title})
    return visible_html(_structured(body))


def _size(png: str) -> dict[str, int]:
    """Return the width and height of a PNG in base64, so that its place is kept free before it is drawn."""
    try:
        found = _PNG.match(base64.b64decode(png[:32]))
    except ValueError:
        return {}
    return {side: int.from_bytes(found[number]) for number, side in ((1, "width"), (2, "height"))} if found else {}


def _clean(html: object) -> str:
    """Keep text, headings, tables and links of ours; escape every other tag and drop every other attribute."""
    return bleach.clean(
        str(html),
        tags=_TAGS,
        attributes={"*": ["class", "dir", "lang"], "a": ["href"], "th": ["colspan"]}
        | {heading: ["id"] for heading in _HEADINGS},
        protocols=["https"],
        strip_comments=True,
    )


def _structured(page: str) -> str:
    """Add what readers move by: contents, unique ids, tables and pictures that scroll by key, scopes of head cells."""
    soup = BeautifulSoup(page, "html.parser")
    for link in soup.select("a.anchor-link"):
        link.decompose()
    _name_sections(soup)
    _framed(soup, "img", "Figure")
    for table in _framed(soup, "table", "Table"):
        _say_scopes(table)
    return str(soup)


def _name_sections(soup: BeautifulSoup) -> None:
    """Give every section an id, no two tags the same, and list the sections in the contents if there are several."""
    sections = soup.find_all("h2")
    for section in sections:
        section["id"] = section.get("id") or "section"
    taken: set[str] = set()
    for tag in soup.find_all(id=True):
        name, number = str(tag["id"]), 1
        while tag["id"] in taken:
            number += 1
            tag["id"] = f"{name}-{number}"
        taken.add(str(tag["id"]))
    for section in sections:
        item = soup.new_tag("li")
        item.append(soup.new_tag("a", href=f"#{section['id']}", string=section.get_text()))
        soup.select("nav ol")[0].append(item)
    if len(sections) < 2:
        soup.select("nav")[0].decompose()


def _say_scopes(table: Tag) -> None:
    """Say of each head cell what it heads."""
    for cell in table.find_all("th"):
        if cell.get_text(strip=True):
            above = "rowgroup" if "group" in (cell.get("class") or "") else "row"
            cell["scope"] = "col" if cell.find_parent("thead") else above
        else:
            cell.name = "td"


def _framed(soup: BeautifulSoup, name: str, called: str) -> list[Tag]:
    """Put every tag of a name into a region of the class ``wide`` that takes the focus and is called by its heading."""
    heading, found = "", []
    for tag in soup.find_all([*_HEADINGS, name]):
        if tag.name != name:
            heading = f": {tag.get_text()}"
            continue
        found.append(tag)
        label = f"{called} {len(found)}{heading}"
        tag.wrap(soup.new_tag("div", attrs={"class": "wide", "role": "region", "tabindex": "0", "aria-label": label}))
    return found
