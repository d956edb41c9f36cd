"""Labels, notes and languages made to do harm, in the files and pages that show them."""

import json

import matplotlib as mpl
import nbformat
import pandas as pd
import pytest
from bs4 import BeautifulSoup
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output, new_raw_cell
from random_results import evaluated

from hybridlib.errors import InputError
from hybridlib.execute import html_page
from hybridlib.figures import heatmaps
from hybridlib.results import Results, inert, write_csv, write_results

mpl.use("Agg")
FORMULAS = [
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    '=HYPERLINK("https://evil.example")',
    "\t=1",
    "\r=1",
    "\n=1",
    "=cmd|'/c x'!A1",
]


@pytest.mark.parametrize("text", FORMULAS)
def test_no_text_of_a_table_is_a_formula(tmp_path, text):
    values = [text, "a", text]
    for column in (values, pd.Categorical(values), pd.array(values, "str"), pd.array(values, "object")):
        write_csv(tmp_path / "a.csv", pd.DataFrame({"label": column, "value": [-1.5, 2, float("nan")]}))
        table = pd.read_csv(tmp_path / "a.csv", lineterminator="\n" if "\r" in text else None)
        assert table["label"].str[0].tolist() == ["'", "a", "'"]
        assert table["value"].tolist()[:2] == [-1.5, 2]


def test_numbers_and_other_texts_of_a_table_stay(tmp_path):
    table = pd.DataFrame({"label": ["a-b", None, "'x"], "n": [-1, 2, 3], "m": pd.array([-1, None, 2], "Int64")})
    write_csv(tmp_path / "a.csv", table)
    assert (tmp_path / "a.csv").read_text() == "label,n,m\na-b,-1,-1\n,2,\n'x,3,2\n"
    pd.testing.assert_frame_equal(inert(table)[["n", "m"]], table[["n", "m"]])


def test_a_text_of_a_table_is_seen_as_it_is(tmp_path):
    write_csv(tmp_path / "a.csv", pd.DataFrame({"label": ["a\u202eb\x1b[2J"]}))
    assert (tmp_path / "a.csv").read_text() == "label\na\\u202eb\\x1b[2J\n"


HOSTILE = "=[x](https://evil.example) <b> $\\frac{$ \u202e"


@pytest.fixture
def changed(tmp_path):
    """Write results, change ``result.json``, read them."""
    write_results(tmp_path, {"none": evaluated(0)}, {"none": {}}, {"label": "mine", "seed": None})
    file = tmp_path / "result.json"

    def change(content):
        file.write_bytes(
            content if isinstance(content, bytes) else json.dumps(content(json.loads(file.read_bytes()))).encode()
        )
        return Results.read(tmp_path)

    return change


def test_names_of_results_become_labels(changed):
    results = changed(lambda result: {**result, "label": HOSTILE, "collection": {"name": HOSTILE * 99}})
    label, name = results.label("none"), results.result["collection"]["name"]
    assert label == "__x_(https_evil.example) _b_ __frac{_ _"
    assert name.startswith(label)
    assert len(name) <= 200
    heatmaps({label: pd.DataFrame({"en": [1.0]}, index=["en"])}, x_label="", diverging=False, bar_label="").savefig(
        results.folder / "a.png"
    )


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"{", "found no JSON"),
        (b"\xff", "found no JSON"),
        (b"[" * 10**5, "found no JSON"),
        (b"[]", "found no object"),
        (b"3", "found no object"),
    ],
)
def test_damaged_results_are_named(changed, tmp_path, content, said):
    with pytest.raises(InputError, match=f"^{tmp_path}/result.json: {said}"):
        changed(content)


def test_a_damaged_table_of_results_is_named(changed, tmp_path):
    results = changed(lambda result: result)
    (tmp_path / "scores.parquet").write_bytes(b"PAR1 and so on PAR1")
    with pytest.raises(InputError, match=rf"(?s)^{tmp_path}/scores\.parquet: found no table \(.*\), expected"):
        results.scores()


TURNING = "".join(map(chr, [*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x1B, 0x07, 0x9B]))
SHOWN = "".join(c.encode("unicode_escape").decode() for c in TURNING)


def displayed(data):
    return new_code_cell("1", outputs=[new_output("display_data", data)])


WAYS = {
    "markdown": new_markdown_cell,
    "raw": new_raw_cell,
    "code": new_code_cell,
    "HTML": lambda text: displayed({"text/html": text}),
    "caption": lambda text: displayed({"text/markdown": text}),
    "plain": lambda text: displayed({"text/plain": text}),
    "print": lambda text: new_code_cell("1", outputs=[new_output("stream", name="stdout", text=text)]),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("written", ["as it is", "decimal", "hexadecimal"])
def test_no_character_of_a_page_turns_the_direction(tmp_path, way, written):
    forms = {"as it is": TURNING, "decimal": "".join(f"&#{ord(c)};" for c in TURNING)}
    text = forms.get(written, "".join(f"&#x{ord(c):x}" for c in TURNING))
    nbformat.write(new_notebook(cells=[WAYS[way](f"a {text} b")]), tmp_path / "notebook.ipynb")
    page = html_page(tmp_path / "notebook.ipynb", f"title {TURNING}")
    seen = BeautifulSoup(page, "html.parser")
    assert not set(TURNING) & set(page)
    assert not set(TURNING) & set(seen.get_text())
    assert seen.title.get_text() == f"title {SHOWN}"
    if way in ("HTML", "caption", "markdown") and written == "as it is":
        assert "\\u202e" in seen.main.get_text()


def test_a_page_keeps_what_scripts_need(tmp_path):
    text = "می\u200cخواهم 👩\u200d🔬 עברית\u200f &amp;#x202e;"
    nbformat.write(new_notebook(cells=[displayed({"text/html": f"<p>{text}</p>"})]), tmp_path / "notebook.ipynb")
    page = BeautifulSoup(html_page(tmp_path / "notebook.ipynb", "t"), "html.parser")
    assert "می\u200cخواهم 👩\u200d🔬 עברית\u200f &#x202e;" in page.main.get_text()
