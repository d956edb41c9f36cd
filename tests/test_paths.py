from pathlib import Path

import pytest

from hybridlib.errors import InputError
from hybridlib.paths import (
    checked_name,
    is_finished,
    project_folder,
    reports_folder,
    run_folder,
    study_folder,
    system_folder,
)


@pytest.fixture
def reports(tmp_path, monkeypatch):
    folder = tmp_path / "reports"
    folder.mkdir()
    monkeypatch.setenv("HYBRIDLIB_REPORTS", str(folder))
    return folder


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A folder that looks like the project's, as the working directory."""
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks" / "2-train.ipynb").touch()
    monkeypatch.delenv("HYBRIDLIB_REPORTS", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", ["quick", "2024", "a.b_c-d", "hybrid-0.5-seed1-00ff00ff", "x" * 80])
def test_names_that_are_safe(name):
    assert checked_name(name, "run") == name


BAD_NAMES = [
    "",
    ".",
    "..",
    "../x",
    "a/b",
    "/etc",
    "a..b",
    ".hidden",
    "-p",
    "_a",
    "A",
    "é",
    "a b",
    "a\n",
    "a\0",
    "x" * 81,
]


@pytest.mark.parametrize("name", [*BAD_NAMES, None, 7, Path("quick")], ids=repr)
def test_names_that_are_not(name):
    with pytest.raises(InputError, match=r"^run: found the name .*, expected "):
        checked_name(name, "run")


@pytest.mark.parametrize("name", ["../x", "/etc", "a/b"])
def test_folders_check_their_names(reports, name):
    with pytest.raises(InputError, match="study: found"):
        study_folder(name)
    with pytest.raises(InputError, match="study: found"):
        run_folder(name, "a-run")
    with pytest.raises(InputError, match="run: found"):
        run_folder("quick", name)
    with pytest.raises(InputError, match="system: found"):
        system_folder("quick", name)


def test_folders_of_study_and_run(reports):
    assert study_folder("quick") == reports / "quick"
    assert run_folder("quick", "a-run") == reports / "quick" / "runs" / "a-run"
    assert system_folder("quick", "average-1") == reports / "quick" / "systems" / "average-1"


def test_folders_are_not_made(reports):
    run_folder("quick", "a-run")
    assert list(reports.iterdir()) == []


def test_study_that_links_out_of_the_reports_is_refused(reports, tmp_path):
    (reports / "quick").symlink_to(tmp_path)
    with pytest.raises(InputError, match="quick: found a link that leads out of"):
        study_folder("quick")


@pytest.mark.parametrize("linked", ["", "runs", "runs/a-run"])
def test_run_behind_a_link_out_of_the_reports_is_refused(reports, tmp_path, linked):
    link = reports / "quick" / linked
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(tmp_path)
    with pytest.raises(InputError, match="found a link that leads out of"):
        run_folder("quick", "a-run")


@pytest.mark.parametrize("linked", ["encoder", "checkpoints/stage-1", "index.html"])
def test_run_with_a_link_out_of_the_reports_in_it_is_refused(reports, tmp_path, linked):
    link = reports / "quick" / "runs" / "a-run" / linked
    link.parent.mkdir(parents=True)
    link.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(InputError, match=f"{linked}: found a link that leads out of"):
        run_folder("quick", "a-run")


@pytest.mark.parametrize("linked", ["average-1", "average-1/encoder"])
def test_system_with_a_link_out_of_the_reports_is_refused(reports, tmp_path, linked):
    link = reports / "quick" / "systems" / linked
    link.parent.mkdir(parents=True)
    link.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(InputError, match=f"{linked}: found a link that leads out of"):
        system_folder("quick", "average-1")


def test_study_with_figures_out_of_the_reports_is_refused(reports, tmp_path):
    (reports / "quick").mkdir()
    (reports / "quick" / "figures").symlink_to(tmp_path)
    with pytest.raises(InputError, match="figures: found a link that leads out of"):
        study_folder("quick")


def test_link_inside_a_run_to_another_place_of_the_reports_is_followed(reports):
    (reports / "big").mkdir()
    (run := reports / "quick" / "runs" / "a-run").mkdir(parents=True)
    (run / "encoder").symlink_to(reports / "big")
    assert run_folder("quick", "a-run") == run


def test_link_to_a_missing_place_outside_is_refused(reports, tmp_path):
    (reports / "quick").symlink_to(tmp_path / "not-yet-there")
    with pytest.raises(InputError, match="found a link that leads out of"):
        study_folder("quick")


def test_neighbour_whose_name_begins_alike_is_outside(reports, tmp_path):
    (tmp_path / "reports-of-others").mkdir()
    (reports / "quick").symlink_to(tmp_path / "reports-of-others")
    with pytest.raises(InputError, match="found a link that leads out of"):
        study_folder("quick")


def test_link_inside_the_reports_is_followed(reports):
    (reports / "old").mkdir()
    (reports / "quick").symlink_to(reports / "old")
    assert study_folder("quick").resolve() == reports / "old"


def test_reports_folder_may_itself_be_a_link(tmp_path, monkeypatch):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    monkeypatch.setenv("HYBRIDLIB_REPORTS", str(tmp_path / "link"))
    assert study_folder("quick") == tmp_path / "real" / "quick"


def test_reports_folder_under_home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("HYBRIDLIB_REPORTS", "~/reports")
    assert reports_folder() == tmp_path / "reports"


@pytest.mark.parametrize("named", [None, ""])
def test_reports_folder_is_the_projects_if_none_is_named(project, monkeypatch, named):
    if named is not None:
        monkeypatch.setenv("HYBRIDLIB_REPORTS", named)
    assert reports_folder() == project / "reports"


def test_project_is_found_from_a_folder_inside_it(project, monkeypatch):
    monkeypatch.chdir(project / "notebooks")
    assert project_folder() == project


def test_outside_the_project_there_is_none(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=r"found no notebooks/2-train\.ipynb here or above"):
        project_folder()


@pytest.mark.parametrize("missing", ["result.json", "scores.parquet", None])
def test_what_comparisons_need_is_finished(tmp_path, missing):
    for file in {"result.json", "scores.parquet"} - {missing}:
        (tmp_path / file).touch()
    assert is_finished(tmp_path) == (missing is None)
