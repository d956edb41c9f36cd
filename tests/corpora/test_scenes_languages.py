"""The language files: every fact in every language, in words of its own."""

from collections import Counter
from string import Formatter

import pytest
from scene_words import MENTIONED, every_language, forms, lowered, mentioned, wordings

from hybridlib.corpora.scenes import FACTS, LANGUAGES, caption, choices, language_data
from hybridlib.errors import InputError
from hybridlib.languages import LANGUAGES as TABLE


def names_in(frame: str) -> list[str]:
    return [name for _, name, _, _ in Formatter().parse(frame) if name]


def test_there_are_twelve_languages_in_at_least_six_scripts():
    assert len(set(LANGUAGES)) == 12
    assert len({TABLE[code].script for code in LANGUAGES}) >= 6


def test_every_fact_has_at_least_twenty_choices():
    assert all(len(set(names)) >= 20 for names in choices().values())
    assert tuple(choices()) == FACTS


@every_language
def test_a_language_has_the_choices_of_english(language: str):
    assert language_data(language)["language"] == language
    for fact in FACTS:
        assert list(language_data(language)[fact]) == list(language_data("en")[fact])


@every_language
def test_a_language_has_the_keys_and_frames_of_english(language: str):
    assert set(language_data(language)) == set(language_data("en"))
    assert set(language_data(language)["frames"]) == {" ".join(facts) for facts in MENTIONED}


@every_language
@pytest.mark.parametrize("fact", FACTS)
def test_every_choice_has_two_different_wordings(language: str, fact: str):
    for choice in choices()[fact]:
        one, other = (set(forms(wording)) for wording in wordings(language, fact, choice))
        assert one.isdisjoint(other), choice


@every_language
@pytest.mark.parametrize("fact", FACTS)
def test_no_wording_stands_for_two_choices(language: str, fact: str):
    words = Counter()
    for choice in choices()[fact]:
        words.update(
            {lowered(form, language) for wording in wordings(language, fact, choice) for form in forms(wording)}
        )
    assert words.most_common(1)[0][1] == 1, words.most_common(1)


@every_language
def test_every_action_has_one_form_a_class(language: str):
    classes = language_data(language)["classes"]
    for choice in choices()["action"]:
        for wording in wordings(language, "action", choice):
            if isinstance(wording, str):
                assert len(classes) == 1, choice
            else:
                assert list(wording) == classes, choice


@every_language
def test_every_subject_has_a_class_and_every_class_a_subject(language: str):
    data = language_data(language)
    used = {subject["class"] for subject in [*data["who"].values(), data["someone"]]}
    assert used == set(data["classes"])
    assert len(set(data["someone"]["words"])) == 2


@every_language
@pytest.mark.parametrize("fact", ["place", "when"])
def test_every_wording_of_a_fact_has_the_same_forms(language: str, fact: str):
    shapes = {
        None if isinstance(wording, str) else tuple(wording)
        for choice in choices()[fact]
        for wording in wordings(language, fact, choice)
    }
    assert len(shapes) == 1


@every_language
def test_a_frame_names_just_the_facts_it_is_for(language: str):
    for facts, frames in language_data(language)["frames"].items():
        expected = sorted(facts.split()) if "who" in facts else sorted([*facts.split(), "someone"])
        assert len(set(frames)) == 2
        for frame in frames:
            assert sorted(name.split("_")[0] for name in names_in(frame)) == expected


@every_language
def test_every_caption_can_be_written(language: str):
    for names in zip(*choices().values(), strict=True):
        scene = dict(zip(FACTS, names, strict=True))
        for facts in MENTIONED:
            written = [caption(scene, facts, language, i, dict.fromkeys(FACTS, j)) for i in (0, 1) for j in (0, 1)]
            assert len(set(written)) == 4
            for text in written:
                assert text == text.strip()
                assert "  " not in text
                assert not set(text) & set("{}_")
                assert text.endswith((".", "。", "।"))
                assert set(mentioned(text, scene, language)) == set(facts)


def test_an_unknown_language_is_an_error():
    with pytest.raises(InputError, match="scenes: found language 'xx', expected one of en de fr "):
        language_data("xx")
