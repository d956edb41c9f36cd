"""What pages need, and that an evaluation does without."""

import subprocess
import sys


def test_evaluating_imports_nothing_of_the_extra_study():
    """It is not there after ``pip install hybridlib``."""
    code = (
        "import sys\nfrom hybridlib import __main__, evaluate_command, page_needs\npage_needs.why_no_page()\n"
        "print(*{name.partition('.')[0] for name in sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    extra = "papermill nbconvert nbformat bleach bs4 faiss ipykernel IPython ipywidgets matplotlib seaborn snakemake"
    assert set(extra.split()) & set(done.stdout.split()) == set()
