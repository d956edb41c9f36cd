import re

import pytest
import torch
from naive_objectives import example

from hybridlib.errors import InputError
from hybridlib.objectives import Batch, InfoNCE, build
from hybridlib.objectives.dhel import DHEL
from hybridlib.objectives.mimo import MIMODistillation
from hybridlib.objectives.vrns import VRNS


def test_sum_has_the_given_weights_and_arguments():
    batch = example(0)
    objective = build(
        {"infonce": {"temperature": 0.1}, "vrns": {"weight": 30}, "dhel": {"weight": 0.5, "temperature": 1}}, concepts=9
    )
    parts = {"infonce": InfoNCE(0.1)(batch), "vrns": VRNS(9)(batch), "dhel": DHEL(1.0)(batch)}
    assert objective.parts(batch) == parts
    expected = parts["infonce"] + 30 * parts["vrns"] + 0.5 * parts["dhel"]
    assert objective(batch).item() == pytest.approx(expected.item(), rel=1e-12)
    assert objective.total(parts).item() == objective(batch).item()


def test_one_objective_of_weight_1_keeps_its_exact_value_and_gradient():
    queries, passages = example(1).queries.float(), example(1).passages.float()
    alone, summed = (Batch(queries.clone().requires_grad_(), passages, torch.arange(7)) for _ in range(2))
    first, second = InfoNCE(0.05)(alone), build({"infonce": {}}, concepts=2)(summed)
    first.backward()
    second.backward()
    assert first.item() == second.item()
    assert torch.equal(alone.queries.grad, summed.queries.grad)


def test_weight_0_adds_nothing_and_is_still_reported():
    batch = example(2)
    objective = build({"infonce": {}, "vrns": {"weight": 0}}, concepts=9)
    assert objective(batch).item() == InfoNCE()(batch).item()
    assert objective.parts(batch)["vrns"].item() > 0


def test_parameters_of_all_parts_are_trained():
    mimo = {"dimension": 5, "teacher_dimension": 4}
    objective = build({"infonce": {"learn_temperature": True}, "siglip": {}, "mimo_distillation": mimo})
    assert {name for name, parameter in objective.named_parameters() if parameter.requires_grad} == {
        "objectives.infonce.log_scale",
        "objectives.siglip.log_scale",
        "objectives.siglip.bias",
        "objectives.mimo_distillation.projection.weight",
        "objectives.mimo_distillation.projection.bias",
    }


def test_known_numbers_are_taken_by_who_has_an_argument_of_that_name_and_none():
    spec = {"infonce": {}, "vrns": {}, "memory_bank": {"dimension": 6}, "mimo_distillation": {"seed": 3}}
    parts = build(spec, concepts=9, dimension=5, teacher_dimension=4).objectives
    assert parts["vrns"].target == -1 / 8
    assert parts["memory_bank"].bank.vectors.shape == (1024, 6)
    assert torch.equal(parts["mimo_distillation"].projection.weight, MIMODistillation(5, 4, seed=3).projection.weight)


def test_sum_needs_what_its_parts_need_in_the_order_of_the_batch():
    known = {"dimension": 5, "teacher_dimension": 4}
    names = ["mimo_distillation", "lakda", "kl", "infonce", "balanced_infonce"]
    expected = ("passage_language", "second_queries", "teacher_queries", "teacher_passages")
    for order in (names, names[::-1]):
        assert build({name: {} for name in order}, **known).needs == expected
    assert build({"infonce": {}}).needs == ()


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({}, "objective: found no objective of a weight above 0, expected one at least"),
        ({"infonce": {"weight": 0}}, "objective: found no objective of a weight above 0"),
        ({"infonse": {}}, "objective: found 'infonse', expected some of infonce symmetric_infonce hybrid_paper simclr"),
        ({"infonce": None}, "objective infonce: found None, expected arguments by name"),
        (
            {"infonce": {"temp": 1.0}},
            "objective infonce: found unknown argument 'temp', expected some of weight temperature learn_temperature",
        ),
        ({"spectral": {"temperature": 1.0}}, "objective spectral: found unknown argument 'temperature'"),
        ({"infonce": {"temperature": "0.1"}}, "found temperature = '0.1', expected a value of type float"),
        ({"infonce": {"temperature": True}}, "found temperature = True, expected a value of type float"),
        ({"infonce": {"learn_temperature": 1}}, "found learn_temperature = 1, expected a value of type bool"),
        (
            {"mimo_distillation": {"dimension": 5}},
            "objective mimo_distillation: found no teacher_dimension, expected a value of type int",
        ),
        ({"mimo_distillation": {"dimension": 5.0}}, "found dimension = 5.0, expected a value of type int"),
        ({"memory_bank": {"size": 0, "dimension": 5}}, "MemoryBank: found size 0, expected 1 or more"),
        ({"vrns": {"weight": "30"}}, "objective vrns: found weight = '30', expected a value of type float"),
        ({"vrns": {"weight": -1}}, "objective vrns: found weight -1, expected 0 or more"),
        ({"vrns": {"weight": float("nan")}}, "objective vrns: found weight nan, expected 0 or more"),
        ({"vrns": {"weight": float("inf")}}, "objective vrns: found weight inf, expected 0 or more"),
        ({"vrns": {"concepts": 1}}, "VRNS: found concepts 1, expected 2 or more"),
        ({"siglip": {"scale": 0}}, "SigLIP: found scale 0, expected a positive number"),
        ({"siglip": {"bias": float("inf")}}, "SigLIP: found bias inf, expected a finite number"),
        ({"gist": {"margin": float("nan")}}, "GIST: found margin nan, expected a finite number"),
        ({"lakda": {"share": 1.1}}, "LaKDA: found share 1.1, expected 0 to 1"),
    ],
)
def test_what_cannot_be_built_is_refused(spec, message):
    with pytest.raises(InputError, match=re.escape(message)):
        build(spec, concepts=9)
