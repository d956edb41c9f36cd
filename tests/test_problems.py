import pytest

from hybridlib.errors import InputError
from hybridlib.problems import Problems


def test_nothing_is_raised_without_an_error():
    Problems().check()


def test_the_twentieth_error_raises_all():
    problems = Problems()
    for number in range(19):
        problems.add(InputError(f"a:{number}: wrong"))
    with pytest.raises(InputError) as error:
        problems.add(InputError("a:19: wrong"))
    assert str(error.value).splitlines() == [
        *(f"a:{number}: wrong" for number in range(20)),
        "and maybe more: not read on after 20 errors",
    ]
