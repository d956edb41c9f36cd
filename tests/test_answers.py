"""The answer to the question, from tables with known numbers."""

import dataclasses

import pandas as pd
import pytest
from claim_cases import row
from told_cases import SYSTEMS, compared, told

from hybridlib import answers
from hybridlib.comparison import FIRST_HIT

CERTAIN = 0.0004
STUDY = " of the study mine (1 seed, 1,500 test concepts)"
WON = [
    *compared("hybrid 0.5", "monolingual", (-0.05, 0.05, 0.1, 334.0), p=CERTAIN),
    *compared("crosslingual", "hybrid 0.5", (-0.05, 0.05, -0.05, -734.0), p=CERTAIN),
    *compared("crosslingual", "monolingual", p=CERTAIN),
]


def with_p(first, second):
    """Every pair, hybrid against monolingual with the one p, crosslingual against hybrid with the other."""
    return [*compared("hybrid 0.5", "monolingual", p=first), *compared("crosslingual", "hybrid 0.5", p=second)]


def test_answer_says_how_it_stands_by_how_much_and_what_is_best():
    """The row in which hybrid batches are the baseline is turned; fewer ranks are better."""
    stands, best = answers.answer(told(SYSTEMS, WON))
    assert stands == (
        "Beside monolingual and crosslingual batches, which it mixes, **hybrid 0.5** is **between them** within a "
        "language (-0.050 [-0.060, -0.040], +0.050 [0.040, 0.060]) and between two languages (+0.050 [0.040, 0.060], "
        "-0.050 [-0.060, -0.040]); **better than both** in the pool of all languages (+0.100 [0.090, 0.110], +0.050 "
        "[0.040, 0.060]); **worse than both** by rank distance (+334 [314, 354], +734 [714, 754]). In brackets its "
        "difference to monolingual, then to crosslingual batches, by nDCG@10 unless said (of rank distance less is "
        "better), with 95 % intervals, each for itself, over test concepts; separable is what is so after Holm's "
        "correction (1 seed, 1,500 test concepts, study mine)."
    )
    assert best == (
        f"Of 3 systems{STUDY} the best is **monolingual** within a language (0.800); **crosslingual** between two "
        "languages (0.600) and by rank distance (500); **hybrid 0.5** itself in the pool of all languages (0.700)."
    )


def crossed():
    """Three objectives with two kinds of batch, of which the one is better within a language and the other else."""
    systems = {
        "A, monolingual": (0.8, 0.5, 0.60, 900.0),
        "A, hybrid": (0.7, 0.6, 0.65, 500.0),
        "B, monolingual": (0.9, 0.5, 0.50, 900.0),
        "B, hybrid": (0.6, 0.6, 0.61, 500.0),
        "C, monolingual": (0.2, 0.1, 0.10, 900.0),
        "C, hybrid": (0.1, 0.2, 0.30, 500.0),
    }
    lying = [[label, *label.split(", ")] for label in systems]
    return told(systems, axis="sampler", series=lying, baseline="A, hybrid", name="objectives", concepts={"test": 300})


def test_which_batches_are_best_over_objectives_is_said():
    """Worked by hand, in the pool: another kind of batch moves A by .05 and B by .11; C is not of the better half."""
    stands, over, _ = answers.answer(told(SYSTEMS, WON), crossing=[told(SYSTEMS, WON), crossed(), crossed()])
    assert stands.startswith("Beside monolingual")
    assert over == (
        "With 3 objectives (1 seed, 300 test concepts, study objectives) the best batches by their means are "
        "**monolingual** ones within a language for 3, **hybrid** ones between two languages for 3, in the pool of all "
        "languages for 3 and by rank distance for 3. Among the 2 objectives that are best in the pool, another kind of "
        "batch moves its nDCG@10 by 0.080 (median), another objective by 0.040 (hybrid) to 0.100 (monolingual)."
    )


def test_the_best_by_the_first_hit_is_told_where_it_was_tested():
    hits = [
        row(0.01, 0.03, CERTAIN, "hybrid 0.5", "monolingual", *FIRST_HIT),
        row(-0.02, 0.01, 0.3, "crosslingual", "hybrid 0.5", *FIRST_HIT),
    ]
    study = told(SYSTEMS, [*WON, *hits])
    pool = study.means[(study.means["setting"] == "multilingual") & (study.means["measure"] == "nDCG@10")]
    study = dataclasses.replace(study, means=pd.concat([study.means, pool.assign(measure="RR")]))
    best = answers.answer(study)[-1]
    assert (
        "**hybrid 0.5** itself in the pool of all languages (0.700) and by the first hit in the pool (RR) (0.7" in best
    )


@pytest.mark.parametrize("missing", ["monolingual", "crosslingual"])
def test_a_parent_that_is_not_there_is_left_out(missing):
    rows = [one for one in WON if missing not in (one["configuration"], one["baseline"])]
    systems = {label: values for label, values in SYSTEMS.items() if label != missing}
    stands, best = answers.answer(told(systems, rows))
    (other,) = {"monolingual", "crosslingual"} - {missing}
    assert stands.startswith(f"Beside {other} batches, **hybrid 0.5** is **")
    assert f"In brackets its difference to {other} batches, by" in stands
    assert missing not in stands
    assert best.startswith(f"Of 2 systems{STUDY} the best is ")


def test_without_both_parents_the_best_is_said_alone():
    systems = {"mixed": SYSTEMS["monolingual"], "hybrid 0.5": SYSTEMS["hybrid 0.5"]}
    (best,) = answers.answer(told(systems, compared("hybrid 0.5", "mixed")))
    assert best.startswith(
        f"Of 2 systems{STUDY} the best is **mixed** within a language (0.800; not separable from hybrid 0.5)"
    )


def test_a_parent_is_not_compared_with_itself():
    systems = {label: SYSTEMS[label] for label in ("monolingual", "crosslingual")}
    found = told(systems, compared("crosslingual", "monolingual", p=CERTAIN), baseline="monolingual")
    stands, best = answers.answer(found)
    assert stands.startswith("Beside crosslingual batches, **monolingual** is **worse** within a language (-0.100")
    assert "**monolingual** itself within a language" in best


def test_a_system_that_is_best_in_everything_is_so_itself():
    best = answers.answer(told({**SYSTEMS, "hybrid 0.5": (0.9, 0.9, 0.9, 1.0)}, WON))[-1]
    assert best == (
        f"Of 3 systems{STUDY} the best is **hybrid 0.5** itself within a language (0.900), between two languages "
        "(0.900), in the pool of all languages (0.900) and by rank distance (1)."
    )


def test_of_equals_the_subject_is_best_and_else_the_first_by_name():
    """As in ``StudyResults.comparisons``, which compares all with this one and not with its equal."""
    same = (0.9, 0.55, 0.9, 1.0)
    systems = {"z": same, "a": same, "crosslingual": (0.1, 0.55, 0.1, 5.0), "hybrid 0.5": SYSTEMS["hybrid 0.5"]}
    rows = [*compared("hybrid 0.5", "a"), *compared("hybrid 0.5", "crosslingual"), *compared("z", "a")]
    best = answers.answer(told(systems, rows))[-1]
    assert "**a** within a language (0.900; of 2 compared with it not separable from hybrid 0.5 and z)" in best
    assert "**hybrid 0.5** itself between two languages" in best


@pytest.mark.parametrize(
    ("references", "baseline", "expected"),
    [
        ([], "mixed", "hybrid 0.5"),
        (["mixed", "hybrid 0.5"], "mixed", "hybrid 0.5"),
        (["mixed"], "hybrid 0.5", "hybrid 0.5"),
        (["mixed"], "monolingual", "monolingual"),
    ],
)
def test_subject_is_hybrid_batches_if_all_were_compared_with_them(references, baseline, expected):
    assert answers.subject(told(SYSTEMS, references=references, baseline=baseline)) == expected


def test_subject_of_a_study_without_hybrid_batches_is_its_baseline():
    found = told({"mixed": SYSTEMS["monolingual"], "hybrid 0.25": SYSTEMS["hybrid 0.5"]}, baseline="mixed")
    assert answers.subject(found) == "mixed"


def test_what_was_trained_on_more_pairs_is_best_only_of_all():
    systems = {**SYSTEMS, "twice": (0.9, 0.55, 0.9, 100.0)}
    best = answers.answer(told(systems, [*WON, *compared("twice", "hybrid 0.5")], pairs={"twice": 8192.0}))[-1]
    tied = "of 1 compared with it not separable from hybrid 0.5"
    assert best == (
        f"Of 3 systems{STUDY} that were trained on no more pairs than hybrid 0.5 the best is **monolingual** "
        "within a language (0.800); **crosslingual** between two languages (0.600) and by rank distance (500); "
        "**hybrid 0.5** itself in "
        "the pool of all languages (0.700). Of all 4, whatever their training, it is **twice** within a language "
        f"(0.900; {tied}), in the pool of all languages (0.900; {tied}) and by rank distance (100; {tied})."
    )


@pytest.mark.parametrize(("label", "expected"), [("a", ["b"]), ("b", []), ("untrained", []), ("gone", [])])
def test_what_was_trained_on_more_than_one_of_them(label, expected):
    """Beside an encoder that was not trained nothing is too dear."""
    runs = pd.DataFrame({"configuration": ["untrained", "a", "b", "made"], "pairs": [0, 64, 128, float("nan")]})
    assert answers.dearer_than(runs, label) == expected


def test_a_system_whose_pairs_are_not_known_is_not_taken_for_dearer():
    assert answers.dearer(told(SYSTEMS, pairs={"monolingual": float("nan"), "crosslingual": 4097.0})) == [
        "crosslingual"
    ]


def seeded(one, seeds, **about):
    """The same study with so many seeds."""
    summary = pd.concat([one.summary.assign(seed=seed) for seed in range(seeds)])
    return dataclasses.replace(one, summary=summary, about={**one.about, **about})


def test_the_best_founded_study_speaks_of_the_parents():
    one = told(SYSTEMS, WON)
    other = {label: (values[0] / 2, *values[1:]) for label, values in SYSTEMS.items()}
    studies = [
        one,
        seeded(told(other, with_p(0.2, 0.2), name="three"), 3),
        told(SYSTEMS, WON, name="same runs", runs_of="mine"),
        told(SYSTEMS, WON, name="more concepts", concepts={"test": 1501}, runs_of="more"),
        told({"mixed": SYSTEMS["monolingual"], "hybrid 0.5": SYSTEMS["hybrid 0.5"]}, name="no parents"),
        seeded(told(other, WON), 9, name="made up", demonstration=True),
    ]
    found = answers.with_parents(studies, one)
    assert [study.name for study in found] == ["three", "more concepts", "mine"]
    stands, best = answers.answer(one, found)
    assert "**not separable from either**" in stands
    assert "(3 seeds, 1,500 test concepts, study three)" in stands
    assert "in the pool of all languages (0.700)" in best
