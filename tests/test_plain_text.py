import pytest

from hybridlib.errors import InputError
from hybridlib.plain_text import as_label, brief, checked_label, is_name, visible, visible_html

TURNING = [*range(0x202A, 0x202F), *range(0x2066, 0x206A)]


@pytest.mark.parametrize("number", [0, 7, 8, 0x0B, 0x1B, 0x7F, 0x85, 0x9B, *TURNING, 0xD800, 0xDFFF], ids=hex)
def test_what_acts_is_shown_as_an_escape_that_python_reads(number):
    shown = visible(f"a{chr(number)}b")
    assert shown.isascii()
    assert shown.encode().decode("unicode_escape") == f"a{chr(number)}b"


@pytest.mark.parametrize(
    "text", ["one\ttwo\r\nthree", "می\u200cخواهم", "क्\u200dष", "👩\u200d🔬", "עברית\u200f!", "\u00adé", "\\u202e"]
)
def test_what_scripts_need_stays(text):
    assert visible(text) == text


@pytest.mark.parametrize("written", ["&#x202e;", "&#X202E;", "&#8238;", "&#x202E", "&#" + "0" * 99 + "8238;", "\u202e"])
def test_html_may_write_the_number_of_a_character(written):
    assert visible_html(f"<p>a{written}z</p>").startswith("<p>a\\u202e")


@pytest.mark.parametrize("html", ["&#x41;", "&#xffffff;", "&amp;#x202e;", "&#39;", "&lt;"])
def test_other_numbers_stay(html):
    assert visible_html(html) == html


@pytest.mark.parametrize("text", ["a\nb", "a\tb", "a\rb", "a\u2028b", "a\u202eb", "a\0", "\ud800", "\x1b[2J"])
def test_what_is_no_name(text):
    assert not is_name(text)


def test_parts_of_a_path_are_as_long_as_file_systems_take_them():
    assert is_name("/".join(["é" * 127] * 9))
    assert not is_name("a/" + "é" * 128)


LABELS = [
    "hybrid 0.5, batch_size 32",
    "InfoNCE + VRNS",
    "MIMO: 30 steps, 30 of both",
    "é 中文 می\u200cخواهم",
    "a/b@c",
    "a = b",
]


@pytest.mark.parametrize("label", LABELS)
def test_labels_stay(label):
    assert as_label(label) == label == checked_label(label, "label")


HOSTILE = [
    *("=1+1", "+1", "-1", "@SUM(A1)", "'=1", "\t=1", "\r=1"),  # spreadsheets
    *("<b>", "[a](https:b)", "![a](b)", "`a`", "*a*", r"\*", "https://evil.example"),  # Markdown and HTML
    *("$x$", r"\frac{1}{2}"),  # mathematics
    *("a\nb", "a\u202eb", "\x1b[2J", "\ud83d"),
]


@pytest.mark.parametrize("text", HOSTILE)
def test_what_is_no_label_is_refused_or_made_one(text):
    with pytest.raises(InputError, match=r"^label: found .*, expected a line of at most 200 characters"):
        checked_label(text, "label")
    assert checked_label(as_label(text), "label")


@pytest.mark.parametrize("value", ["", "  ", "x" * 201, 3, None, ["a"], {"a": 1}])
def test_what_is_no_text_is_no_label(value):
    with pytest.raises(InputError, match=r"^label: found "):
        checked_label(value, "label")


def test_a_long_value_is_cut_in_a_message():
    assert max(len(brief(value)) for value in ("x" * 10**6, list(range(10**6)), {"a": "y" * 10**6}, 10**3000)) < 120
