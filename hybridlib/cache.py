"""Where hybridlib keeps what it downloads and builds, and how it writes there without leaving halves."""

import hashlib
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hybridlib.errors import InputError

__all__ = ["cache_folder", "new_folder", "replace_file", "sha256_of"]


def cache_folder() -> Path:
    """Return the cache folder: ``$HYBRIDLIB_CACHE`` if set and not empty, else ``~/.cache/hybridlib``.

    The folder is not created.
    """
    named = os.environ.get("HYBRIDLIB_CACHE")
    return Path(named).expanduser() if named else Path.home() / ".cache" / "hybridlib"


def sha256_of(path: str | os.PathLike[str]) -> str:
    """Return the SHA-256 of the file at ``path`` as 64 lower-case hexadecimal digits.

    Raises:
        OSError: the file cannot be read.
    """
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def replace_file(path: str | os.PathLike[str], data: bytes) -> None:
    """Write ``data`` to ``path`` so that a reader sees the old content or the new, never a part.

    The data is written beside ``path`` (its folder must exist), flushed to the disk and renamed over it.

    Raises:
        OSError: the file cannot be written; what was at ``path`` is then still there.
    """
    path = Path(path)
    beside = _beside(path)
    try:
        with beside.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


@contextmanager
def new_folder(path: str | os.PathLike[str], *, first_wins: bool = False) -> Iterator[Path]:
    """Yield a temporary sibling folder of ``path`` that becomes ``path`` when the block ends without an error.

    The parents of ``path`` are made as needed. After an error the temporary folder is removed and ``path`` is as
    before. An empty folder at ``path`` is replaced.

    Args:
        path: the folder to make.
        first_wins: for a cache, whose content is the same whoever makes it: where another process has made ``path``
            meanwhile, its folder stays and the one yielded is removed.

    Raises:
        InputError: ``path`` is a folder with something in it, which nothing but a cache may take for its own.
        OSError: the folder cannot be made or renamed, or ``path`` is a link.
    """
    path = Path(path)
    if not first_wins and path.is_dir() and any(path.iterdir()):
        raise _taken(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = _beside(path)
    beside.mkdir()
    try:
        yield beside
        try:
            beside.rename(path)
        except OSError:
            if path.is_symlink() or not path.is_dir():
                raise
            if not first_wins:
                raise _taken(path) from None
            shutil.rmtree(beside)
    except BaseException:
        shutil.rmtree(beside, ignore_errors=True)
        raise


def _taken(path: Path) -> InputError:
    return InputError(f"{path}: found an existing folder, expected a new one: remove it first")


def _beside(path: Path) -> Path:
    """Return an unused hidden name in the folder of ``path``."""
    return path.parent / f".{path.name}.{secrets.token_hex(8)}.tmp"
