import pytest

from hybridlib.palette import KINDS, system_colours


def test_a_kind_has_one_colour_whatever_stands_beside_it():
    expected = system_colours(list(KINDS))
    assert len(set(expected.values())) == len(KINDS)
    for names in (
        ["hybrid 0.5", "mixed"],
        ["x", "untrained", "monolingual, batch_size 64"],
        ["crosslingual", "hybrid"],
    ):
        for name, colour in system_colours(names).items():
            kind = name.partition(",")[0].removesuffix(" 0.5")
            assert (colour == expected[kind]) if kind in KINDS else (colour not in expected.values())


def test_of_two_of_a_kind_the_first_has_its_colour():
    colours = system_colours(["hybrid 0.5, batch_size 16", "hybrid 0.5, batch_size 64"])
    assert colours["hybrid 0.5, batch_size 16"] == system_colours(["hybrid"])["hybrid"]
    assert len(set(colours.values())) == 2


@pytest.mark.parametrize("count", [0, 1, 5, 10])
def test_up_to_ten_names_have_as_many_colours(count):
    names = [*KINDS, *"abcde"][::-1][:count]
    colours = system_colours(names)
    assert list(colours) == names
    assert len(set(colours.values())) == count


def test_more_names_have_colours_as_well():
    assert len(system_colours([str(n) for n in range(40)])) == 40
