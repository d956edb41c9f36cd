"""GradCache: the exact gradient of a batch of thousands in the memory of one chunk."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import ModuleType

import torch
from torch import Tensor

from hybridlib.encoders.chunks import token_chunks
from hybridlib.encoders.encoder import DualEncoder
from hybridlib.errors import InputError

__all__ = ["cached_backward"]
_GENERATORS = ("cuda", "mps", "xpu")  # devices that draw from a generator of their own


def cached_backward(
    encoder: DualEncoder,
    rows: Sequence[Sequence[int]],
    loss_of: Callable[[Tensor], Tensor],
    *,
    chunk_tokens: int,
) -> Tensor:
    r"""Add the gradient of a loss over all vectors of a batch to every parameter, chunk by chunk.

    A contrastive loss couples all vectors of a batch, yet depends on the weights through the vectors alone (Gao et
    al. 2021, arXiv 2101.06983, section 3):

    .. math:: \frac{dL}{d\theta} = \sum_i \frac{\partial L}{\partial v_i} \frac{\partial v_i}{\partial \theta}

    So all vectors are made without a graph; the loss yields :math:`\partial L / \partial v_i`; then each chunk runs
    again with a graph and the random state of its first run, so that its dropout is the same. That costs a second
    forward pass. Word embeddings are looked up once for each token that occurs, and their gradient, which is as large
    as the vocabulary, is made once.

    Loss, gradients (but for rounding where a token or a parameter is summed in another order) and the random state
    afterwards are those of ``loss_of(encoder.embed(rows, token_chunks(lengths, chunk_tokens))).backward()``.
    Gradients of several batches add up as they do there.

    Args:
        encoder: in training mode or not.
        rows: token ids of ``n`` texts.
        loss_of: maps float32 [n, dimension], unit vectors in the order of ``rows``, to a scalar; called once. What
            else it depends on, such as a learned temperature, gets its gradient, too.
        chunk_tokens: tokens that the model sees at once, padding included; a longer row is alone.

    Returns:
        The loss, a scalar without graph.

    Raises:
        InputError: if ``chunk_tokens`` is below 1, on a device whose random generator is not known here, or under
            autocast, which would keep weights that it cast in the pass without graph and so lead gradients nowhere; the
            encoder's ``precision`` switches its own on.

    Example:
        >>> encoder = DualEncoder.load("tiny")
        >>> rows = encoder.tokenize(["one", "two", "three"], "query")
        >>> loss = cached_backward(encoder, rows, lambda vectors: vectors.square().sum(), chunk_tokens=16)
        >>> round(loss.item(), 4)
        3.0
    """
    if torch.is_autocast_enabled(encoder.device.type):
        raise InputError("cached_backward: found autocast around the call, expected none: set the encoder's precision")
    chunks = token_chunks([len(row) for row in rows], chunk_tokens)
    lengths = [[len(rows[i]) for i in chunk] for chunk in chunks]
    order = [i for chunk in chunks for i in chunk]
    tokens = torch.tensor([token for i in order for token in rows[i]], device=encoder.device)
    distinct, places = tokens.unique(return_inverse=True)
    words = encoder.model.get_input_embeddings()(distinct)
    table, table_gradient = words.detach(), torch.zeros_like(words)
    parts = places.split([sum(part) for part in lengths])

    states, made = [], []
    with torch.no_grad():
        for part, sizes in zip(parts, lengths, strict=True):
            states.append(random_state(encoder.device))
            made.append(encoder.pool(table[part], sizes))
    by_length = torch.cat(made)
    vectors = torch.empty_like(by_length)
    vectors[order] = by_length
    loss = loss_of(vectors.requires_grad_())
    loss.backward()
    assert vectors.grad is not None
    gradients = vectors.grad[order].split([len(chunk) for chunk in chunks])

    after = random_state(encoder.device)
    # The last chunk comes first, as in autograd's own backward pass: the sums are then equal to the last bit.
    for part, sizes, state, gradient in reversed(list(zip(parts, lengths, states, gradients, strict=True))):
        set_random_state(encoder.device, state)
        chosen = table[part].requires_grad_(words.requires_grad)
        encoder.pool(chosen, sizes).backward(gradient)
        if chosen.grad is not None:
            table_gradient.index_add_(0, part, chosen.grad)
    set_random_state(encoder.device, after)
    if words.requires_grad:
        words.backward(table_gradient)
    return loss.detach()


def random_state(device: torch.device) -> list[Tensor]:
    """Return the states of the generators that dropout on a device draws from: the CPU's, then its own if it has one.

    Raises:
        InputError: for a device whose generator is not known here.
    """
    states = [torch.get_rng_state()]
    return states if device.type == "cpu" else [*states, _module(device).get_rng_state(device)]


def set_random_state(device: torch.device, states: list[Tensor]) -> None:
    """Set what :func:`random_state` returned; if that was on a CPU, the device's own generator stays as it is."""
    torch.set_rng_state(states[0])
    if device.type != "cpu" and len(states) > 1:
        _module(device).set_rng_state(states[1], device)


def _module(device: torch.device) -> ModuleType:
    if device.type not in _GENERATORS:
        expected = ", ".join(("cpu", *_GENERATORS))
        raise InputError(f"random state: found a device of type {device.type!r}, expected one of {expected}")
    return getattr(torch, device.type)
