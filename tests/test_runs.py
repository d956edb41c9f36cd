import json

import numpy as np
import pandas as pd
import pytest

from hybridlib.config import RunConfig
from hybridlib.corpora import Corpus
from hybridlib.corpora.collection import Collection
from hybridlib.errors import InputError
from hybridlib.evaluation import SHARE, Evaluation
from hybridlib.evaluator import Evaluator
from hybridlib.results import environment
from hybridlib.runs import Run, language_groups, load_encoder, summary, write_run
from hybridlib.splits import run_splits
from hybridlib.training import train

CONFIG = RunConfig(
    encoder="tiny",
    train_languages=("en", "de", "zh"),
    test_languages=("en", "zh", "ar", "hi"),
    train_concepts=20,
    validation_concepts=8,
    test_concepts=12,
    max_length=32,
    batch_size=4,
    steps=2,
    validate_every=1,
    threads=1,
)


FILES = ["history.csv", "ranks.parquet", "scores.parquet", "top_share.parquet", "config.json", "result.json"]


@pytest.fixture(scope="module")
def parts():
    """What write_run takes, of a real run on 40 scenes."""
    split = run_splits(CONFIG)
    encoder = load_encoder(CONFIG, split)
    test = Evaluator(Collection.from_corpus(split.test), encoder)
    before = test.evaluate(encoder)
    validation = Evaluator(Collection.from_corpus(split.validation), encoder)
    training = train(CONFIG, encoder, split.train, validation.balance)
    after = test.embedded(encoder)
    return CONFIG, split, before, after.evaluate(), training, {"train": 1.23456}, after.geometry()


@pytest.fixture(scope="module")
def folder(parts, tmp_path_factory):
    folder = tmp_path_factory.mktemp("reports") / "quick" / "runs" / "a-run"
    write_run(folder, *parts)
    return folder


def result_of(folder):
    return json.loads((folder / "result.json").read_text())


def test_queries_that_are_not_asked_are_told(parts, tmp_path):
    """A concept asks one query a language."""
    rows = [
        (f"{c}", code, role, f"{c} {code} {role}")
        for c in "ab"
        for code in ("en", "zh")
        for role in ("query", "passage")
    ]
    test = Corpus.from_rows([*rows, ("a", "en", "query", "another")], "mine", ("a note",))
    config, split, *others = parts
    result = write_run(tmp_path, config, split._replace(test=test), *others)
    assert result["notes"] == ["a note", "1 of 5 queries are not asked: the last of a concept in a language is"]


def test_files_of_a_run(folder):
    assert {file.name for file in folder.iterdir()} == set(FILES)


def test_untrained_run_has_no_history(parts, tmp_path):
    config, split, before, *_ = parts
    result = write_run(tmp_path, config, split, before, before, None, {}, {})
    assert result["best_step"] == 0
    assert {file.name for file in tmp_path.iterdir()} == set(FILES) - {"history.csv"}


def test_validation_is_the_score_that_chose_the_weights(folder, parts, tmp_path):
    scores = parts[4].history.set_index("step")["validation"]
    assert Run.read(folder).validation() == pytest.approx(scores[parts[4].best_step], rel=1e-5)
    assert scores[parts[4].best_step] == scores.max()
    write_run(tmp_path, *parts[:3], parts[2], None, {}, {})
    assert np.isnan(Run.read(tmp_path).validation())


@pytest.mark.parametrize("text", ["", "step\n1\n", "step,validation\n9,0.5\n", "step,validation\n1,a\n2,b\n"])
def test_validation_that_is_not_said_is_refused(parts, tmp_path, text):
    write_run(tmp_path, *parts)
    (tmp_path / "history.csv").write_text(text)
    with pytest.raises(
        InputError, match=r"history\.csv: found no validation of step \d .*, expected what a run writes"
    ):
        Run.read(tmp_path).validation()


@pytest.mark.parametrize(
    ("pairs", "others", "share"),
    [("", "", 1.0), ("", "0.2", 0.0), ("0.3", "0.2", 0.0)],
    ids=["monolingual", "mixed", "crosslingual"],
)
def test_a_batch_is_of_one_language_if_no_two_texts_are_of_two(parts, tmp_path, pairs, others, share):
    """In mixed batches each pair has one language, and the batch several."""
    write_run(tmp_path, *parts)
    names = "step,other_language_positive_mean,other_language_negative_mean"
    (tmp_path / "history.csv").write_text(f"{names}\n1,{pairs},{others}\n2,{pairs},{others}\n")
    assert Run.read(tmp_path).one_language_batches() == share


@pytest.mark.parametrize("lacking", ["columns", "single batches", "training"])
def test_share_of_batches_that_is_not_known(parts, tmp_path, lacking):
    """Runs of earlier versions have no such columns; a row of accumulated batches is a mean over them."""
    config = parts[0].model_copy(update={"accumulate": 2 if lacking == "single batches" else 1})
    write_run(tmp_path, config, *parts[1:])
    file = tmp_path / "history.csv"
    if lacking == "columns":
        file.write_text("step\n1\n")
    if lacking == "training":
        file.unlink()
    assert np.isnan(Run.read(tmp_path).one_language_batches())


def test_returned_result_is_the_written_one(parts, tmp_path):
    assert write_run(tmp_path, *parts) == result_of(tmp_path)


def test_result_describes_the_run(folder, parts):
    _, split, _, after, training, _, geometry = parts
    result = result_of(folder)
    assert (result["run"], result["label"], result["seed"]) == ("a-run", "hybrid 0.5", 1)
    assert (result["corpus"], result["notes"]) == ("scenes", list(split.test.notes))
    assert result["concepts"] == {"train": 20, "validation": 8, "test": 12}
    assert result["fingerprint"] == {part: corpus.fingerprint for part, corpus in split._asdict().items()}
    assert result["best_step"] == training.best_step
    assert result["geometry"] == pytest.approx(geometry)
    assert result["random_rank_distance"] == pytest.approx(after.random_rank_distance.mean())


def test_seconds_are_rounded(folder):
    assert result_of(folder)["seconds"] == {"train": 1.23}


def test_seen_languages_are_those_of_the_test_that_were_trained_on(parts):
    _, split, *_ = parts
    assert language_groups(CONFIG, split) == {
        "all": ["en", "ar", "hi", "zh"],
        "seen": ["en", "zh"],
        "unseen": ["ar", "hi"],
    }


def test_without_unseen_languages_there_are_no_means_of_them(parts):
    _, _, _, after, *_ = parts
    table = summary(after, {"all": ["en", "ar", "hi", "zh"], "seen": ["en", "ar", "hi", "zh"], "unseen": []})
    assert set(table.index.get_level_values("languages")) == {"all", "seen"}


@pytest.mark.parametrize("moment", ["means", "means_before"])
@pytest.mark.parametrize("group", ["all", "seen", "unseen"])
def test_means_as_by_loops(folder, parts, moment, group):
    """Macro means: first over queries, then over the language pairs whose two languages are in the group."""
    evaluation = parts[3] if moment == "means" else parts[2]
    result = result_of(folder)
    codes, cells = result["languages"][group], {}
    for row in evaluation.scores.to_dict("records"):
        if row["query_language"] in codes and row["passage_language"] in [*codes, "all"]:
            pair = (row["setting"], row["query_language"], row["passage_language"])
            for measure, value in row.items():
                if isinstance(value, float) and not np.isnan(value):
                    cells.setdefault((row["setting"], measure), {}).setdefault(pair, []).append(value)
    expected = {key: np.mean([np.mean(values) for values in pairs.values()]) for key, pairs in cells.items()}
    found = {(s, m): value for s, means in result[moment][group].items() for m, value in means.items()}
    assert found == pytest.approx(expected)


def test_bias_is_measured_in_the_multilingual_setting_alone(folder):
    for settings in result_of(folder)["means"].values():
        assert [s for s, measures in settings.items() if SHARE in measures] == ["multilingual"]
        assert [s for s, measures in settings.items() if "rank_distance" in measures] == ["multilingual"]


def test_environment_of_a_run_is_written(folder):
    assert result_of(folder)["environment"] == environment(CONFIG.threads)


def test_run_is_read_as_it_was_written(folder, parts):
    run = Run.read(folder)
    assert run.config == CONFIG
    assert run.result == result_of(folder)
    assert run.label == "hybrid 0.5"


def test_scores_are_read_as_they_were_written(folder, parts):
    after: Evaluation = parts[3]
    read = Run.read(folder).scores()
    pd.testing.assert_frame_equal(read.astype(str), after.scores.astype(str))


def test_top_share_is_read_as_it_was_written(folder, parts):
    after: Evaluation = parts[3]
    read = Run.read(folder).top_share()
    pd.testing.assert_frame_equal(read, after.top_share, check_names=False)


def test_ranks_are_written(folder, parts):
    written = pd.read_parquet(folder / "ranks.parquet")
    pd.testing.assert_frame_equal(written.astype(str), parts[3].ranks.astype(str))


def test_history_has_a_row_a_step(folder):
    history = pd.read_csv(folder / "history.csv")
    assert history["step"].tolist() == [1, 2]
    assert history["loss"].gt(0).all()


def test_unfinished_run_is_not_read(folder, tmp_path):
    (tmp_path / "config.json").write_bytes((folder / "config.json").read_bytes())
    with pytest.raises(InputError, match=r"found no result\.json, expected a finished run"):
        Run.read(tmp_path)


def test_run_of_another_version_names_its_file(folder, tmp_path):
    (tmp_path / "config.json").write_text('{"stepz": 3}')
    (tmp_path / "result.json").write_bytes((folder / "result.json").read_bytes())
    with pytest.raises(InputError, match=r"config\.json: found unknown parameter 'stepz'"):
        Run.read(tmp_path)


@pytest.mark.parametrize("file", ["config.json", "result.json"])
@pytest.mark.parametrize("content", [b"{", b"[1]", b"\xff", b"[" * 100_000])
def test_broken_files_of_a_run_are_named(folder, tmp_path, file, content):
    for name in ("config.json", "result.json"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    (tmp_path / file).write_bytes(content)
    with pytest.raises(InputError, match=rf"{file}: found no (JSON|object).*, expected what a finished run"):
        Run.read(tmp_path)
