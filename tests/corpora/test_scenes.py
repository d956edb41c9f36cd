"""Drawn scenes, their captions, and the corpus of them."""

import unicodedata

import numpy as np
import pytest
from scene_words import MENTIONED, Scene, every_language, mentioned

from hybridlib.corpora import Corpus, scenes
from hybridlib.corpora.scenes import FACTS, LANGUAGES, caption, choices, draw_scenes
from hybridlib.errors import InputError
from hybridlib.languages import LANGUAGES as TABLE

BOY = {"who": "boy", "action": "sing", "place": "park", "when": "rain"}


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return scenes.load()


@pytest.fixture(scope="module")
def drawn() -> list[Scene]:
    return draw_scenes(1500, 0)


def scene_of(concept: str, drawn: list[Scene]) -> Scene:
    return drawn[int(concept.removeprefix("scene-"))]


def differences(one: Scene, other: Scene) -> int:
    return sum(one[fact] != other[fact] for fact in FACTS)


def fact_numbers(drawn: list[Scene]) -> np.ndarray:
    numbers = {fact: {name: i for i, name in enumerate(names)} for fact, names in choices().items()}
    return np.array([[numbers[fact][scene[fact]] for fact in FACTS] for scene in drawn])


@every_language
def test_captions_are_written_in_the_script_of_the_language(corpus: Corpus, language: str):
    unicode_names = {"Han": ("CJK",), "Japanese": ("CJK", "HIRAGANA", "KATAKANA")}
    script = TABLE[language].script
    starts = unicode_names.get(script, (script.upper(),))
    letters = {letter for text in corpus.table["text"][corpus.table["language"] == language] for letter in text}
    foreign = {x for x in letters if x.isalpha() and not unicodedata.name(x).startswith(starts)}
    assert foreign <= {"ー"}


def test_wording_and_frame_choose_the_words_and_their_order():
    plain = caption(BOY, FACTS, "en", 0, dict.fromkeys(FACTS, 0))
    assert "boy" in plain
    assert caption(BOY, FACTS, "en", 1, dict.fromkeys(FACTS, 0)) != plain
    assert "A little boy" in caption(BOY, FACTS, "en", 0, {**dict.fromkeys(FACTS, 0), "who": 1})


def test_a_subject_that_is_left_out_is_someone():
    assert caption(BOY, ("action", "place", "when"), "en", 0, dict.fromkeys(FACTS, 0)).startswith("Someone is singing")


def test_an_action_agrees_with_its_subject():
    children = BOY | {"who": "two_children"}
    assert "Two children are singing" in caption(children, FACTS, "en", 0, dict.fromkeys(FACTS, 0))
    assert "is singing" in caption(children, ("action", "place", "when"), "en", 0, dict.fromkeys(FACTS, 0))


def test_a_turkish_caption_begins_with_a_dotted_capital():
    children = BOY | {"who": "two_children"}
    text = caption(children, ("who", "action", "when"), "tr", 1, dict.fromkeys(FACTS, 0))
    assert text.startswith("İki çocuk")


def test_no_turkish_caption_begins_with_an_undotted_capital(corpus: Corpus):
    texts = corpus.table["text"][corpus.table["language"] == "tr"]
    assert texts.str.startswith("İ").any()
    assert not texts.str.startswith("I").any()


def test_other_languages_have_no_dotted_capital(corpus: Corpus):
    texts = corpus.table["text"][corpus.table["language"] != "tr"]
    assert not texts.str.contains("İ").any()


@pytest.mark.parametrize("language", [code for code in LANGUAGES if TABLE[code].script in ("Latin", "Cyrillic")])
def test_captions_begin_with_a_capital(corpus: Corpus, language: str):
    texts = corpus.table["text"][corpus.table["language"] == language]
    assert all(text[0].isupper() for text in texts)


def test_every_scene_has_a_query_and_a_passage_in_every_language(corpus: Corpus):
    assert len(corpus.concepts) == 1500
    assert set(corpus.languages) == set(LANGUAGES)
    assert len(corpus.cells) == 1500 * 12
    assert (corpus.cells[["queries", "passages", "texts"]] == [1, 1, 2]).all(axis=None)


def test_every_cell_has_a_monolingual_pair(corpus: Corpus):
    assert corpus.pairs.has_monolingual.all()


@every_language
def test_captions_of_a_cell_differ_in_words_and_in_the_facts_they_mention(
    corpus: Corpus, drawn: list[Scene], language: str
):
    cells = corpus.select(languages=[language], concepts=corpus.concepts[:400]).table
    for concept, cell in cells.groupby("concept"):
        texts = dict(zip(cell["role"], cell["text"], strict=True))
        facts = {role: mentioned(text, scene_of(concept, drawn), language) for role, text in texts.items()}
        assert texts["query"] != texts["passage"]
        assert len(facts["query"]) == 3
        assert facts["passage"] in MENTIONED
        assert facts["query"] != facts["passage"]


def test_passages_name_all_facts_half_of_the_time(corpus: Corpus, drawn: list[Scene]):
    passages = corpus.table[(corpus.table["role"] == "passage") & (corpus.table["language"] == "en")]
    texts = passages.set_index("concept")["text"].items()
    whole = [mentioned(text, scene_of(concept, drawn), "en") == FACTS for concept, text in texts]
    assert np.mean(whole) == pytest.approx(0.5, abs=0.05)


def test_the_same_seed_gives_the_same_corpus():
    assert scenes.load(30, seed=5).fingerprint == scenes.load(30, seed=5).fingerprint


def test_another_seed_gives_another_corpus():
    assert scenes.load(30, seed=5).fingerprint != scenes.load(30, seed=6).fingerprint


def test_languages_can_be_chosen():
    corpus = scenes.load(10, languages=("tr", "zh"))
    assert (corpus.languages, len(corpus.table)) == (["tr", "zh"], 40)


def test_a_language_that_scenes_does_not_have_is_an_error():
    with pytest.raises(InputError, match="scenes: found language 'nl', expected one of en de fr "):
        scenes.load(10, languages=("en", "nl"))


@pytest.mark.parametrize("count", [1, 8, 100, 1500])
def test_drawn_scenes_are_as_many_as_asked_for_and_all_different(count: int):
    drawn = draw_scenes(count, 1)
    assert len({tuple(scene.values()) for scene in drawn}) == len(drawn) == count


def test_drawn_scenes_have_one_known_choice_of_each_fact(drawn: list[Scene]):
    names = choices()
    assert all(tuple(scene) == FACTS and all(scene[f] in names[f] for f in FACTS) for scene in drawn)


def test_every_choice_is_drawn(drawn: list[Scene]):
    assert all({scene[fact] for scene in drawn} == set(names) for fact, names in choices().items())


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_scenes_of_a_family_share_all_but_one_fact_with_the_first(seed: int):
    drawn = draw_scenes(1500, seed)
    strangers = [i for i in range(1500) if i % 8 and differences(drawn[i], drawn[i - i % 8]) != 1]
    assert strangers == []


def test_most_test_scenes_share_all_but_one_fact_with_another(corpus: Corpus, drawn: list[Scene]):
    numbers = fact_numbers([scene_of(concept, drawn) for concept in corpus.split().test.concepts])
    shared = (numbers[:, None] == numbers[None, :]).sum(axis=2)
    assert len(numbers) == 1000
    assert (shared == 3).any(axis=1).mean() > 0.8


@pytest.mark.parametrize("count", [-1, 0, 160_001])
def test_an_impossible_count_is_an_error_that_names_the_possible_ones(count: int):
    with pytest.raises(InputError, match=f"scenes: found count {count}, expected 1 to 160000 different scenes"):
        draw_scenes(count, 0)
