"""What a study file may ask to be made of its runs."""

from pathlib import Path

import pytest

from hybridlib.config import RunConfig
from hybridlib.derived import derived_systems
from hybridlib.errors import InputError
from hybridlib.paths import checked_name

NAMES = {"mixed": "mixed", "monolingual": "mono", "crosslingual": "cross", "hybrid": "hybrid 0.5"}
RUNS = [("mixed", 1), ("mixed", 3), ("mixed", 2), ("monolingual", 3), ("monolingual", 1), ("crosslingual", 5)]
CONFIGS = {(NAMES[sampler], seed): RunConfig(sampler=sampler, seed=seed) for sampler, seed in [*RUNS, ("hybrid", 1)]}


def systems(*entries):
    return derived_systems(entries, list(CONFIGS.values()), [name for name, _ in CONFIGS], Path("mine.yaml"))


def average(**values):
    return {"of": ["mixed", "mono"], **values}


def test_an_average_is_a_system_a_seed_that_both_have():
    first, second = systems(average(of=["mono", "mixed"], weight=0.25))
    assert [system.seed for system in (first, second)] == [1, 3]
    assert second.parents == (CONFIGS["mono", 3], CONFIGS["mixed", 3])
    assert (first.weight, first.debias) == (0.25, ())


def test_a_debiased_run_is_a_system_a_seed():
    found = systems({"of": "mixed", "debias": ["centring", "lir"]})
    assert [system.parents for system in found] == [(CONFIGS["mixed", seed],) for seed in (1, 2, 3)]
    assert {system.debias for system in found} == {("centring", "lir")}


def test_one_label_in_a_list_is_that_label():
    assert systems({"of": ["mixed"], "debias": ["lir"]}) == systems({"of": "mixed", "debias": ["lir"]})


def test_without_a_weight_both_have_the_same():
    assert {system.weight for system in systems(average())} == {0.5}


@pytest.mark.parametrize(
    ("entry", "labels"),
    [
        (average(), ["mixed and mono averaged"]),
        (average(label="between"), ["between"]),
        (average(label="between", debias=["lir", "shift"]), ["between", "between + lir", "between + shift"]),
        ({"of": "mono", "debias": ["centring", "shift"]}, ["mono + centring", "mono + shift"]),
        ({"of": "mono", "debias": ["lir"], "label": "ours"}, ["ours + lir"]),
        (average(label="x", weight=[0.25, 1]), ["x 0.25", "x 1"]),
        (average(weight=[0.0, 0.125]), ["mixed and mono averaged 0", "mixed and mono averaged 0.125"]),
        (average(label="x", weight=[0.25]), ["x"]),
    ],
)
def test_labels_that_an_entry_adds(entry, labels):
    """A run as it is has its label already."""
    assert list(dict.fromkeys(label for system in systems(entry) for label in system.labels())) == labels


def test_a_list_of_weights_is_a_system_each_and_seed():
    found = systems(average(label="x", weight=[0.25, 0.5]))
    assert [(system.label, system.weight, system.seed) for system in found] == [
        ("x 0.25", 0.25, 1), ("x 0.25", 0.25, 3), ("x 0.5", 0.5, 1), ("x 0.5", 0.5, 3),
    ]  # fmt: skip


def test_entries_keep_their_order():
    found = systems({"of": "cross", "debias": ["lir"]}, average(), {"of": "mono", "debias": ["lir"]})
    assert [system.label for system in found] == ["cross", *["mixed and mono averaged"] * 2, "mono", "mono"]


def test_names_are_readable_and_safe():
    found = [*systems(average()), *systems(*({"of": name, "debias": ["lir"]} for name in ("mono", "hybrid 0.5")))]
    names = [checked_name(system.name(["a-run", "another"][: len(system.parents)]), "system") for system in found]
    assert [name.rsplit("-", 1)[0] for name in names] == [
        "average-seed1",
        "average-seed3",
        "debiased-monolingual-seed1",
        "debiased-monolingual-seed3",
        "debiased-hybrid-0.5-seed1",
    ]


def test_a_name_says_the_content():
    """Equal for another label; another for other runs, another order, another weight, other debiasings."""
    runs = ["a", "b"]
    plain, *others = (
        systems(average(**values))[0].name(runs)
        for values in ({}, {"weight": 0.25}, {"debias": ["lir"]}, {"debias": ["shift"]}, {"debias": ["shift", "lir"]})
    )
    others += [systems(average())[0].name(other) for other in (["b", "a"], ["a", "c"])]
    assert len({plain, *others}) == 7
    assert systems(average(label="other"))[0].name(runs) == plain


REFUSED = {
    "text": ("mixed", "found systems: 'mixed', expected names with values"),
    "number as a name": ({1: 2}, "found systems: {1: 2}, expected names with values"),
    "unknown part": (
        average(wait=1),
        "systems: found unknown part of a system 'wait', expected one of weight of debias",
    ),
    "of nothing": ({"debias": ["lir"]}, "systems: found of = "),
    "unknown debiasing": (average(debias=["csls"]), "systems: found debias.0 = 'csls', expected 'centring', 'shift'"),
    "weight as text": (average(weight="half"), "systems: found weight."),
    "unknown label": (average(of=["mixed", "best"]), "found systems of 'best', expected one of mixed, mono, cross"),
    "three": (average(of=["mixed", "mono", "cross"]), "found systems of ['mixed', 'mono', 'cross'] without weight and"),
    "none": (average(of=[]), "found systems of [] without weight and without debias, expected two labels, or one"),
    "a run as it is": ({"of": "mixed"}, "found systems of 'mixed' without weight and without debias, expected two"),
    "weight of one": (
        {"of": "mixed", "debias": ["lir"], "weight": 0.5},
        "found systems of 'mixed' with weight and with debias, expected two labels, or one with debias alone",
    ),
    "no seed": (average(of=["mono", "cross"]), "found systems of mono and cross without a common seed, expected one"),
    "weight above 1": (average(weight=1.5), "found systems with weight 1.5, expected 0 to 1"),
    "one below 0": (average(weight=[0.5, -0.1]), "found systems with weight [0.5, -0.1], expected 0 to 1"),
    "no weight": (average(weight=[]), "found systems with weight [], expected 0 to 1"),
    "label of a formula": (average(label="=1+1"), "label: found '=1+1', expected a line of at most 200 characters"),
    "label of two lines": (average(label="a\nb"), r"label: found 'a\nb', expected a line"),
    "label of a run": (average(label="cross"), "found two systems called 'cross', expected another label"),
    "debiased twice": (average(debias=["lir", "lir"]), "found two systems called 'mixed and mono averaged + lir'"),
    "weight twice": (average(weight=[0.5, 0.5]), "found two systems called 'mixed and mono averaged 0.5'"),
}


@pytest.mark.parametrize(("entry", "message"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_made_is_refused(entry, message):
    with pytest.raises(InputError) as error:
        systems(entry)
    assert str(error.value).startswith(f"mine.yaml: {message}")


def test_one_label_for_two_entries_is_refused():
    with pytest.raises(InputError, match=r"^mine\.yaml: found two systems called 'x', expected another label$"):
        systems(average(label="x"), average(label="x", weight=0.25))


def test_two_labels_for_one_content_are_refused():
    """They would share a folder."""
    with pytest.raises(
        InputError, match=r"^mine\.yaml: found systems 'x' and 'y 0\.5' made of the same, expected one$"
    ):
        systems(average(label="x"), average(label="y", weight=[0.25, 0.5]))


def test_every_wrong_part_of_an_entry_is_named():
    with pytest.raises(InputError) as error:
        systems({"of": "mixed", "debias": "lir", "wait": 1})
    assert [line.split(": found ")[0] for line in str(error.value).splitlines()] == ["mine.yaml: systems"] * 2
