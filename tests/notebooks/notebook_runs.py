"""The notebooks, executed through papermill or cell by cell in this process.

A kernel takes seconds to start, so papermill executes eight notebooks in all (one of them in test_execute.py). Where a
kernel makes no difference, the cells are run here, with the parameters as papermill injects them.
"""

from pathlib import Path

import matplotlib as mpl
import nbformat
import papermill
from papermill.iorw import load_notebook_node
from papermill.parameterize import parameterize_notebook

mpl.use("Agg")
PROJECT = Path(__file__).parents[2]
NOTEBOOKS = sorted((PROJECT / "notebooks").glob("*.ipynb"))
_BY_NAME = {file.stem: file for file in NOTEBOOKS}
CORPUS, TRAIN, COMPARE, SIMILARITIES = (
    _BY_NAME[name] for name in ("1-corpus", "2-train", "3-compare", "4-similarities")
)
EVALUATE = _BY_NAME["evaluate"]
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


def cells_of(file, kind="code"):
    return [cell for cell in nbformat.read(file, as_version=4).cells if cell.cell_type == kind]


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
