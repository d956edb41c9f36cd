from __future__ import annotations

import random
from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from hybridlib.encoders.chunks import token_chunks
from hybridlib.encoders.encoder import DualEncoder
from hybridlib.errors import InputError
from hybridlib.gradcache import cached_backward, random_state, set_random_state
from hybridlib.objectives import OBJECTIVES, Batch, InfoNCE, build

torch.set_num_threads(1)

PAIRS = 6
# Tokens a chunk, of 24 rows of 8 to 56 tokens: every row alone, chunks that do not divide the batch, all rows in one.
CHUNKS = {"one row": 1, "uneven": 150, "one chunk": 10_000}
Result = tuple[float, dict[str, Tensor]]


class Jittered(nn.Module):
    """An objective that itself draws random numbers."""

    def forward(self, batch: Batch) -> Tensor:
        similarities = batch.queries @ batch.passages.T
        return (torch.rand_like(similarities) * similarities.exp()).sum().log()


def rows_of(encoder: DualEncoder, seed: int = 0) -> list[list[int]]:
    rng = random.Random(seed)
    texts = ["".join(rng.choices("abcdefgh ", k=rng.randint(1, 45))) for _ in range(4 * PAIRS)]
    return encoder.tokenize(texts, "query")


def training_encoder(dtype: torch.dtype = torch.float32) -> DualEncoder:
    encoder = DualEncoder.load("tiny").to(dtype)
    encoder.train()
    return encoder


def batch_of(vectors: Tensor) -> Batch:
    """Make a batch with all that an objective can ask for; one concept occurs twice."""
    queries, passages, hard, second = vectors.split(PAIRS)
    numbers, teacher = torch.arange(PAIRS), torch.randn(3, PAIRS, 5, generator=torch.Generator().manual_seed(0))
    return Batch(
        queries,
        passages,
        numbers % (PAIRS - 1),
        query_language=numbers % 3,
        passage_language=numbers % 2,
        hard_negatives=hard[:, None],
        second_queries=second,
        teacher_queries=teacher[0].to(vectors.dtype),
        teacher_passages=teacher[1].to(vectors.dtype),
        teacher_hard_negatives=teacher[2, :, None].to(vectors.dtype),
    )


def step(
    encoder: DualEncoder,
    rows: list[list[int]],
    loss_of: Callable[[Tensor], Tensor],
    tokens: int,
    *,
    cached: bool,
) -> float:
    """Add the gradients of a batch and return its loss."""
    if cached:
        return cached_backward(encoder, rows, loss_of, chunk_tokens=tokens).item()
    loss = loss_of(encoder.embed(rows, token_chunks([len(row) for row in rows], tokens)))
    loss.backward()
    return loss.item()


def plain_and_cached(
    objective: Callable[[], nn.Module] = InfoNCE,
    *,
    tokens: int = CHUNKS["uneven"],
    dtype: torch.dtype = torch.float64,
    precision: str = "float32",
    change: Callable[[DualEncoder], object] = lambda _: None,
) -> tuple[Result, Result]:
    """Return loss and gradients of the plain batch and of the cached one, from the same weights and random state."""
    results = []
    for cached in (False, True):
        encoder, module = training_encoder(dtype), objective().to(dtype)
        encoder.precision = precision
        change(encoder)
        torch.manual_seed(2)
        loss = step(encoder, rows_of(encoder), lambda v, f=module: f(batch_of(v)), tokens, cached=cached)
        results.append((loss, gradients(encoder, module)))
    return results[0], results[1]


def gradients(*modules: nn.Module) -> dict[str, Tensor]:
    parameters = {f"{i}.{name}": p for i, module in enumerate(modules) for name, p in module.named_parameters()}
    return {name: parameter.grad for name, parameter in parameters.items() if parameter.grad is not None}


def assert_equal(found: Result, expected: Result, tolerance: float) -> None:
    """Compare losses, and gradients to a share of the largest component; a key's bias cancels in the softmax."""
    assert found[0] == pytest.approx(expected[0], rel=tolerance)
    assert found[1].keys() == expected[1].keys()
    largest = max(gradient.abs().max().item() for gradient in expected[1].values())
    for name, gradient in expected[1].items():
        scale = largest if name.endswith("key.bias") else gradient.abs().max().item()
        assert scale > 0, name
        torch.testing.assert_close(found[1][name], gradient, rtol=0, atol=tolerance * scale, msg=name)


def test_the_encoder_has_dropout_and_the_chunks_are_uneven():
    encoder = training_encoder()
    rows = rows_of(encoder)
    one, uneven, whole = (token_chunks([len(row) for row in rows], tokens) for tokens in CHUNKS.values())
    assert (encoder.embed(rows, uneven) - encoder.embed(rows, uneven)).abs().max() > 0.01
    assert (len(one), len(whole)) == (len(rows), 1)
    assert 2 < len(uneven) < len(rows)
    assert len({len(chunk) for chunk in uneven}) > 1


@pytest.mark.parametrize("name", OBJECTIVES)
def test_loss_and_every_gradient_are_those_of_the_plain_batch(name):
    plain, cached = plain_and_cached(lambda: build({name: {}}, concepts=20, dimension=32, teacher_dimension=5))
    assert_equal(cached, plain, 1e-12)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("tokens", CHUNKS.values(), ids=CHUNKS)
def test_same_chunks_give_the_same_numbers_in_each_precision(precision, tokens):
    plain, cached = plain_and_cached(tokens=tokens, dtype=torch.float32, precision=precision)
    assert cached[0] == plain[0]
    assert_equal(cached, plain, 1e-5)


def test_learned_temperature_gets_its_gradient():
    plain, cached = plain_and_cached(lambda: InfoNCE(learn_temperature=True))
    assert "1.log_scale" in plain[1]
    assert_equal(cached, plain, 1e-12)


def test_frozen_word_embeddings_get_no_gradient_and_the_others_theirs():
    plain, cached = plain_and_cached(
        change=lambda encoder: encoder.model.embeddings.word_embeddings.requires_grad_(False)
    )
    assert not any("word_embeddings" in name for name in plain[1])
    assert_equal(cached, plain, 1e-12)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(1, 40), min_size=1, max_size=10), st.integers(1, 400))
def test_any_rows_in_any_chunks_give_the_gradient_of_one_chunk_where_nothing_is_random(sizes, tokens):
    target = torch.randn(len(sizes), len(sizes), generator=torch.Generator().manual_seed(0))
    results = []
    for cached, budget in ((True, tokens), (False, 10_000)):
        encoder = training_encoder(torch.float64).eval()
        rows = [[0, *(5 + (7 * i + j) % 60 for j in range(size)), 2] for i, size in enumerate(sizes)]
        loss = step(encoder, rows, lambda v: (v @ v.T - target).square().mean(), budget, cached=cached)
        results.append((loss, gradients(encoder)))
    assert_equal(*results, 1e-9)


def test_two_batches_accumulate_before_one_step():
    weights = []
    for cached in (False, True):
        encoder, objective = training_encoder(torch.float64), InfoNCE(learn_temperature=True).double()
        start = {name: tensor.clone() for name, tensor in encoder.state_dict().items()}
        optimizer = torch.optim.SGD([*encoder.parameters(), *objective.parameters()], lr=0.1)
        torch.manual_seed(2)
        for seed in (0, 1):
            step(encoder, rows_of(encoder, seed), lambda v, f=objective: f(batch_of(v)), 150, cached=cached)
        optimizer.step()
        weights.append({**encoder.state_dict(), "temperature": objective.temperature.detach()})
    for name, weight in weights[0].items():
        torch.testing.assert_close(weights[1][name], weight, rtol=1e-12, atol=1e-13, msg=name)
    assert not any(torch.allclose(weights[0][name], value) for name, value in start.items() if "LayerNorm" in name)


def test_random_objective_draws_as_after_the_plain_forward_pass_and_the_state_afterwards_is_the_same():
    plain, cached = plain_and_cached(Jittered)
    assert_equal(cached, plain, 1e-12)
    states = []
    for is_cached in (False, True):
        encoder = training_encoder()
        torch.manual_seed(2)
        step(encoder, rows_of(encoder), lambda v: Jittered()(batch_of(v)), 150, cached=is_cached)
        states.append(torch.get_rng_state())
    assert torch.equal(*states)


def test_autocast_around_the_call_is_refused():
    encoder = training_encoder()
    with torch.autocast("cpu", torch.bfloat16), pytest.raises(InputError, match="found autocast around the call"):
        cached_backward(encoder, rows_of(encoder), torch.sum, chunk_tokens=150)


def test_gradient_as_large_as_the_vocabulary_is_made_once():
    encoder, made = training_encoder(), []
    weight = encoder.model.get_input_embeddings().weight
    weight.register_hook(lambda gradient: made.append(gradient.shape))
    step(encoder, rows_of(encoder), lambda v: InfoNCE()(batch_of(v)), CHUNKS["one row"], cached=True)
    assert made == [weight.shape]


def test_loss_sees_the_vectors_in_the_order_of_the_rows_and_is_returned_without_graph():
    encoder = training_encoder().eval()
    rows, seen = rows_of(encoder), []
    loss = cached_backward(encoder, rows, lambda v: (seen.append(v.detach()), v.sum())[1], chunk_tokens=150)
    torch.testing.assert_close(seen, [encoder(rows).detach()], rtol=0, atol=1e-6)
    assert not loss.requires_grad


def test_chunk_of_no_tokens_is_refused():
    with pytest.raises(InputError, match=r"chunk: found 0 tokens, expected at least 1"):
        cached_backward(training_encoder(), [[0, 2], [0, 2]], torch.sum, chunk_tokens=0)


@pytest.mark.parametrize("kind", ["cuda", "mps", "xpu"])
def test_random_state_is_that_of_the_processor_and_of_the_device(kind, monkeypatch):
    """No such device is needed for this, so it shows what is asked of torch and not that it is done."""
    device, module, own = torch.device(kind), getattr(torch, kind), {}
    monkeypatch.setattr(module, "get_rng_state", lambda device: torch.tensor([7]))
    monkeypatch.setattr(module, "set_rng_state", lambda state, device: own.update({device: state}))
    states = random_state(device)
    drawn = torch.rand(3)
    set_random_state(device, states)
    assert torch.equal(torch.rand(3), drawn)
    assert own == {device: torch.tensor([7])}


def test_random_state_of_a_processor_leaves_the_generator_of_a_device_as_it_is(monkeypatch):
    monkeypatch.setattr(torch.cuda, "set_rng_state", lambda *_: 1 / 0)
    states = random_state(torch.device("cpu"))
    drawn = torch.rand(3)
    set_random_state(torch.device("cuda"), states)
    assert torch.equal(torch.rand(3), drawn)


def test_random_state_of_a_device_serves_on_a_processor():
    states = [*random_state(torch.device("cpu")), torch.zeros(16, dtype=torch.uint8)]
    drawn = torch.rand(3)
    set_random_state(torch.device("cpu"), states)
    assert torch.equal(torch.rand(3), drawn)


def test_device_whose_generator_is_not_known_is_refused():
    with pytest.raises(InputError, match="random state: found a device of type 'meta', expected one of cpu, cuda, mps"):
        random_state(torch.device("meta"))
