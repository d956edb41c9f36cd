"""Colours of systems: a kind of batch has the same one in every figure. Safe for colour-blind readers."""

from __future__ import annotations

from collections.abc import Sequence

import seaborn as sns

Colour = tuple[float, float, float]
_PALETTE: list[Colour] = [*sns.color_palette("colorblind")]
KINDS = {"monolingual": 0, "crosslingual": 1, "hybrid": 2, "mixed": 3, "untrained": 7}  # places in the palette


def system_colours(names: Sequence[str]) -> dict[str, Colour]:
    """Give each system or curve a colour: the first of a kind of batch that of its kind, others one of the rest.

    The kind is what stands before the first comma: ``hybrid 0.5, batch_size 64`` is hybrid, and so is ``hybrid 0.5``,
    but ``hybrid 0.25`` and ``hybrid 0.5 + VRNS`` are others. Beyond ten names colours come again.

    Example:
        >>> colours = system_colours(["hybrid 0.5", "hybrid 0.25", "untrained"])
        >>> colours["hybrid 0.5"] == system_colours(["mixed", "hybrid"])["hybrid"]
        True
    """
    places: dict[str, int] = {}
    for name in names:
        place = KINDS.get(name.partition(",")[0].removesuffix(" 0.5"))
        if place is not None and place not in places.values():
            places[name] = place
    free = [place for place in range(len(_PALETTE)) if place not in KINDS.values()]
    free += [place for place in KINDS.values() if place not in places.values()]
    others = iter(free * len(names))
    return {name: _PALETTE[places[name] if name in places else next(others)] for name in dict.fromkeys(names)}
