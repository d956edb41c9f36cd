"""Archives of others, read as streams and never unpacked onto the disk: what a member may be, how much may come out."""

from __future__ import annotations

import gzip
import io
import stat
import struct
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path, PurePosixPath
from typing import IO

from hybridlib.errors import InputError

FREE = 1 << 28  # bytes that may come out of any archive
RATIO = 200  # times its size that may come out of a larger one; texts shrink to a third or a tenth
_BLOCK = 1 << 16
_NO_ZIP = (NotImplementedError, RuntimeError, struct.error, ValueError, OverflowError)  # what zipfile says of damage


class ExpansionError(InputError):
    """More comes out of an archive than any text would give."""


@contextmanager
def gunzipped(path: Path) -> Iterator[IO[bytes]]:
    """Open a gzip file for reading; what comes out is bounded.

    Raises:
        ExpansionError: while reading, as soon as more than ``FREE`` bytes and ``RATIO`` times the file came out.
    """
    with gzip.open(path) as stream:
        yield io.BufferedReader(_Bounded(stream, path), _BLOCK)


@contextmanager
def unzipped(path: Path, name: str | None) -> Iterator[IO[bytes]]:
    """Open for reading the one member of a zip file whose name, without folders, is ``name``.

    Raises:
        InputError: if there are none or several, or for an archive that :func:`check_members` refuses.
        zipfile.BadZipFile: for a damaged one.
    """
    with ExitStack() as opened:
        try:
            archive = opened.enter_context(zipfile.ZipFile(path))
            check_members(archive, f"{path}")
            inside = [member for member in archive.namelist() if PurePosixPath(member).name == name]
            if len(inside) != 1:
                raise InputError(f"{path}: found {len(inside)} members named {name}, expected one")
            stream = opened.enter_context(archive.open(inside[0]))
        except InputError:
            raise
        except _NO_ZIP as error:
            raise zipfile.BadZipFile(f"{error}") from error
        yield stream


def check_members(archive: zipfile.ZipFile, where: str) -> None:
    """Raise unless every member is a plain file or folder inside the archive and expands as texts and weights do."""
    for member in archive.infolist():
        path = member.filename.replace("\\", "/")
        if path.startswith("/") or ":" in path or ".." in PurePosixPath(path).parts:
            raise InputError(f"{where}: found the member {member.filename!r}, expected paths inside the archive")
        kind = stat.S_IFMT(member.external_attr >> 16)
        if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise InputError(f"{where}: found a link, {member.filename!r}, expected files and folders")
        if member.flag_bits & 1 or member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise InputError(
                f"{where}: found {member.filename!r} encrypted or compressed by method {member.compress_type}, "
                "expected it stored or deflated"
            )
        if member.file_size > max(FREE, RATIO * member.compress_size):
            raise ExpansionError(
                f"{where}: found {member.filename!r} of {member.file_size:,} bytes in {member.compress_size:,}, "
                f"expected at most {RATIO} times"
            )


class _Bounded(io.RawIOBase):
    """A stream that raises where more comes out than may."""

    def __init__(self, stream: gzip.GzipFile, path: Path) -> None:
        self._stream, self._path, self._size = stream, path, path.stat().st_size
        self._came = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        data = self._stream.read1(len(buffer))
        self._came += len(data)
        if self._came > max(FREE, RATIO * self._size):
            raise ExpansionError(
                f"{self._path}: found more than {self._came:,} bytes in {self._size:,}, expected at most {RATIO} times"
            )
        buffer[: len(data)] = data
        return len(data)
