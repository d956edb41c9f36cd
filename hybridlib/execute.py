"""Executes a notebook through papermill and turns it into one offline HTML page."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import bleach
import nbformat
import papermill
from nbconvert import HTMLExporter
from papermill.exceptions import PapermillExecutionError

from hybridlib.cache import replace_file
from hybridlib.config import RunConfig
from hybridlib.errors import InputError
from hybridlib.paths import project_folder, run_folder, study_folder
from hybridlib.plain_text import visible_html
from hybridlib.study import Study

log = logging.getLogger(__name__)
_UNSHOWN = {"parameters", "injected-parameters", "hidden"}
_TAGS = set(bleach.ALLOWED_TAGS) | set(
    "h1 h2 h3 h4 p br hr div span pre table thead tbody tr th td sup sub dl dt dd".split()
)


def execute_run(study: str, run: str, config: RunConfig) -> Path:
    """Execute ``2-train.ipynb`` for one configuration; returns the page ``index.html`` in the run's folder."""
    parameters = {"study": study, **config.model_dump(mode="json")}
    return _execute("2-train.ipynb", run_folder(study, run), parameters, f"{config.label()}, seed {config.seed}")


def execute_comparison(study: Study) -> Path:
    """Execute ``3-compare.ipynb`` for a study; returns the page ``index.html`` in the study's folder."""
    return _execute("3-compare.ipynb", study_folder(study.name), {"study_file": str(study.path.resolve())}, study.title)


def execute_evaluation(folders: Sequence[Path], out: Path, title: str) -> Path:
    """Execute ``5-evaluate.ipynb`` for results of ``evaluate``; returns the page ``index.html`` in ``out``."""
    parameters = {"folders": [str(folder.resolve()) for folder in folders], "out": str(out.resolve())}
    return _execute("5-evaluate.ipynb", out, parameters, title)


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
        cell["outputs"] = [output for output in cell.get("outputs", []) if output.get("name") != "stderr"]
        for output in cell["outputs"]:
            alt = output.get("metadata", {}).get("image/png", {}).get("alt")
            if "metadata" in output:
                output["metadata"] = {"image/png": {"alt": alt}} if alt else {}
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
    return visible_html(body)


def _clean(html: object) -> str:
    """Keep text, headings, tables and links of ours; escape every other tag and drop every other attribute."""
    return bleach.clean(
        str(html),
        tags=_TAGS,
        attributes={"*": ["class", "id"], "a": ["href"]},
        protocols=["https"],
        strip_comments=True,
    )
