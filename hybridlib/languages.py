"""Language codes with their names, families and scripts; the order in which figures and tables show languages."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

POOL = "all"  # in place of a language: the pool of all


class Language(NamedTuple):
    """What figures need to know of a language."""

    code: str
    name: str
    family: str
    script: str


# Grouped by family (then branch), then by script, so that neighbours in a heatmap are related.
_TABLE = """
en English Germanic Latin
nl Dutch Germanic Latin
de German Germanic Latin
da Danish Germanic Latin
no Norwegian Germanic Latin
sv Swedish Germanic Latin
fr French Romance Latin
es Spanish Romance Latin
pt Portuguese Romance Latin
it Italian Romance Latin
ro Romanian Romance Latin
pl Polish Slavic Latin
cs Czech Slavic Latin
sk Slovak Slavic Latin
hr Croatian Slavic Latin
ru Russian Slavic Cyrillic
uk Ukrainian Slavic Cyrillic
el Greek Hellenic Greek
fi Finnish Uralic Latin
hu Hungarian Uralic Latin
tr Turkish Turkic Latin
ar Arabic Semitic Arabic
he Hebrew Semitic Hebrew
fa Persian Iranian Arabic
hi Hindi Indic Devanagari
bn Bengali Indic Bengali
te Telugu Dravidian Telugu
id Indonesian Austronesian Latin
fil Filipino Austronesian Latin
mi Māori Austronesian Latin
sw Swahili Bantu Latin
quz Quechua Quechuan Latin
vi Vietnamese Austroasiatic Latin
th Thai Kra-Dai Thai
zh Chinese Sinitic Han
ja Japanese Japonic Japanese
ko Korean Koreanic Hangul
"""

LANGUAGES: dict[str, Language] = {row.split()[0]: Language(*row.split()) for row in _TABLE.strip().splitlines()}


def ordered(codes: Iterable[str]) -> list[str]:
    """Return language codes by family and script; codes that are not in the table come last, in alphabetical order.

    Example:
        >>> ordered(["zh", "de", "xx", "en"])
        ['en', 'de', 'zh', 'xx']
    """
    position = {code: number for number, code in enumerate(LANGUAGES)}
    return sorted(set(codes), key=lambda code: (position.get(code, len(position)), code))


def name(code: str) -> str:
    """Return the English name of a language, or its code where the table has none."""
    return LANGUAGES[code].name if code in LANGUAGES else code


def breaks(codes: list[str]) -> list[int]:
    """Return the positions in ``codes`` at which a new family begins (for separators in a heatmap)."""
    families = [LANGUAGES[code].family if code in LANGUAGES else code for code in codes]
    return [i for i in range(1, len(codes)) if families[i] != families[i - 1]]
