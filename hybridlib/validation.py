"""What pydantic says of a wrong value, in this project's words: found, expected."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

from hybridlib.plain_text import brief, one_line


def explained(item: Any, what: str, known: Iterable[str]) -> str:
    """Return one error of ``ValidationError.errors()`` as ``found name = value, expected …``.

    Args:
        item: the error, a ``pydantic_core.ErrorDetails``.
        what: a name is called in a message.
        known: names that there are.
    """
    name = one_line(".".join(str(part) for part in item["loc"])) or "values"
    if item["type"] == "extra_forbidden":
        names = list(known)
        near = get_close_matches(name, names, n=2)  # stand first
        expected = " ".join(dict.fromkeys([*near, *names]))
        return f"found unknown {what} {brief(name)}, expected one of {expected}"
    if item["type"] == "value_error":
        return f"{item['ctx']['error']}"
    if item["type"] == "tuple_type":
        return f"found {name} = {brief(item['input'])}, expected a list such as {_listed(item['input'])}"
    if item["type"] == "dict_type" and name == "objective":
        return f"found {name} = {brief(item['input'])}, expected a mapping such as {{infonce: {{temperature: 0.05}}}}"
    expected = item["msg"]
    for start in ("Input should be", "Value", "String should have"):
        expected = expected.replace(start, "expected")
    return f"found {name} = {brief(item['input'])}, {expected}"


def _listed(value: Any) -> str:
    """Write a text with commas as the list that was meant; of another value, a list of languages."""
    return (
        one_line(f"[{', '.join(part.strip() for part in value.split(','))}]") if isinstance(value, str) else "[en, de]"
    )
