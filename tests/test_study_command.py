"""The command of a run, as papermill reads it."""

import shlex
from unittest import mock

import papermill.cli
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from papermill.translators import PythonTranslator

from hybridlib.config import RunConfig
from hybridlib.plain_text import is_name
from hybridlib.study import papermill_command


def papermill_reads(command):
    """Return the parameters that papermill's command line makes of a command; nothing is executed."""
    program, *arguments = shlex.split(command)
    assert program == "papermill"
    with mock.patch("papermill.cli.execute_notebook") as execute:
        outcome = CliRunner().invoke(papermill.cli.papermill, arguments)
    assert outcome.exit_code == 0, outcome.output
    assert execute.call_args.kwargs["input_path"] == "notebooks/2-train.ipynb"
    return execute.call_args.kwargs["parameters"]


words = st.text(min_size=1, max_size=12).filter(is_name)  # RunConfig refuses controls
codes = st.one_of(st.sampled_from(["no", "en", "yes", "on", "1", "1e3", "null", "~", "pt-BR", "2001-01-01"]), words)
positive = st.floats(min_value=0, exclude_min=True, allow_infinity=False, allow_nan=False)
parameters = st.fixed_dictionaries(
    {},
    optional={
        "corpus": st.one_of(st.sampled_from(["1", "True", "None", "-p", "--help", "a b.jsonl", "$(x)", "'"]), words),
        "corpus_path": words,
        "train_languages": st.lists(codes, min_size=1, max_size=40, unique=True).map(tuple),
        "test_languages": st.lists(codes, min_size=1, max_size=5, unique=True).map(tuple),
        "train_concepts": st.integers(min_value=2),
        "encoder": words,
        "encoder_revision": st.one_of(st.sampled_from(["1e5", "007", "nan"]), words),
        "trim_vocabulary": st.booleans(),
        "precision": st.sampled_from(["auto", "bfloat16", "float32"]),
        "sampler": st.sampled_from(["untrained", "mixed", "monolingual", "crosslingual", "hybrid"]),
        "alpha": st.floats(0, 1),
        "language_power": st.one_of(st.sampled_from([1, 1.0, 1e16, 1e300]), positive),
        "learning_rate": positive,
        "leave_out_overlap": st.booleans(),
        "objective": st.sampled_from([{"siglip": {}}, {"infonce": {"temperature": 1e-05}, "vrns": {"weight": 30}}]),
        "seed": st.integers(0, 2**32 - 1),
    },
)


@settings(deadline=None)
@given(parameters)
def test_papermill_reads_the_command_as_the_configuration(given):
    config = RunConfig(**given)
    read = papermill_reads(papermill_command(config, "quick", "a-run"))
    assert read.pop("study") == "quick"
    assert RunConfig.checked(read) == config


@settings(deadline=None)
@given(parameters)
def test_the_cell_that_papermill_writes_is_the_configuration(given):
    config = RunConfig(**given)
    cell = {}
    exec(PythonTranslator.codify(papermill_reads(papermill_command(config, "quick", "a-run"))), cell)
    assert RunConfig.checked({name: cell[name] for name in RunConfig.model_fields if name in cell}) == config


@pytest.mark.parametrize("study", ["quick", "2024", "1e5", "nan", "1_000"])
def test_papermill_reads_the_study_as_text(study):
    assert papermill_reads(papermill_command(RunConfig(), study, "a-run"))["study"] == study


def test_command_names_sampler_seed_and_what_differs_from_the_defaults():
    config = RunConfig(alpha=0.25, train_languages=("en", "no"), train_corpora=("1", "a b.jsonl"))
    read = papermill_reads(command := papermill_command(config, "quick", "a-run"))
    assert set(read) == {"study", "sampler", "alpha", "seed", "train_languages", "train_corpora"}
    assert read["train_corpora"] == ["1", "a b.jsonl"]
    assert shlex.split(command)[:3] == ["papermill", "notebooks/2-train.ipynb", "a-run.ipynb"]
