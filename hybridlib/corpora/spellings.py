"""One way of writing each language code: pt-BR and pt_br are one language, and not two to balance."""

from __future__ import annotations

from hybridlib.errors import InputError


class Spellings:
    """Remembers how a file writes its language codes.

    Example:
        >>> spellings = Spellings()
        >>> spellings.check("pt-BR", "a:1")
        >>> spellings.check("pt_br", "a:3")
        Traceback (most recent call last):
        hybridlib.errors.InputError: a:3: found language 'pt_br', and 'pt-BR' at a:1, expected one way of writing it
    """

    def __init__(self) -> None:
        self._first: dict[str, tuple[str, str]] = {}
        self._known: set[str] = set()

    def check(self, code: str, where: str) -> None:
        """Raise :class:`InputError` if a code was written otherwise before: in case, or with ``_`` for ``-``."""
        if code in self._known:
            return
        first, place = self._first.setdefault(code.replace("_", "-").lower(), (code, where))
        if first != code:
            raise InputError(
                f"{where}: found language {code!r}, and {first!r} at {place}, expected one way of writing it"
            )
        self._known.add(code)
