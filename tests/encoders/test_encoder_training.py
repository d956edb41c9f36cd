"""An encoder in training: gradients in chunks, dropout, and embedding in between."""

import pytest
import torch
from small_encoders import TEXTS
from torch import nn

from hybridlib.encoders.encoder import DualEncoder


def gradients(encoder: DualEncoder, chunk: int) -> dict[str, torch.Tensor]:
    """Gradient of a loss that depends on every pair of vectors."""
    encoder.zero_grad()
    vectors = encoder(encoder.tokenize(TEXTS, "query"), chunk=chunk)
    target = torch.randn(len(TEXTS), len(TEXTS), generator=torch.Generator().manual_seed(0))
    ((vectors @ vectors.T - target) ** 2).mean().backward()
    return {name: parameter.grad.clone() for name, parameter in encoder.named_parameters()}


@pytest.mark.parametrize("chunk", [1, 3, 100])
def test_chunks_and_padding_change_no_vector(tiny, chunk):
    rows = tiny.tokenize(TEXTS, "passage")
    with torch.no_grad():
        expected = torch.cat([tiny([row]) for row in rows])
        assert tiny(rows, chunk=chunk).numpy() == pytest.approx(expected.numpy(), abs=1e-5)


def test_gradient_of_chunks_is_that_of_one_chunk_without_dropout(tiny):
    tiny.train()
    for module in tiny.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
    whole, parts = gradients(tiny, 100), gradients(tiny, 3)
    for name, gradient in whole.items():
        assert parts[name].numpy() == pytest.approx(gradient.numpy(), abs=1e-5), name
    assert max(gradient.abs().max() for gradient in whole.values()) > 1e-3


def test_chunks_with_dropout_give_every_parameter_a_finite_gradient(tiny):
    tiny.train()
    for name, gradient in gradients(tiny, 3).items():
        assert gradient.isfinite().all(), name
        assert gradient.abs().sum() > 0 or name.endswith("key.bias"), name  # a key's bias cancels in the softmax


def test_training_mode_has_dropout_and_evaluation_mode_none(tiny):
    rows = tiny.tokenize(TEXTS, "query")
    assert torch.equal(tiny(rows), tiny(rows))
    tiny.train()
    assert not torch.allclose(tiny(rows), tiny(rows), atol=1e-3)


def test_encode_has_no_dropout_in_training_mode(tiny):
    expected = tiny.encode(TEXTS, progress=False)
    tiny.train()
    assert (tiny.encode(TEXTS, progress=False) == expected).all()


@pytest.mark.parametrize("training", [True, False])
def test_encode_leaves_the_training_flag(tiny, training):
    tiny.train(training)
    tiny.encode(TEXTS, progress=False)
    assert {module.training for module in tiny.modules()} == {training}
