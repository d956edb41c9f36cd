import math

import pytest
import torch

from hybridlib import stages
from hybridlib.config import RunConfig
from hybridlib.runs import load_encoder
from hybridlib.splits import run_splits
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

    def spy(*given):
        calls.append((given, original(*given)))
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
    assert torch.allclose(second.learned[name], first.learned[name], atol=1e-6)


def test_first_stage_trains_on_corpora_of_its_own(tmp_path, monkeypatch):
    file = tmp_path / "parallel.jsonl"
    lines = [
        f'{{"concept": "s{i}", "language": "{code}", "text": "{code} ζ {i}"}}'
        for i in range(8)
        for code in ("en", "de")
    ]
    file.write_text("\n".join(lines), encoding="utf-8")
    first_stage = {"train_corpora": ["scenes", str(file)], "sampler": "crosslingual"}
    _, _, calls = trained(config(first_stage=first_stage), monkeypatch)
    parts = calls[0][0][2].parts
    assert [len(part.concepts) for part in parts] == [20, 8]
    assert math.isfinite(calls[0][1].history["loss"].iloc[-1])
