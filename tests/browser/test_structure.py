"""What the markup of a page gives to readers who do not see it, without a browser."""

import base64
import io

import nbformat
import PIL.Image
import pytest
from bs4 import BeautifulSoup
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from hybridlib.execute import html_page


@pytest.fixture
def page_of(tmp_path):
    """Render cells; returns the parsed page."""

    def render(*cells):
        nbformat.write(new_notebook(cells=list(cells)), tmp_path / "notebook.ipynb")
        return BeautifulSoup(html_page(tmp_path / "notebook.ipynb", "Title"), "html.parser")

    return render


def displayed(html):
    return new_code_cell("1", outputs=[new_output("display_data", {"text/html": html})])


def picture(data, **metadata):
    output = new_output("display_data", {"image/png": data}, metadata={"image/png": metadata})
    return new_code_cell("1", outputs=[output])


SECTIONS = ["# Title", "## One & only", "text\n\n### Part", "## Two <b>x</b>\n\n## One & only"]


def test_contents_link_every_section_before_the_text(page_of):
    page = page_of(*map(new_markdown_cell, SECTIONS))
    links = page.nav.find_all("a")
    assert [link.get_text() for link in links] == ["One & only", "Two x", "One & only"]
    assert [page.find(id=link["href"][1:]) for link in links] == page.find_all("h2")
    assert page.nav.find_next_sibling().name == "main"
    assert [heading.get_text() for heading in page.find_all(["h1", "h3"])] == ["Title", "Part"]


def test_sections_of_outputs_are_in_the_contents(page_of):
    page = page_of(displayed("<h2>First</h2>"), displayed("<h2>Second</h2>"))
    assert [page.find(id=link["href"][1:]).get_text() for link in page.nav.find_all("a")] == ["First", "Second"]


@pytest.mark.parametrize("cells", [SECTIONS[:1], SECTIONS[:3]])
def test_one_section_needs_no_contents(page_of, cells):
    assert page_of(*map(new_markdown_cell, cells)).nav is None


def test_no_id_stands_twice(page_of):
    page = page_of(*map(new_markdown_cell, ["## a\n\n## a\n\n## a-2\n\n## a", "### a"]))
    identifiers = [tag["id"] for tag in page.find_all(id=True)]
    assert len(identifiers) == len(set(identifiers)) == 7


def test_tables_are_regions_that_take_the_focus_and_say_what_they_are(page_of):
    table = "<table><thead><tr><th>x</th></tr></thead><tbody><tr><th>y</th><td>1</td></tr></tbody></table>"
    page = page_of(displayed(table), new_markdown_cell('# "Scores" & <i>more</i>\n\n| a |\n|---|\n| 1 |'))
    regions = [found.parent for found in page.find_all("table")]
    assert [(region["role"], region["tabindex"], region["aria-label"]) for region in regions] == [
        ("region", "0", "Table 1"),
        ("region", "0", 'Table 2: "Scores" & more'),
    ]
    assert [(cell.get_text(), cell["scope"]) for cell in page.find_all("th")] == [
        ("x", "col"),
        ("y", "row"),
        ("a", "col"),
    ]


@pytest.mark.parametrize("size", [(3, 2), (300, 70_000)])
def test_size_of_a_picture_is_said(page_of, size):
    stream = io.BytesIO()
    PIL.Image.new("1", size).save(stream, format="png")
    page = page_of(picture(base64.b64encode(stream.getvalue()).decode(), alt="Lines.", width=9))
    assert (page.img["width"], page.img["height"], page.img["alt"]) == (str(size[0]), str(size[1]), "Lines.")


@pytest.mark.parametrize("data", ["", "a", "!", base64.b64encode(b"GIF89a" + bytes(40)).decode()])
def test_picture_of_no_known_size_has_none(page_of, data):
    assert not {"width", "height"} & set(page_of(picture(data)).img.attrs)


def test_attributes_of_outputs_are_the_few_that_text_needs(page_of):
    names = "class dir lang id href title style tabindex role aria-label scope name width onclick".split()
    attributes = " ".join(f'{name}="#x"' for name in names)
    html = "".join(f"<{tag} {attributes}>text</{tag}>" for tag in ("div", "h2", "a"))
    page = page_of(displayed(html))
    kept = {tag: set(page.find(tag, attrs={"class": "#x"}).attrs) for tag in ("div", "h2", "a")}
    anywhere = {"class", "dir", "lang"}
    assert kept == {"div": anywhere, "h2": anywhere | {"id"}, "a": anywhere | {"href"}}
