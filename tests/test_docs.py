"""What the documents point to is there."""

import re
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[1]
DOCUMENTS = [PROJECT / name for name in ("README.md", "SECURITY.md", "benchmarks/README.md")]
DOCUMENTS += sorted((PROJECT / "docs").glob("*.md"))
FOLDERS = "benchmarks docs hybridlib notebooks presets studies tests workflow".split()  # reports are generated
LINK = re.compile(r"\]\((?!https?:|mailto:|#|(?:\.\./)*reports/)([^)\s#]+)")
CODE = re.compile(r"```.*?```|`[^`\n]+`", re.DOTALL)
PLACE = re.compile(rf"(?<![\w./-])(?:{'|'.join(FOLDERS)})/[\w./-]*\w")
MODULE = re.compile(r"`([\w-]+\.(?:py|ipynb))`")


def missing(document, project):
    """Links, paths and names of modules and notebooks in a document that lead nowhere."""
    text = document.read_text(encoding="utf-8")
    code = " ".join(CODE.findall(text))
    links = [link for link in LINK.findall(text) if not (document.parent / link).exists()]
    places = [place for place in PLACE.findall(code) if not (project / place).exists()]
    modules = [name for name in MODULE.findall(text) if not any(any((project / f).rglob(name)) for f in FOLDERS)]
    return links + places + modules


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: str(document.relative_to(PROJECT)))
def test_everything_that_a_document_names_is_there(document):
    assert missing(document, PROJECT) == []


def test_what_is_missing_is_found(tmp_path):
    document = tmp_path / "docs" / "page.md"
    document.parent.mkdir()
    (tmp_path / "studies").mkdir()
    (tmp_path / "studies" / "here.yaml").touch()
    document.write_text(
        "[a](page.md#part) [b](gone.md) [c](https://example.org/x.md) [d](../reports/x/index.html)\n"
        "`studies/here.yaml`, `studies/gone.yaml`; `gone.py`, `made/by/you.py`, studies/prose.yaml\n"
        "```bash\nrun studies/here.yaml --out=docs/gone/\n```\n"
    )
    assert missing(document, tmp_path) == ["gone.md", "studies/gone.yaml", "docs/gone", "gone.py"]
