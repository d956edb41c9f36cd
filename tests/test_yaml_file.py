"""YAML that is refused, or read."""

import time

import pytest

from hybridlib.errors import InputError
from hybridlib.yaml_file import LARGEST, MOST, read_yaml


@pytest.fixture
def read(tmp_path):
    def written(text):
        file = tmp_path / "mine.yaml"
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        return read_yaml(file, "a study file")

    return written


def laughs(levels: int, width: int, opened: str, closed: str) -> str:
    """Return YAML in which each level holds the one before ``width`` times."""
    lines = [f"l0: &l0 {opened}a: b{closed}"]
    lines += [f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * width)}]" for n in range(1, levels)]
    return "\n".join(lines)


def merges(levels: int, width: int) -> str:
    lines = ["l0: &l0 {a: b}"]
    lines += [f"l{n}: &l{n} {{<<: [{', '.join([f'*l{n - 1}'] * width)}]}}" for n in range(1, levels)]
    return "\n".join(lines)


BOMBS = {"lists": laughs(10, 10, "[{", "}]"), "mappings": laughs(12, 9, "{", "}"), "merges": merges(9, 9)}


@pytest.mark.parametrize("text", BOMBS.values(), ids=BOMBS)
def test_aliases_that_explode_are_refused_at_once(read, text):
    start = time.process_time()
    with pytest.raises(
        InputError, match=r"mine\.yaml:\d+: found [\d,]+ values with aliases written out, expected at mo"
    ):
        read(text)
    assert time.process_time() - start < 5  # written out they would fill the memory


BAD = {
    "alias in itself": ("a: &a [1, *a]", r"mine\.yaml:1: found a value that contains itself"),
    "mapping in itself": ("\n&a {b: {c: *a}}", r"mine\.yaml:2: found a value that contains itself"),
    "deep": ("[" * 30 + "]" * 30, r"found values \d+ deep, expected at most 20,000, and 20 deep"),
    "very deep": ("[" * 500, "found values deeper than 20, expected a study file"),
    "deep by aliases": (
        "- &a [[[[[[1]]]]]]\n- &b [[[[[[*a]]]]]]\n- &c [[[[[[*b]]]]]]\n- [[*c]]",
        "found values 21 deep",
    ),
    "name again": ("a: 1\nb: {c: 1,\n c: 2}", r"mine\.yaml:3: found the name 'c' again, expected it once"),
    "long": ("a: " + "x" * LARGEST, "found more than 262,144 bytes, expected a study file"),
    "many": ("[" + "1," * MOST + "]", r"found 20,001 values"),
    "many digits": (f"a: {'9' * 5000}", r"mine\.yaml:1: found a number of 5000 characters, expected at most 40"),
    "many hexadecimal digits": (f"a: 0x{'f' * 5000}", "found a number of 5002 characters"),
    "many sixtieths": (f"a: 1{':59' * 2000}", "found a number of 6001 characters"),
    "half a pair": ('a: "\\ud800"', r"mine\.yaml:1: found half a surrogate pair in '\\ud800', expected Unicode text"),
    "no character": ('a: "\\U00110000"', "found no YAML"),
    "no day": ("a: 2020-99-99", r"found no YAML \(month must be in 1\.\.12\), expected a study file"),
    "no time": ("a: !!timestamp x", "found no YAML"),
    "no number": ('a: !!int ""', "found no YAML"),
    "no fraction": ("a: !!float x", "found no YAML"),
    "no bytes": ("a: !!binary é", "found no YAML"),
    "code": (
        "a: !!python/object/apply:os.system [ls]",
        r"found no YAML \(line 1: could not determine a constructor for the tag .*python/object/apply",
    ),
    "own tag": ("a: !mine x", "found no YAML"),
    "a character that turns": (
        'a: "\\uFE\u202e"',
        r"found no YAML \(line 1: expected escape sequence .* found '\\u202e'",
    ),
    "two documents": ("a: 1\n---\na: 2", "found no YAML"),
    "NUL": (b"a: \0", "found no YAML"),
    "UTF-16": ("a: 1".encode("utf-16"), "found no YAML"),
    "list as a name": ("? [a]\n: 1", "found no YAML"),
}


@pytest.mark.parametrize(("text", "message"), BAD.values(), ids=BAD)
def test_bad_files_are_named(read, tmp_path, text, message):
    with pytest.raises(InputError, match=message) as error:
        read(text)
    assert str(error.value).startswith(f"{tmp_path}/mine.yaml")


def test_plain_yaml_is_read(read):
    text = "\ufeffdefaults: &d {steps: 3, rate: 1.0e-3}\r\nruns:\r\n- {<<: *d, steps: 4}\r\n- *d\r\n- [yes, ~, é]\r\n"
    defaults = {"steps": 3, "rate": 1e-3}
    assert read(text) == {"defaults": defaults, "runs": [{**defaults, "steps": 4}, defaults, [True, None, "é"]]}


@pytest.mark.parametrize("text", ["5e-5", "5E-5", "+5e-5", "5.e-5", ".5e-4", "5.0e-5", "50e-6"])
def test_numbers_with_an_exponent_are_those_of_yaml_1_2(read, text):
    assert read(f"{{rate: {text}}}") == {"rate": pytest.approx(5e-5)}


@pytest.mark.parametrize("text", ["5e", "e5", "1e-", "5e-5x", "1_000e", "de-e5"])
def test_words_with_an_e_stay_words(read, text):
    assert read(f"{{rate: {text}}}") == {"rate": text}


def test_an_empty_file_is_none(read):
    assert read("# nothing") is None


def test_a_missing_file_is_left_to_the_caller(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_yaml(tmp_path / "none.yaml", "a study file")
