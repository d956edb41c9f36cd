"""Archives that are refused, whoever reads them."""

import gzip
import stat
import zipfile
from pathlib import Path

import pytest

from hybridlib import archives
from hybridlib.archives import ExpansionError, gunzipped, unzipped
from hybridlib.errors import InputError

LINE = b'{"a": 1}\n'


def zip_with(path: Path, name: str, data: bytes = LINE, kind: int = stat.S_IFREG, method: int = zipfile.ZIP_DEFLATED):
    """Write a zip file with good captions and one more member."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("captions.jsonl", LINE)
        member = zipfile.ZipInfo(name)
        member.external_attr, member.compress_type = kind << 16, method
        archive.writestr(member, data)
    return path


def read(path: Path) -> bytes:
    with gunzipped(path) if path.suffix == ".gz" else unzipped(path, "captions.jsonl") as stream:
        return stream.read()


def test_a_member_is_read(tmp_path):
    assert read(zip_with(tmp_path / "a.zip", "folder/README")) == LINE


@pytest.mark.parametrize(
    "name", ["../captions.txt", "/etc/passwd", "a/../../b", "..\\b", "C:\\b", "C:b", "\\\\host\\b"]
)
def test_members_outside_the_archive_are_refused(tmp_path, name):
    with pytest.raises(InputError, match=r"a\.zip: found the member .*, expected paths inside the archive"):
        read(zip_with(tmp_path / "a.zip", name))


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFCHR, stat.S_IFIFO])
def test_links_and_devices_are_refused(tmp_path, kind):
    with pytest.raises(InputError, match=r"a\.zip: found a link, 'b', expected files and folders"):
        read(zip_with(tmp_path / "a.zip", "b", b"/etc/passwd", kind))


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_packings_are_refused(tmp_path, method):
    with pytest.raises(InputError, match=rf"found 'b' encrypted or compressed by method {method}, expected"):
        read(zip_with(tmp_path / "a.zip", "b", method=method))


def test_an_encrypted_member_is_refused(tmp_path):
    file = zip_with(tmp_path / "a.zip", "b")
    data = bytearray(file.read_bytes())
    data[data.rindex(b"PK\x01\x02") + 8] |= 1
    file.write_bytes(data)
    with pytest.raises(InputError, match="found 'b' encrypted or compressed"):
        read(file)


@pytest.fixture
def small_limit(monkeypatch):
    monkeypatch.setattr(archives, "FREE", 100_000)


@pytest.mark.usefixtures("small_limit")
def test_a_zip_that_expands_enormously_is_refused_before_it_is_read(tmp_path):
    file = zip_with(tmp_path / "a.zip", "b", b"\0" * 3_000_000)
    with pytest.raises(ExpansionError, match=r"found 'b' of 3,000,000 bytes in \d,\d+, expected at most 200 times"):
        read(file)


@pytest.mark.usefixtures("small_limit")
def test_a_gzip_that_expands_enormously_is_refused_while_it_is_read(tmp_path):
    (tmp_path / "a.gz").write_bytes(gzip.compress(b"\0" * 30_000_000))
    came = 0
    with gunzipped(tmp_path / "a.gz") as stream, pytest.raises(ExpansionError, match="expected at most 200 times"):
        while block := stream.read(1 << 16):
            came += len(block)
    assert came < 7_000_000


@pytest.mark.usefixtures("small_limit")
def test_an_archive_that_expands_as_texts_do_is_read(tmp_path):
    text = b"".join(b"%d squared is %d\n" % (n, n * n) for n in range(50_000))
    (tmp_path / "a.gz").write_bytes(gzip.compress(text))
    assert read(tmp_path / "a.gz") == text


def test_what_is_refused_in_the_midst_of_a_gzip_file_comes_after_the_lines_before(tmp_path):
    data = gzip.compress(LINE * 10, mtime=0)
    (tmp_path / "a.gz").write_bytes(data + b"no gzip")
    with gunzipped(tmp_path / "a.gz") as stream:
        assert [stream.readline() for _ in range(10)] == [LINE] * 10
        with pytest.raises(gzip.BadGzipFile):
            stream.readline()
