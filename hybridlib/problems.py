"""What is wrong with a file, said at once: up to 20 errors in one message."""

from __future__ import annotations

from hybridlib.errors import InputError

MOST = 20


class Problems:
    """Collects errors of a file's lines.

    Example:
        >>> problems = Problems()
        >>> problems.add(InputError("a:1: found x, expected y"))
        >>> problems.add(InputError("a:3: found z, expected y"))
        >>> problems.check()
        Traceback (most recent call last):
        hybridlib.errors.InputError: a:1: found x, expected y
        a:3: found z, expected y
    """

    def __init__(self) -> None:
        self._messages: list[str] = []

    def add(self, error: InputError) -> None:
        """Note an error; raise all at the twentieth."""
        self._messages.append(str(error))
        if len(self._messages) == MOST:
            self._messages.append(f"and maybe more: not read on after {MOST} errors")
            self.check()

    def check(self) -> None:
        """Raise what was noted, one error a line, if there is any."""
        if self._messages:
            raise InputError("\n".join(self._messages))
