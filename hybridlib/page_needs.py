"""Whether a page can be written: it takes the notebooks of the project and the packages of the extra ``study``."""

from __future__ import annotations

from importlib.util import find_spec

from hybridlib.errors import InputError
from hybridlib.paths import project_folder

_MODULES = "papermill nbconvert nbformat bleach bs4 ipykernel IPython ipywidgets matplotlib seaborn PIL".split()


def why_no_page() -> str | None:
    """Say in one line what keeps notebooks from being executed here; None if nothing does. Imports none of it."""
    missing = [name for name in _MODULES if find_spec(name) is None]
    if missing:
        return f"found no module {', '.join(missing)}, expected those of pip install 'hybridlib[study]'"
    try:
        project_folder()
    except InputError as error:
        return f"{error}, as the working directory"
    return None
