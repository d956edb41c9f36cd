import math
from dataclasses import replace

import pytest
import torch

from hybridlib import splits, stages
from hybridlib.batches import make_sampler
from hybridlib.config import RunConfig
from hybridlib.encoders.encoder import DualEncoder
from hybridlib.errors import InputError
from hybridlib.runs import load_encoder
from hybridlib.splits import data_fingerprint, run_splits
from hybridlib.stages import train_stages

MIMO = {"infonce": {"weight": 0.2}, "mimo_distillation": {"weight": 0.8}}


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("HYBRIDLIB_CACHE", str(tmp_path))


def config(**values) -> RunConfig:
    return RunConfig(
        **{
            "encoder": "tiny",
            "train_languages": ("en", "de"),
            "test_languages": ("en", "de"),
            "train_concepts": 20,
            "validation_concepts": 4,
            "test_concepts": 4,
            "batch_size": 4,
            "steps": 3,
            "validate_every": 3,
            "learning_rate": 1e-3,
            "threads": 1,
            "teacher": "tiny",
            "teacher_language": "en",
            "objective": MIMO,
            **values,
        }
    )


def trained(settings: RunConfig, monkeypatch=None):
    """Train; also return what each stage was given and gave."""
    calls = []

    def spy(*given, **named):
        calls.append((given, original(*given, **named)))
        return calls[-1][1]

    original = stages.train
    if monkeypatch:
        monkeypatch.setattr(stages, "train", spy)
    split = run_splits(settings)
    encoder = load_encoder(settings, split)
    return encoder, train_stages(settings, encoder, split, lambda _: 0.0), calls


def test_a_run_without_first_stage_is_one_training():
    _, training, _ = trained(config())
    assert "stage" not in training.history
    assert training.history["step"].tolist() == [1, 2, 3]


def test_stages_follow_each_other(monkeypatch):
    first_stage = {"objective": {"mimo_distillation": {}}, "steps": 2, "learning_rate": 2e-3}
    _, training, calls = trained(config(first_stage=first_stage), monkeypatch)
    history = training.history
    assert history["step"].tolist() == [1, 2, 3, 4, 5]
    assert history["stage"].tolist() == [1, 1, 2, 2, 2]
    assert history["seconds"].is_monotonic_increasing
    assert training.best_step == 2 + 3
    assert training.seconds == pytest.approx(sum(result.seconds for _, result in calls))
    assert history["loss_infonce"].isna().tolist() == [True, True, False, False, False]


def test_projection_goes_on_where_the_first_stage_left_it(monkeypatch):
    first_stage = {"objective": {"mimo_distillation": {}}, "learning_rate": 1e-2}
    _, _, calls = trained(config(first_stage=first_stage, learning_rate=1e-9), monkeypatch)
    (_, first), (given, second) = calls
    name = "objectives.mimo_distillation.projection.weight"
    assert given[4] is first.learned
    assert first.learned.keys() == {name, name.replace("weight", "bias")}
    assert torch.allclose(second.learned[name], first.learned[name], atol=1e-6)


def test_what_was_learned_is_that_of_the_best_step(monkeypatch):
    """Else a projection would go on beside an encoder of an earlier step."""
    settings = config(objective={"mimo_distillation": {}}, learning_rate=1e-2, steps=2, validate_every=1)
    learned = []
    for scores in ([1.0, 0.0], [0.0, 1.0]):
        split = run_splits(settings)
        values = iter(scores)
        learned.append(
            train_stages(settings, load_encoder(settings, split), split, lambda _, v=values: next(v)).learned
        )
    assert all((learned[0][name] != learned[1][name]).any() for name in learned[0])


def test_temperature_and_memory_are_those_of_each_stage(monkeypatch):
    objectives = ({"memory_bank": {"size": 8, "temperature": 0.5}}, {"memory_bank": {"size": 8, "temperature": 0.02}})
    options = {"teacher": None, "teacher_language": None, "objective": objectives[1], "learning_rate": 1e-9}
    _, training, _ = trained(config(first_stage={"objective": objectives[0], "train_corpora": None}, **options))
    settings = config(**options)
    split = run_splits(settings)
    alone = train_stages(settings, load_encoder(settings, split), split, lambda _: 0.0)
    second = training.history[training.history["stage"] == 2]["loss"]
    assert second.tolist() == pytest.approx(alone.history["loss"].tolist(), rel=1e-3)


def test_projections_of_other_sizes_are_refused(monkeypatch):
    first_stage = {"objective": {"mimo_distillation": {"teacher_dimension": 32}}, "train_corpora": None}
    original = stages.train

    def smaller(*given, **named):
        """The first stage's projection is cut, as if its teacher had another dimension."""
        result = original(*given, **named)
        cut = {name: value[:5] for name, value in result.learned.items()}
        return replace(result, learned=cut)

    monkeypatch.setattr(stages, "train", smaller)
    with pytest.raises(InputError, match=r"first_stage: found objectives.mimo\S+ of shape \[5"):
        trained(config(first_stage=first_stage))


def test_stages_meet_other_batches(monkeypatch):
    _, _, calls = trained(config(first_stage={"objective": MIMO}), monkeypatch)
    (first, _), (second, _) = calls
    assert list(make_sampler(first[0], first[2])) != list(make_sampler(second[0], second[2]))
    assert first[0].seed == config(first_stage={"objective": MIMO}).stages()[0].seed


def test_first_stage_trains_on_corpora_of_its_own(tmp_path, monkeypatch):
    file = tmp_path / "parallel.jsonl"
    lines = [
        f'{{"concept": "s{i}", "language": "{code}", "text": "{code} ζ {i}"}}'
        for i in range(8)
        for code in ("en", "de")
    ]
    file.write_text("\n".join(lines), encoding="utf-8")
    first_stage = {"train_corpora": ["scenes", str(file)], "sampler": "crosslingual"}
    settings = config(first_stage=first_stage)
    _, _, calls = trained(settings, monkeypatch)
    parts = calls[0][0][2].parts
    assert [len(part.concepts) for part in parts] == [20, 8]
    split = run_splits(settings)
    trimmed = []
    monkeypatch.setattr(DualEncoder, "trim", lambda _, texts: trimmed.extend(texts))
    load_encoder(settings, split)
    assert "de ζ 3" in trimmed
    before = data_fingerprint(settings)
    file.write_text("\n".join(lines).replace("ζ", "ξ"), encoding="utf-8")
    splits._corpus.cache_clear()
    splits._selected.cache_clear()
    assert data_fingerprint(settings) != before
    assert math.isfinite(calls[0][1].history["loss"].iloc[-1])
