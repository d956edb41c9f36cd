"""Which words stand for which facts of a scene."""

from typing import Any

import pytest

from hybridlib.corpora.scenes import FACTS, LANGUAGES, language_data

Scene = dict[str, str]
MENTIONED = [FACTS, *(tuple(fact for fact in FACTS if fact != left_out) for left_out in FACTS)]

every_language = pytest.mark.parametrize("language", LANGUAGES)


def forms(wording: Any) -> list[str]:
    """Return the forms of one wording: a string, or one string a class or a place in the sentence."""
    return [wording] if isinstance(wording, str) else list(wording.values())


def wordings(language: str, fact: str, choice: str) -> list[Any]:
    entry = language_data(language)[fact][choice]
    return entry["words"] if fact == "who" else entry


def lowered(text: str, language: str) -> str:
    return (text.replace("İ", "i").replace("I", "ı") if language == "tr" else text).lower()


def mentioned(text: str, scene: Scene, language: str) -> tuple[str, ...]:
    """Return the facts of the scene whose words stand in the text."""
    found = []
    for fact in FACTS:
        words = [form for wording in wordings(language, fact, scene[fact]) for form in forms(wording)]
        if any(lowered(word, language) in lowered(text, language) for word in words):
            found.append(fact)
    return tuple(found)
