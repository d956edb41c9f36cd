import copy
import math
import re

import numpy as np
import pytest
import torch
from torch import nn

from hybridlib.batch_texts import TrainingTexts
from hybridlib.batches import batches, make_sampler
from hybridlib.checkpoint import Checkpoints
from hybridlib.config import RunConfig
from hybridlib.corpora.joined import joined
from hybridlib.encoders.encoder import DualEncoder
from hybridlib.errors import InputError
from hybridlib.objectives import Batch, InfoNCE
from hybridlib.training import Training, train

torch.set_num_threads(1)


def config(**values) -> RunConfig:
    quick = {"encoder": "tiny", "batch_size": 12, "steps": 4, "learning_rate": 1e-3, "validate_every": 2, "threads": 1}
    return RunConfig(**{**quick, **values})


def state(encoder: DualEncoder) -> dict[str, torch.Tensor]:
    return copy.deepcopy(encoder.state_dict())


def same(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(tensor, second[name]) for name, tensor in first.items())


def trained(corpus, validate=lambda encoder: 0.0, **values) -> tuple[DualEncoder, Training]:
    encoder = DualEncoder.load("tiny")
    return encoder, train(config(**values), encoder, corpus, validate)


def without_dropout() -> DualEncoder:
    encoder = DualEncoder.load("tiny")
    for module in (module for module in encoder.modules() if isinstance(module, nn.Dropout)):
        module.p = 0.0
    return encoder


class Script:
    """A validation that returns chosen values and remembers the weights it was called with."""

    def __init__(self, *values: float) -> None:
        self.values, self.states = list(values), []

    def __call__(self, encoder: DualEncoder) -> float:
        self.states.append(state(encoder))
        return self.values[len(self.states) - 1]


@pytest.mark.parametrize("sampler", ["mixed", "monolingual", "crosslingual", "hybrid"])
def test_loss_falls(corpus, sampler):
    two = corpus.select(languages=["en", "de"])  # of one script: the tiny encoder knows nothing but characters
    _, training = trained(two, sampler=sampler, steps=40, validate_every=40, learning_rate=3e-3)
    losses = training.history["loss"]
    assert losses[-8:].mean() < losses[:8].mean() - 0.3


def test_same_seed_gives_the_same_weights_and_losses(corpus, parts):
    for texts in (corpus, joined(parts)):
        (first, one), (second, two) = (trained(texts, seed=3) for _ in range(2))
        assert same(state(first), state(second))
        for column in ("loss", "negative_variance", "learning_rate", "gradient_norm"):
            assert one.history[column].tolist() == two.history[column].tolist()


def test_result_does_not_depend_on_what_was_drawn_before(corpus):
    first, _ = trained(corpus)
    torch.rand(17)
    np.random.default_rng().random(5)
    second, _ = trained(corpus)
    assert same(state(first), state(second))


def test_other_seed_gives_other_weights_and_losses(corpus):
    (first, one), (second, two) = (trained(corpus, seed=seed) for seed in (3, 4))
    assert not same(state(first), state(second))
    assert (one.history["loss"] != two.history["loss"]).all()


def test_seed_fixes_dropout_as_well_as_batches(corpus):
    """With one batch of all pairs that there are, seeds differ in order and dropout alone."""
    english = corpus.select(languages=["en"])
    losses = [
        trained(english, sampler="monolingual", batch_size=60, steps=1, warmup=0.0, seed=seed)[1].history["loss"][0]
        for seed in (1, 2, 1)
    ]
    assert losses[0] == losses[2]
    assert abs(losses[0] - losses[1]) > 1e-4  # another order alone would change 1e-7


@pytest.mark.parametrize(("values", "best"), [((3, 1, 2), 0), ((1, 3, 2), 1), ((1, 2, 3), 2), ((-3, -2, -2), 1)])
def test_encoder_ends_with_the_weights_of_its_best_validation(corpus, values, best):
    script = Script(*values)
    encoder, training = trained(corpus, script, steps=6)
    assert training.best_step == 2 * (best + 1)
    assert [same(state(encoder), other) for other in script.states] == [number == best for number in range(3)]


@pytest.mark.parametrize("kind", [np.float32, np.float64, torch.tensor], ids=lambda kind: kind.__name__)
def test_validation_may_return_any_kind_of_number(corpus, tmp_path, kind):
    """A checkpoint holds what JSON can."""
    encoder, checkpoints = DualEncoder.load("tiny"), Checkpoints(tmp_path, seconds=0)
    script = Script(kind(0.25), kind(0.75))
    training = train(config(), encoder, corpus, script, checkpoints=checkpoints)
    assert training.history["validation"].tolist() == pytest.approx([math.nan, 0.25, math.nan, 0.75], nan_ok=True)
    assert len(list(tmp_path.iterdir())) == 2


def test_encoder_ends_in_evaluation_mode(corpus):
    assert {module.training for module in trained(corpus)[0].modules()} == {False}


def test_validation_that_switches_to_evaluation_mode_changes_no_training(corpus):
    first, _ = trained(corpus, lambda encoder: float(encoder.eval() is None))
    second, _ = trained(corpus)
    assert same(state(first), state(second))


@pytest.mark.parametrize(
    ("steps", "every", "expected"), [(6, 2, [2, 4, 6]), (5, 2, [2, 4, 5]), (3, 10, [3]), (2, 1, [1, 2])]
)
def test_validation_is_every_so_many_steps_and_after_the_last(corpus, steps, every, expected):
    script = Script(*range(10, 20))
    _, training = trained(corpus, script, steps=steps, validate_every=every)
    shown = training.history.dropna(subset="validation")
    assert shown["step"].tolist() == expected
    assert shown["validation"].tolist() == list(range(10, 10 + len(expected)))


def test_history_has_a_row_a_step_with_these_columns(corpus):
    _, training = trained(corpus, steps=5)
    columns = {"step", "loss", "learning_rate", "gradient_norm", "pairs_per_second", "validation", "seconds"}
    similarities = {
        f"{which}{kind}_{moment}"
        for which in ("", "same_language_", "other_language_")
        for kind in ("positive", "negative")
        for moment in ("mean", "variance")
    }
    assert set(training.history.columns) == columns | similarities
    assert training.history["step"].tolist() == [1, 2, 3, 4, 5]
    assert training.history["seconds"].is_monotonic_increasing
    assert training.history["seconds"].iloc[-1] <= training.seconds
    assert (training.history["pairs_per_second"] > 0).all()
    assert training.history[sorted(columns - {"validation"})].notna().all(axis=None)


def test_history_has_the_learning_rate_of_each_step(corpus):
    _, training = trained(corpus, steps=5, warmup=0.4, learning_rate=2e-3)
    assert training.history["learning_rate"].tolist() == pytest.approx([1e-3, 2e-3, 2e-3, 2e-3 * 2 / 3, 2e-3 / 3])


def test_first_loss_is_that_of_the_first_batch(corpus):
    """Without dropout the first loss can be computed by hand."""
    encoder = without_dropout()
    settings = config(sampler="crosslingual", steps=2)
    batch = next(iter(make_sampler(settings, corpus)))
    text, concept = corpus.table["text"], corpus.pairs.concept
    queries = encoder.encode([text[query] for query, _ in batch], "query", progress=False)
    passages = encoder.encode([text[passage] for _, passage in batch], "passage", progress=False)
    concepts = torch.tensor([concept[query] for query, _ in batch])
    expected = InfoNCE(0.05)(Batch(torch.from_numpy(queries), torch.from_numpy(passages), concepts)).item()
    found = train(settings, encoder, corpus, lambda encoder: 0.0).history["loss"][0]
    assert found == pytest.approx(expected, rel=1e-4)


def test_temperature_is_learned_only_if_asked_for(corpus):
    _, fixed = trained(corpus, learning_rate=1e-2)
    _, learned = trained(corpus, learning_rate=1e-2, objective={"infonce": {"learn_temperature": True}})
    assert "infonce_temperature" not in fixed.history
    assert learned.history["infonce_temperature"].nunique() == 4


def test_several_objectives_are_a_weighted_sum_with_a_column_each(corpus):
    _, training = trained(corpus, objective={"dcl": {"temperature": 0.1}, "vrns": {"weight": 30}})
    history = training.history
    assert history["loss"].tolist() == pytest.approx((history["loss_dcl"] + 30 * history["loss_vrns"]).tolist())


def test_batches_in_chunks_train_alike(corpus):
    """Without dropout the chunks change nothing but rounding; with it they draw other units."""
    plain, chunked = without_dropout(), without_dropout()
    train(config(), plain, corpus, lambda encoder: 0.0)
    train(config(chunk_tokens=64), chunked, corpus, lambda encoder: 0.0)
    for name, weights in state(plain).items():
        assert torch.allclose(state(chunked)[name], weights, atol=1e-4), name


def test_long_gradients_are_scaled_down(corpus):
    """Adam's steps do not depend on a gradient's length, unless it is as small as its epsilon of 1e-8."""
    free, _ = trained(corpus, max_gradient_norm=1e9)
    held, training = trained(corpus, max_gradient_norm=1e-9)
    start = state(DualEncoder.load("tiny"))
    moved = [max((tensor - start[name]).abs().max().item() for name, tensor in state(e).items()) for e in (free, held)]
    assert moved[1] < moved[0] / 2
    assert (training.history["gradient_norm"] > 0.1).all()  # the norm before scaling


@pytest.mark.parametrize("warmup", [0.0, 0.1, 0.95])
@pytest.mark.parametrize("steps", [1, 2])
def test_few_steps_train(corpus, steps, warmup):
    _, training = trained(corpus, steps=steps, warmup=warmup)
    assert len(training.history) == steps


def spoiled(at: str):
    """A validation after which the loss or the gradient is not finite."""

    def spoil(encoder: DualEncoder) -> float:
        if at == "loss":
            with torch.no_grad():
                encoder.model.get_input_embeddings().weight.fill_(math.nan)
        else:
            encoder.model.get_input_embeddings().weight.register_hook(lambda gradient: gradient * math.inf)
        return 0.0

    return spoil


@pytest.mark.parametrize("at", ["loss", "gradient norm"])
def test_what_is_not_finite_stops_with_step_concepts_and_last_values(corpus, at):
    with pytest.raises(InputError) as raised:
        trained(corpus, spoiled(at))
    said = str(raised.value)
    expected = (
        r"training: found (loss|gradient norm) (nan|inf) at step 3, expected a finite one; last finite: loss \S+ and "
    )
    assert re.match(expected + r"gradient norm \S+ at step 2; concepts of the batch: ", said), said
    assert at in said
    third = list(batches(make_sampler(config(), corpus), 3))[2]
    concepts = {corpus.table["concept"][query] for query, _ in third}
    assert set(said.rpartition(": ")[2].split()) == concepts


def test_encoder_has_its_best_weights_after_a_loss_that_is_not_finite(corpus):
    encoder, best = DualEncoder.load("tiny"), {}

    def validate(encoder: DualEncoder) -> float:
        if best:
            spoiled("loss")(encoder)
            return -1.0
        best.update(state(encoder))
        return 1.0

    with pytest.raises(InputError, match="found loss nan at step 5"):
        train(config(steps=6), encoder, corpus, validate)
    assert same(state(encoder), best)
    assert not encoder.training


def test_accumulated_batches_make_the_mean_gradient(corpus):
    """One update by two batches; its gradient norm is that of the mean of their losses, and no contrast joins them."""
    encoder = without_dropout()
    settings = config(accumulate=2, steps=1, batch_size=6)
    pair = list(batches(make_sampler(settings, corpus), 2))
    texts = TrainingTexts(settings, encoder, corpus)
    losses = []
    for batch in pair:
        step = texts.of(batch, 1)
        losses.append(InfoNCE()(step.batch(encoder(step.tokens))))
    (sum(losses) / 2).backward()
    norm = math.sqrt(sum(p.grad.square().sum().item() for p in encoder.parameters() if p.grad is not None))
    row = train(settings, without_dropout(), corpus, lambda encoder: 0.0).history.iloc[0]
    assert row["loss"] == pytest.approx(sum(loss.item() for loss in losses) / 2, rel=1e-5)
    assert row["gradient_norm"] == pytest.approx(norm, rel=1e-4)


def test_pairs_to_train_on_make_the_steps(corpus):
    _, training = trained(corpus, train_pairs=73, accumulate=2)
    assert len(training.history) == 73 // 24


@pytest.mark.parametrize(
    "values",
    [
        {"objective": {"lakda": {}}},
        {"objective": {"hybrid_paper": {}}, "hard_negatives": 2},
        {"objective": {"infonce": {}}, "hard_negatives": 1, "chunk_tokens": 64},
        {"objective": {"gist": {}}, "teacher": "tiny"},
        {"objective": {"infonce": {"weight": 0.2}, "mimo_distillation": {"weight": 0.8}}, "teacher": "tiny"},
        {"objective": {"memory_bank": {"size": 8}}, "accumulate": 2},
        {"objective": {"supcon": {}}, "sampler": "both_pairs"},
    ],
    ids=str,
)
def test_objectives_that_need_more_than_pairs_train(corpus, values, tmp_path, monkeypatch):
    monkeypatch.setenv("HYBRIDLIB_CACHE", str(tmp_path))
    encoder, training = trained(corpus, **values)
    assert np.isfinite(training.history["loss"]).all()
    assert not same(state(encoder), state(DualEncoder.load("tiny")))
