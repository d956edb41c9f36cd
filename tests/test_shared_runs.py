"""A run that another study has finished."""

import json
import os
from pathlib import Path

import pytest
from filelock import FileLock

from hybridlib.cache import replace_file
from hybridlib.config import RunConfig
from hybridlib.errors import InputError
from hybridlib.results import environment
from hybridlib.shared_runs import finished_elsewhere, take_over

RUN = "mixed-seed1-0123abcd"
CONFIG = RunConfig(sampler="mixed", threads=1)
FILES = ["result.json", "scores.parquet", "index.html", "encoder/model.safetensors", "encoder/config.json"]


@pytest.fixture
def finished(tmp_path, monkeypatch):
    """Write a finished run into a study."""
    monkeypatch.setenv("HYBRIDLIB_REPORTS", str(tmp_path))

    def written(study="first", run=RUN):
        folder = tmp_path / study / "runs" / run
        for name in (*FILES, "log.txt", ".lock"):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(f"{name} of {study}")
        (folder / "result.json").write_text(json.dumps({"environment": environment(1), "study": study}))
        return folder

    return written


def files_of(folder):
    return sorted(str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file())


def test_a_run_is_found_in_another_study(finished):
    assert finished_elsewhere("second", RUN, CONFIG) is None
    folder = finished()
    assert finished_elsewhere("second", RUN, CONFIG) == folder
    assert finished_elsewhere("second", "mixed-seed2-0123abcd", CONFIG) is None


def test_the_study_itself_is_no_other(finished):
    finished("second")
    assert finished_elsewhere("second", RUN, CONFIG) is None


def test_a_run_of_other_versions_is_not_found(finished):
    file = finished() / "result.json"
    other = environment(1)
    other["packages"]["torch"] = "1.0"
    file.write_text(json.dumps({"environment": other}))
    assert finished_elsewhere("second", RUN, CONFIG) is None


@pytest.mark.parametrize("stage", ["last", "first"])
def test_a_run_of_local_weights_is_not_found(finished, tmp_path, stage):
    """They may have changed since."""
    finished()
    teacher = {"teacher": str(tmp_path), "objective": {"kl": {}}}
    config = CONFIG.model_copy(update={"encoder": str(tmp_path)} if stage == "last" else {"first_stage": teacher})
    assert finished_elsewhere("second", RUN, config) is None


@pytest.mark.parametrize("missing", FILES[:4])
def test_what_is_not_finished_or_has_lost_its_files_is_not_found(finished, missing):
    """Encoders are not committed."""
    (finished() / missing).unlink()
    assert finished_elsewhere("second", RUN, CONFIG) is None
    whole = finished("third")
    assert finished_elsewhere("second", RUN, CONFIG) == whole


def test_a_run_with_a_link_that_leads_out_is_not_found(finished, tmp_path_factory):
    outside = tmp_path_factory.mktemp("outside") / "scores.parquet"
    outside.write_text("scores of someone")
    (scores := finished() / "scores.parquet").unlink()
    scores.symlink_to(outside)
    assert finished_elsewhere("second", RUN, CONFIG) is None


def test_a_folder_that_is_no_study_is_passed_over(finished):
    finished("My backup")
    assert finished_elsewhere("second", RUN, CONFIG) is None


def test_an_untrained_run_needs_no_encoder(finished):
    folder = finished(run="untrained-seed1-0123abcd")
    (folder / "encoder" / "model.safetensors").unlink()
    untrained = CONFIG.model_copy(update={"sampler": "untrained"})
    assert finished_elsewhere("second", folder.name, untrained) == folder


def test_of_two_the_run_with_its_encoder_is_taken(finished):
    (finished() / "encoder" / "model.safetensors").unlink()
    whole = finished("third")
    assert finished_elsewhere("second", RUN, CONFIG, encoder=False) == whole


def test_a_run_of_which_nothing_is_made_needs_no_encoder(finished):
    folder = finished()
    (folder / "encoder" / "model.safetensors").unlink()
    assert finished_elsewhere("second", RUN, CONFIG, encoder=False) == folder
    (folder / "scores.parquet").unlink()
    assert finished_elsewhere("second", RUN, CONFIG, encoder=False) is None


def test_all_but_lock_and_log_are_taken_over(finished, tmp_path):
    source = finished()
    target = take_over(source, "second", RUN)
    assert target == tmp_path / "second" / "runs" / RUN
    assert files_of(target) == sorted([".lock", *FILES])
    assert [file for file in FILES if not (target / file).samefile(source / file)] == ["result.json"]


def test_what_was_made_of_the_run_in_its_own_study_stays_up_to_date(finished):
    """Snakemake takes what is made of a run for old when ``result.json`` is newer, and touches what a job has made."""
    source = finished()
    os.utime(source / "result.json", (1, 1))
    target = take_over(source, "second", RUN)
    assert (target / "result.json").stat().st_mtime > 1
    for file in target.rglob("*"):
        os.utime(file)
    assert (source / "result.json").stat().st_mtime == 1


def test_files_are_copied_where_the_disk_cannot_link(finished, monkeypatch):
    def no_links(*_):
        raise OSError("operation not supported")

    monkeypatch.setattr(os, "link", no_links)
    source = finished()
    target = take_over(source, "second", RUN)
    assert files_of(target) == sorted([".lock", *FILES])
    assert [file for file in FILES if (target / file).samefile(source / file)] == []
    assert [file for file in FILES if (target / file).read_bytes() != (source / file).read_bytes()] == []


def test_a_run_is_finished_when_all_is_there(finished, monkeypatch):
    """The old result goes first, the new one comes last."""
    target, seen, replace = finished("second"), [], Path.replace

    def watched(beside, place):
        seen.append((place.name, (target / "result.json").exists()))
        return replace(beside, place)

    monkeypatch.setattr(Path, "replace", watched)
    take_over(finished(), "second", RUN)
    assert [name for name, _ in seen][-1] == "result.json"
    assert [there for _, there in seen] == [False] * len(FILES)
    assert json.loads((target / "result.json").read_text())["study"] == "first"


def test_taking_over_again_leaves_the_same(finished):
    source = finished()
    target = take_over(source, "second", RUN)
    (source / "scores.parquet").unlink()
    (source / "scores.parquet").write_text("other scores")
    assert take_over(source, "second", RUN) == target
    assert files_of(target) == sorted([".lock", *FILES])
    assert (target / "scores.parquet").read_text() == "other scores"


def test_a_file_that_one_study_replaces_stays_in_the_other(finished):
    source = finished()
    target = take_over(source, "second", RUN)
    replace_file(target / "index.html", b"new")
    assert (source / "index.html").read_text() == "index.html of first"


def test_a_run_that_is_being_made_is_not_taken_over(finished, tmp_path):
    source, held = finished(), tmp_path / "second" / "runs" / RUN
    held.mkdir(parents=True)
    with FileLock(held / ".lock"), pytest.raises(InputError, match="found another process at work on it"):
        take_over(source, "second", RUN)
    assert files_of(held) == [".lock"]
