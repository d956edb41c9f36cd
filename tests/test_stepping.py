import pytest
import torch

from hybridlib import stepping
from hybridlib.config import RunConfig
from hybridlib.corpora import scenes
from hybridlib.encoders.encoder import DualEncoder
from hybridlib.objectives import InfoNCE
from hybridlib.stepping import Stepping, learning_rate_factor, parameter_groups

torch.set_num_threads(1)


def test_matrices_decay_and_biases_norms_and_temperature_do_not():
    encoder, objective = DualEncoder.load("tiny"), InfoNCE(learn_temperature=True)
    decayed, free = parameter_groups(encoder, objective, 0.1)
    names = {id(parameter): name for name, parameter in encoder.named_parameters()}
    names[id(objective.log_scale)] = "temperature"
    assert (decayed["weight_decay"], free["weight_decay"]) == (0.1, 0.0)
    expected = {
        name for name in names.values() if name.endswith("bias") or "LayerNorm" in name or name == "temperature"
    }
    assert {names[id(parameter)] for parameter in free["params"]} == expected
    assert {names[id(parameter)] for parameter in decayed["params"]} == set(names.values()) - expected
    assert len(decayed["params"]) + len(free["params"]) == len(names)


def test_frozen_parameters_are_in_no_group():
    encoder = DualEncoder.load("tiny")
    encoder.model.get_input_embeddings().weight.requires_grad_(False)
    groups = parameter_groups(encoder, InfoNCE(), 0.1)
    found = {id(parameter) for group in groups for parameter in group["params"]}
    assert found == {id(parameter) for parameter in encoder.parameters() if parameter.requires_grad}


def test_learning_rate_by_hand():
    factors = [learning_rate_factor(step, 10, 0.2) for step in range(10)]
    assert factors == pytest.approx([0.5, 1, 1, 7 / 8, 6 / 8, 5 / 8, 4 / 8, 3 / 8, 2 / 8, 1 / 8])


def test_learning_rate_without_warmup_falls_from_the_start():
    assert [learning_rate_factor(step, 4, 0.0) for step in range(4)] == [1.0, 0.75, 0.5, 0.25]


@pytest.mark.parametrize("steps", [1, 2, 3, 10])
@pytest.mark.parametrize("warmup", [0.0, 0.1, 0.5, 0.99])
def test_learning_rate_is_positive_at_every_step_and_0_after_the_last(steps, warmup):
    factors = [learning_rate_factor(step, steps, warmup) for step in range(steps)]
    assert all(0 < factor <= 1 for factor in factors)
    assert max(factors) == 1
    assert learning_rate_factor(steps, steps, warmup) == 0


@pytest.mark.parametrize("made_on", ["a processor", "a device"])
def test_checkpoint_of_another_kind_of_device_goes_on_with_another_dropout_and_says_so(monkeypatch, caplog, made_on):
    """A device has the state of a generator of its own beside the processor's; the processor plays both."""
    values = {"encoder": "tiny", "batch_size": 8, "steps": 3, "threads": 1}
    first, second = (
        Stepping(RunConfig(**values), DualEncoder.load("tiny"), scenes.load(count=30, languages=("en", "de")), {})
        for _ in range(2)
    )
    row, processor = first.update(1), stepping.random_state

    def device(device: torch.device) -> list[torch.Tensor]:
        return [*processor(device), torch.zeros(16, dtype=torch.uint8)]

    before, after = (processor, device) if made_on == "a processor" else (device, processor)
    monkeypatch.setattr(stepping, "random_state", before)
    state = first.tensors()
    monkeypatch.setattr(stepping, "random_state", after)
    drawn = []
    for _ in range(2):
        second.load(state, [row])
        drawn.append(torch.rand(3))
    assert "found a checkpoint of another kind of device, going on with cpu: dropout differs" in caplog.text
    assert torch.equal(*drawn)
    assert next(second.batches) == next(first.batches)
    assert all(
        torch.equal(weights, first.encoder.state_dict()[n]) for n, weights in second.encoder.state_dict().items()
    )
