"""What the tests of encoders embed, load and compare."""

import torch

from hybridlib.encoders.encoder import DualEncoder

torch.set_num_threads(1)

TEXTS = ["a cat sleeps", "", "two dogs run over the wet grass of a park", "Ein Hund.", "кот", "x", "猫が寝る", "cat"]
SIZES = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}


def load(folder) -> DualEncoder:
    encoder = DualEncoder.load(str(folder), precision="float32")
    encoder.eval()
    return encoder


def assert_same_weights(first: DualEncoder, second: DualEncoder) -> None:
    found, expected = first.state_dict(), second.state_dict()
    assert found.keys() == expected.keys()
    assert [name for name in expected if not torch.equal(found[name], expected[name])] == []


def change_weights(encoder: DualEncoder) -> None:
    """Move every weight, as training does."""
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in encoder.parameters():
            parameter += 0.1 * torch.randn(parameter.shape, generator=generator)
