"""Files of captions that are refused."""

import random
import zipfile
from pathlib import Path
from typing import Any

import pytest
from xm3600_files import ONE, TWO, lines_of, write, zip_of

from hybridlib.corpora import xm3600
from hybridlib.errors import InputError

pytestmark = pytest.mark.usefixtures("cache")


def english(value: Any) -> dict[str, Any]:
    return {"image/key": "k3", "en": value}


BAD = {
    "not JSON": (b'{"image/key": "k3"', "found '.*', expected one JSON object a line"),
    "a list": (b"[]", "found a JSON list, expected an object"),
    "not UTF-8": (b'{"image/key": "\xe9"}', "found bytes that are not UTF-8 .*, expected UTF-8"),
    "no key": ({"en": {"caption": ["x"]}}, "found None as image/key, expected a text"),
    "number as key": ({"image/key": 3}, "found 3 as image/key, expected a text"),
    "key again": (ONE, "found image/key 'k1' again, expected each picture once"),
    "unknown language": ({"image/key": "k3", "xx": {"caption": ["x"]}}, "found language 'xx', expected one of ar bn "),
    "empty caption": (
        english({"caption": ["x", ""]}),
        "found '' as a caption of 'en', expected a text that is not empty",
    ),
    "blank caption": (english({"caption": ["x", " ", "y"]}), "found ' ' as a caption of 'en', expected a text"),
    "number as caption": (english({"caption": ["x", 7]}), "found 7 as a caption of 'en', expected a text"),
    "a text as captions": (english({"caption": "x"}), "found 'x' as captions of 'en', expected a list of texts"),
    "no captions": (english({"caption": []}), r"found \[\] as captions of 'en', expected a list of texts"),
    "no list of captions": (english({}), "found None as captions of 'en', expected a list of texts"),
    "captions without a name": (english(["x"]), "found None as captions of 'en', expected a list of texts"),
    "half a character": (
        b'{"image/key": "k3", "en": {"caption": ["\\ud83d", "x"]}}',
        "found .* as a caption of 'en', exp",
    ),
}


@pytest.mark.parametrize(("line", "message"), BAD.values(), ids=BAD)
@pytest.mark.parametrize("name", ["captions.jsonl", "captions.jsonl.gz", "captions.zip"])
def test_a_bad_line_is_named(tmp_path: Path, name: str, line: Any, message: str):
    file = write(tmp_path / name, lines_of(ONE, b"", TWO, line))
    with pytest.raises(InputError, match=f"^{file}:4: {message}"):
        xm3600.load(file)


def test_a_file_without_a_caption_is_an_error(tmp_path: Path):
    file = write(tmp_path / "captions.jsonl", lines_of(b"", {"image/key": "k"}))
    with pytest.raises(InputError, match=f"^{file}: found no caption, expected one picture a line"):
        xm3600.load(file)


def many() -> bytes:
    """Return captions that do not shrink: an archive of them is read in several blocks."""
    rng = random.Random(0)
    return lines_of(*(TWO | {"image/key": rng.randbytes(60).hex()} for _ in range(3000)))


def test_a_cut_gzip_file_is_named_with_the_last_line_read(tmp_path: Path):
    file = write(tmp_path / "captions.jsonl.gz", many())
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    with pytest.raises(InputError, match=rf"^{file}:\d+: found a cut or damaged archive .*, expected a whole one"):
        xm3600.load(file)


def test_a_damaged_zip_file_is_named_with_the_last_line_read(tmp_path: Path):
    file = write(tmp_path / "captions.zip", many())
    data = bytearray(file.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 100] = b"\xff" * 100
    file.write_bytes(data)
    with pytest.raises(InputError, match=rf"^{file}:\d+: found "):
        xm3600.load(file)


def test_a_zip_member_with_a_wrong_checksum_is_an_error(tmp_path: Path):
    data = lines_of(ONE, TWO)
    file = tmp_path / "captions.zip"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("captions.jsonl", data)
    file.write_bytes(file.read_bytes().replace(b"middle", b"muddle"))
    with pytest.raises(InputError, match=rf"^{file}.*: found a cut or damaged archive .*, expected a whole one"):
        xm3600.load(file)


def test_a_cut_zip_file_is_an_error(tmp_path: Path):
    file = write(tmp_path / "captions.zip", lines_of(ONE, TWO))
    file.write_bytes(file.read_bytes()[:-30])
    with pytest.raises(InputError, match=f"^{file}: found a cut or damaged archive .*, expected a whole one"):
        xm3600.load(file)


@pytest.mark.parametrize("members", [("other.jsonl",), ("captions.jsonl", "copy/captions.jsonl")])
def test_a_zip_file_needs_one_member_with_captions(tmp_path: Path, members: tuple[str, ...]):
    (tmp_path / "captions.zip").write_bytes(zip_of(lines_of(ONE), *members))
    count = sum(member.endswith("captions.jsonl") for member in members)
    with pytest.raises(InputError, match=f"found {count} members named captions.jsonl, expected one"):
        xm3600.load(tmp_path / "captions.zip")
