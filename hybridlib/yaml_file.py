"""YAML of others: small, plain, and no larger when its aliases are written out."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from hybridlib.errors import InputError
from hybridlib.plain_text import one_line

LARGEST = 1 << 18  # bytes of a file
MOST = 20_000  # values and names, aliases written out
DEEPEST = 20
_DIGITS = 40  # of a number
# What PyYAML's constructors raise for values such as 2020-99-99, !!int "" and "\U00110000".
_NO_VALUE = (yaml.YAMLError, ValueError, TypeError, AttributeError, LookupError, OverflowError, RecursionError)


class _Loader(yaml.SafeLoader):
    """PyYAML's, which is of YAML 1.1, and YAML 1.2's numbers with an exponent: 5e-5 is one without a point and sign."""


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)[eE][-+]?[0-9]+$"),
    list("-+.0123456789"),
)


def plain_value(text: str) -> Any:
    """Return what a short text says in YAML; raise :class:`yaml.YAMLError` if nothing."""
    return _Loader(text).get_single_data()


def read_yaml(path: Path, expected: str) -> Any:
    """Return the one document of a file: mappings, lists, texts, numbers, dates.

    Args:
        path: a file in UTF-8.
        expected: what it should be, for a message.

    Raises:
        FileNotFoundError: if there is no such file.
        InputError: naming the file and what is wrong: no YAML, another tag than YAML's own, more than 256 KiB, more
            than 20,000 values with aliases written out, values deeper than 20, a name that stands twice in a mapping.
    """
    with_expected = f"expected {expected}"
    try:
        with path.open("rb") as stream:
            data = stream.read(LARGEST + 1)
        if len(data) > LARGEST:
            raise InputError(f"{path}: found more than {LARGEST:,} bytes, {with_expected}")
        loader = _Loader(data.decode("utf-8-sig"))
        node = loader.get_single_node()
        if node is None:
            return None
        _measured(node, f"{path}", {}, ())
        return loader.construct_document(node)
    except (FileNotFoundError, InputError):
        raise
    except RecursionError:
        raise InputError(f"{path}: found values deeper than {DEEPEST}, {with_expected}") from None
    except (OSError, *_NO_VALUE) as error:
        raise InputError(f"{path}: found no YAML ({_said(error)}), {with_expected}") from error


def _said(error: Exception) -> str:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        return f"line {error.problem_mark.line + 1}: {one_line(error.problem or error.context or '')}"
    return one_line(str(error))


def _measured(node: yaml.Node, path: str, known: dict[int, tuple[int, int]], above: tuple[int, ...]) -> tuple[int, int]:
    """Return how many nodes stand below a node, itself and written-out aliases included, and how deep."""
    where = f"{path}:{node.start_mark.line + 1}"
    if id(node) in above:
        raise InputError(f"{where}: found a value that contains itself, expected values that end")
    if id(node) in known:
        return known[id(node)]
    if isinstance(node, yaml.ScalarNode):
        _check_scalar(node, where)
        return 1, 1
    if isinstance(node, yaml.MappingNode):
        _check_names(node, path)
        below = [part for pair in node.value for part in pair]
    else:
        below = node.value
    measured = [_measured(part, path, known, (*above, id(node))) for part in below]
    size = 1 + sum(count for count, _ in measured)
    depth = 1 + max((depth for _, depth in measured), default=0)
    if size > MOST or depth > DEEPEST:
        found = f"{size:,} values with aliases written out" if size > MOST else f"values {depth} deep"
        raise InputError(f"{where}: found {found}, expected at most {MOST:,}, and {DEEPEST} deep")
    known[id(node)] = size, depth
    return size, depth


def _check_scalar(node: yaml.ScalarNode, where: str) -> None:
    if any("\ud800" <= character <= "\udfff" for character in node.value):
        raise InputError(f"{where}: found half a surrogate pair in {node.value[:60]!r}, expected Unicode text")
    if node.tag == "tag:yaml.org,2002:int" and len(node.value) > _DIGITS:
        raise InputError(f"{where}: found a number of {len(node.value)} characters, expected at most {_DIGITS}")


def _check_names(node: yaml.MappingNode, path: str) -> None:
    seen = set()
    for name, _ in node.value:
        if isinstance(name, yaml.ScalarNode):
            if (name.tag, name.value) in seen:
                raise InputError(
                    f"{path}:{name.start_mark.line + 1}: found the name {name.value[:60]!r} again, expected it once"
                )
            seen.add((name.tag, name.value))
