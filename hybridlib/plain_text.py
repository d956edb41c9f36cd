"""Strings of others as text: characters that act are shown as escapes, and names that are shown as labels have none."""

from __future__ import annotations

import re
import reprlib
from collections.abc import Sequence
from html import escape
from typing import Any

from hybridlib.errors import InputError

# Controls but for tab and line ends, what turns the direction of the text after it (U+202A to U+202E, U+2066 to
# U+2069), halves of surrogate pairs.
_ACTS = "\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\x7f-\\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff"
_ACTING = re.compile(f"[{_ACTS}]")
_REFERENCE = re.compile(r"&#(?:x0*([0-9a-f]{1,6})|0*([0-9]{1,7}));?", re.IGNORECASE)
_NOT_ONE_LINE = re.compile(f"[{_ACTS}\t\n\r\u2028\u2029]")
_MARKUP = re.compile(f"[{_ACTS}\t\n\r\u2028\u2029<>\\[\\]*`$\\\\]|://|^[=+@'-]")
LONGEST = 200  # characters of a label
_PART = 255  # bytes between two slashes of a path
_brief = reprlib.Repr()
_brief.maxstring = _brief.maxother = _brief.maxlong = 80
_brief.maxlist = _brief.maxtuple = _brief.maxdict = _brief.maxset = 8


def brief(value: Any) -> str:
    r"""Return the ``repr`` of any value, cut where it is long, for a message.

    Example:
        >>> brief("ab\u202e"), len(brief("x" * 10**6))
        ("'ab\\u202e'", 80)
    """
    return _brief.repr(value)


def visible(text: str) -> str:
    r"""Write characters that act instead of being seen as escapes: controls, and changes of the text's direction.

    Tabs and line ends stay, and so do marks such as the zero-width joiner, which scripts need.

    Example:
        >>> visible("a\u202eb\x1b[2Jc\n")
        'a\\u202eb\\x1b[2Jc\n'
    """
    return _ACTING.sub(lambda found: _escaped(found[0]), text)


def visible_html(html: str) -> str:
    """Do the same in HTML, where a character may also stand as its number (``&#x202e;``)."""

    def named(found: re.Match[str]) -> str:
        number = int(found[1], 16) if found[1] else int(found[2])
        acts = number <= 0x10FFFF and _ACTING.match(chr(number))
        return _escaped(chr(number)) if acts else found[0]

    return visible(_REFERENCE.sub(named, html))


def html_text(text: str) -> str:
    r"""Do the same and escape what HTML would read as markup.

    Example:
        >>> html_text("<b>\u202e")
        '&lt;b&gt;\\u202e'
    """
    return escape(visible(text))


def one_line(text: str) -> str:
    r"""Do the same with tabs and line ends, for a message.

    Example:
        >>> one_line("a\nb")
        'a\\nb'
    """
    return _NOT_ONE_LINE.sub(lambda found: _escaped(found[0]), text)


def is_name(text: str) -> bool:
    """Whether a text can be a name or a path: it is seen as it is, on one line, and no part is over 255 bytes."""
    return _NOT_ONE_LINE.search(text) is None and max(map(len, text.encode().split(b"/"))) <= _PART


def listed(words: Sequence[str]) -> str:
    """Return words as a sentence names them: ``a``, ``a and b``, ``a, b and c``."""
    return ", ".join(words[:-1]) + " and " * (len(words) > 1) + words[-1]


def as_label(text: str) -> str:
    """Return a text that is a label in Markdown, in a figure and in a spreadsheet, on one line.

    Characters that these take for markup, mathematics or the start of a formula become ``_``.

    Example:
        >>> as_label("=[x](https://y) $a$"), as_label("hybrid 0.5, batch_size 32")
        ('__x_(https_y) _a_', 'hybrid 0.5, batch_size 32')
    """
    return _MARKUP.sub("_", text)


def checked_label(text: Any, where: str) -> str:
    """Return a label of 1 to 200 characters that :func:`as_label` would not change, else raise an error."""
    if not isinstance(text, str) or not 0 < len(text.strip()) <= LONGEST or as_label(text) != text:
        raise InputError(
            f"{where}: found {brief(text)}, expected a line of at most {LONGEST} characters without markup "
            "(none of < > [ ] * ` $ \\ and ://) that does not begin with one of = + - @ '"
        )
    return text


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
