"""Scenes: the embedded corpus, captions of composed scenes in twelve languages.

A scene is four facts: who, action, place and when, each one of twenty choices. Every scene has two captions in every
language. They differ in sentence frame, in the wording of each fact, and in the facts that they mention: the passage
names all four or leaves one out, the query leaves out another one. Scenes come in families of eight that share all but
one fact with the first of the family, so a retriever meets hard negatives.

The words stand in ``scene_languages/<language>.yaml``. The captions are made up: results on them show a mechanism and
are never findings about real captions.
"""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Any

import numpy as np
import yaml

from hybridlib.corpora.corpus import Corpus
from hybridlib.errors import InputError

FACTS = ("who", "action", "place", "when")
LANGUAGES = ("en", "de", "fr", "es", "pt", "ru", "tr", "id", "ar", "hi", "zh", "ja")
FAMILY = 8


@cache
def language_data(language: str) -> dict[str, Any]:
    """Return words and frames of one language, as its YAML file holds them."""
    if language not in LANGUAGES:
        raise InputError(f"scenes: found language {language!r}, expected one of {' '.join(LANGUAGES)}")
    file = resources.files("hybridlib.corpora") / "scene_languages" / f"{language}.yaml"
    return yaml.safe_load(file.read_text(encoding="utf-8"))


def choices() -> dict[str, list[str]]:
    """Return the names of the choices of each fact, in the order of the English file."""
    english = language_data("en")
    return {fact: list(english[fact]) for fact in FACTS}


def _capitalised(sentence: str, language: str) -> str:
    first = sentence[0]
    return ("İ" if language == "tr" and first == "i" else first.upper()) + sentence[1:]


def caption(
    scene: dict[str, str], mentioned: tuple[str, ...], language: str, frame: int, wording: dict[str, int]
) -> str:
    """Write one caption.

    Args:
        scene: the choice of each fact, such as ``{"who": "boy", "action": "sing", "place": "park", "when": "rain"}``.
        mentioned: the facts that the caption names, in the order of :data:`FACTS`.
        language: one of :data:`LANGUAGES`.
        frame: 0 or 1, which of the two sentence frames.
        wording: 0 or 1 for each fact, which of its two wordings.

    Example:
        >>> scene = {"who": "boy", "action": "sing", "place": "park", "when": "rain"}
        >>> caption(scene, ("who", "action", "place"), "en", 0, dict.fromkeys(FACTS, 0))
        'A boy is singing in a park.'
    """
    data = language_data(language)
    subject = data["who"][scene["who"]] if "who" in mentioned else data["someone"]
    words = {"who": subject["words"][wording["who"]], "someone": data["someone"]["words"][wording["who"]]}
    action = data["action"][scene["action"]][wording["action"]]
    words["action"] = action if isinstance(action, str) else action[subject["class"]]
    for fact in ("place", "when"):
        value = data[fact][scene[fact]][wording[fact]]
        forms = {fact: value} if isinstance(value, str) else {f"{fact}_{form}": text for form, text in value.items()}
        words.update(forms)
    sentence = data["frames"][" ".join(mentioned)][frame].format_map(words)
    return _capitalised(sentence, language)


def draw_scenes(count: int, seed: int) -> list[dict[str, str]]:
    """Draw ``count`` different scenes in families: one and up to seven others that differ from it in one fact each."""
    names = choices()
    shape = tuple(len(names[fact]) for fact in FACTS)
    possible = int(np.prod(shape))
    if not 1 <= count <= possible:
        raise InputError(f"scenes: found count {count}, expected 1 to {possible} different scenes")
    rng = np.random.default_rng(seed)
    scenes: dict[tuple[int, ...], None] = {}
    for number in rng.permutation(possible):
        first = tuple(int(choice) for choice in np.unravel_index(number, shape))
        if first in scenes:
            continue
        near = [(*first[:f], choice, *first[f + 1 :]) for f in range(len(shape)) for choice in range(shape[f])]
        fresh = [scene for scene in near if scene != first and scene not in scenes]
        others = rng.permutation(len(fresh))[: FAMILY - 1]
        scenes.update(dict.fromkeys([first, *(fresh[i] for i in others)]))
        if len(scenes) >= count:
            break
    return [
        {fact: names[fact][choice] for fact, choice in zip(FACTS, scene, strict=True)} for scene in list(scenes)[:count]
    ]


def load(count: int = 1500, languages: tuple[str, ...] = LANGUAGES, seed: int = 0) -> Corpus:
    """Return a corpus of ``count`` scenes with a query and a passage in each language.

    Args:
        count: number of scenes (concepts).
        languages: codes out of :data:`LANGUAGES`.
        seed: same seed, same captions.
    """
    rng = np.random.default_rng([seed, 1])
    rows = []
    for number, scene in enumerate(draw_scenes(count, seed)):
        for language in languages:
            left_out = rng.permutation(len(FACTS))[:2]
            frame = int(rng.integers(2))
            wording = dict(zip(FACTS, rng.integers(2, size=len(FACTS)).tolist(), strict=True))
            passage_facts = FACTS if rng.random() < 0.5 else _without(left_out[0])
            other = {fact: 1 - choice for fact, choice in wording.items()}
            rows.append(
                (f"scene-{number:06d}", language, "passage", caption(scene, passage_facts, language, frame, wording))
            )
            rows.append(
                (
                    f"scene-{number:06d}",
                    language,
                    "query",
                    caption(scene, _without(left_out[1]), language, 1 - frame, other),
                )
            )
    return Corpus.from_rows(rows, name="scenes")


def _without(position: int) -> tuple[str, ...]:
    return FACTS[:position] + FACTS[position + 1 :]
