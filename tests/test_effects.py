"""How far each thing moves retrieval, from made-up studies."""

import dataclasses

from told_cases import told

from hybridlib.effects import effects


def varied(axis, baseline, points):
    """A study of an axis: label -> (curve, place, multilingual nDCG@10)."""
    study = told({label: (0.5, 0.5, value, 100.0) for label, (_, _, value) in points.items()}, [], baseline=baseline)
    series = [{"configuration": label, "series": curve, "x": x} for label, (curve, x, _) in points.items()]
    return dataclasses.replace(study, about={**study.about, "axis": axis, "series": series})


SIZES = varied(
    "batch_size",
    "hybrid, 64",
    {
        "hybrid, 16": ("hybrid", 16.0, 0.31),
        "hybrid, 64": ("hybrid", 64.0, 0.35),
        "hybrid, 1024": ("hybrid", 1024.0, 0.3),
        "VRNS, 1024": ("VRNS", 1024.0, 0.1),
    },
)
OBJECTIVES = varied(
    "sampler",
    "InfoNCE, hybrid",
    {
        "InfoNCE, hybrid": ("InfoNCE", "hybrid", 0.4),
        "InfoNCE, mixed": ("InfoNCE", "mixed", 0.2),
        "DCL, hybrid": ("DCL", "hybrid", 0.39),
        "DCL, mixed": ("DCL", "mixed", 0.1),
    },
)


def test_the_curve_of_the_baseline_is_told():
    assert effects([SIZES]) == (
        "Next to each study's baseline, nDCG@10 in the pool of all languages goes from worst to best by **batch_size** "
        "-0.050 (1,024) to +0.000 (64)."
    )


def test_samplers_are_told_at_one_objective_and_objectives_at_one_sampler():
    assert effects([SIZES, OBJECTIVES]).endswith(
        "; by **sampler** -0.200 (mixed) to +0.000 (hybrid); by **objective** -0.010 (DCL) to +0.000 (InfoNCE)."
    )


def test_nothing_is_said_without_an_axis_or_a_second_point():
    alone = varied("alpha", "a", {"a": ("hybrid", 0.5, 0.3), "b": ("other", 0.1, 0.4)})
    off = varied("alpha", "a", {"a": ("hybrid", 0.5, 0.3), "b": ("hybrid", 0.1, 0.4)})
    off.about["series"].pop(0)
    assert effects([alone, off, told({"a": (0.5, 0.5, 0.5, 1.0)}, [])]) == ""
