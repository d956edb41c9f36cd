import json

import pytest
from pydantic import ValidationError

from hybridlib.config import RunConfig
from hybridlib.errors import InputError
from hybridlib.paths import checked_name

WRONG = {
    "alpha too large": ({"alpha": 1.5}, "alpha = 1.5, expected less than or equal to 1"),
    "alpha too small": ({"alpha": -0.1}, "alpha = -0.1, expected greater than or equal to 0"),
    "alpha not a number": ({"alpha": float("nan")}, "alpha = nan, expected a finite number"),
    "number in quotes": ({"steps": "007"}, "steps = '007', expected a valid integer"),
    "number with a fraction": ({"steps": 1.5}, "steps = 1.5, expected a valid integer"),
    "yes for a number": ({"seed": True}, "seed = True, expected a valid integer"),
    "number for yes": ({"trim_vocabulary": 1}, "trim_vocabulary = 1, expected a valid boolean"),
    "infinite learning rate": ({"learning_rate": float("inf")}, "learning_rate = inf, expected a finite number"),
    "warmup of all steps": ({"warmup": 1.0}, "warmup = 1.0, expected less than 1"),
    "lone pair": ({"batch_size": 1}, "batch_size = 1, expected greater than or equal to 2"),
    "unknown sampler": ({"sampler": "hybird"}, "sampler = 'hybird', expected 'untrained', 'mixed', 'monolingual'"),
    "corpus power below 0": ({"corpus_power": -1}, "corpus_power = -1, expected greater than or equal to 0"),
    "one string for languages": ({"test_languages": "en"}, "test_languages = 'en', expected a list such as [en]"),
    "commas for languages": (
        {"train_languages": "en,de"},
        "train_languages = 'en,de', expected a list such as [en, de]",
    ),
    "number for languages": ({"train_languages": 3}, "train_languages = 3, expected a list such as [en, de]"),
    "number for a language": ({"train_languages": ["en", 3]}, "train_languages.1 = 3, expected a valid string"),
}


@pytest.mark.parametrize(("values", "expected"), WRONG.values(), ids=WRONG)
def test_wrong_value_is_named_with_what_was_expected(values, expected):
    with pytest.raises(InputError) as error:
        RunConfig.checked(values, "study.yaml")
    assert str(error.value).startswith(f"study.yaml: found {expected}")


def test_unknown_name_is_refused_with_the_known_ones():
    with pytest.raises(InputError, match=r"study\.yaml: found unknown parameter 'alhpa', expected one of ") as error:
        RunConfig.checked({"alhpa": 0.5}, "study.yaml")
    assert set(RunConfig.model_fields) <= set(str(error.value).split())


@pytest.mark.parametrize(("names", "found"), [(["a", "a"], "a a"), ([], "no corpus")])
def test_training_corpora_must_be_different_and_some(names, found):
    with pytest.raises(InputError) as error:
        RunConfig.checked({"train_corpora": names}, "study.yaml")
    assert str(error.value) == f"study.yaml: train_corpora: found {found}, expected different corpora"


def test_training_corpora_train_whole():
    with pytest.raises(InputError, match="train_concepts: found 50 beside train_corpora, expected none"):
        RunConfig.checked({"train_corpora": ["xm3600"], "train_concepts": 50})
    assert RunConfig.checked({"train_corpora": ["xm3600", "scenes"], "train_concepts": 50}).corpus == "scenes"


TEACHER = {"teacher": "tiny", "objective": {"kl": {}}}
UNFIT = {
    "schedule without end": ({"alpha_schedule": "step"}, "alpha_schedule: found step without alpha_end"),
    "end without hybrid": ({"alpha_end": 0.0, "sampler": "mixed"}, "alpha_end: found 0.0 with sampler mixed"),
    "end with corpora": ({"alpha_end": 0.0, "train_corpora": ["xm3600"]}, "alpha_end: found 0.0 with sampler hybrid"),
    "even with corpora": (
        {"sampler": "hybrid_even", "train_corpora": ["xm3600"]},
        "sampler: found hybrid_even with train_corpora ('xm3600',), expected one corpus",
    ),
    "odd batch": ({"sampler": "both_pairs", "batch_size": 9}, "batch_size: found 9, expected an even number"),
    "one concept": ({"sampler": "both_pairs", "batch_size": 2}, "batch_size: found 2, expected an even number from 4"),
    "end at once": ({"alpha_end": 0.0, "steps": 1}, "alpha_end: found 0.0 with a single batch"),
    "teacher abroad": (
        {**TEACHER, "teacher_language": "en", "train_languages": ["de"]},
        "teacher_language: found en, expected one of the training languages de",
    ),
    "idle hard negatives": ({"hard_negatives": 1, "objective": {"dcl": {}}}, "hard_negatives: found 1, expected 0"),
    "split of a stage": ({"first_stage": {"train_concepts": 9}}, "first_stage: found train_concepts, expected it once"),
    "untrained stage": ({"first_stage": {"sampler": "untrained"}}, "first_stage: found an untrained stage"),
    "stage before none": ({"sampler": "untrained", "first_stage": {"steps": 3}}, "first_stage: found an untrained"),
    "no teacher": ({"objective": {"kl": {}}}, "teacher: found None, expected an encoder to learn from"),
    "idle teacher": ({"teacher": "tiny"}, "teacher: found tiny, expected none: the objective does not learn from one"),
    "language without teacher": ({"teacher_language": "en"}, "teacher_language: found en without teacher"),
    "no hard negatives": ({"objective": {"hybrid_paper": {}}}, "hard_negatives: found 0, expected 1 or more"),
    "seed of a stage": ({"first_stage": {"seed": 2, "steps": 3}}, "first_stage: found seed, expected it once"),
    "stage of stages": ({"first_stage": {"first_stage": None}}, "first_stage: found first_stage, expected it once"),
    "wrong value in a stage": ({"first_stage": {"steps": 0}}, "first_stage: found steps = 0, expected greater than"),
    "unknown name in a stage": ({"first_stage": {"step": 5}}, "first_stage: found unknown parameter 'step'"),
}


@pytest.mark.parametrize(("values", "expected"), UNFIT.values(), ids=UNFIT)
def test_values_that_do_not_fit_together(values, expected):
    with pytest.raises(InputError) as error:
        RunConfig.checked(values, "study.yaml")
    assert str(error.value).startswith(f"study.yaml: {expected}")


def test_stages_differ_in_what_the_first_one_says():
    config = RunConfig(**TEACHER, steps=9, first_stage={"steps": 4, "train_corpora": ["xm3600"], "learning_rate": 1.0})
    first, last = config.stages()
    assert last == config.model_copy(update={"first_stage": None})
    changes = {"steps": 4, "train_corpora": ("xm3600",), "learning_rate": 1.0, "seed": first.seed}
    assert first == last.model_copy(update=changes)
    assert last.stages() == [last]


def test_first_stage_has_a_seed_of_its_own():
    seeds = [RunConfig(seed=seed, first_stage={"steps": 4}).stages()[0].seed for seed in (1, 1, 2)]
    assert seeds[0] == seeds[1]
    assert len({1, 2, *seeds}) == 4


def test_steps_of_the_first_stage_are_not_those_of_the_pairs():
    said, inherited = ({"steps": 5}, {"learning_rate": 1.0})
    assert [s.updates for s in RunConfig(train_pairs=6400, first_stage=said).stages()] == [5, 100]
    assert [s.updates for s in RunConfig(train_pairs=6400, first_stage=inherited).stages()] == [100, 100]


@pytest.mark.parametrize(
    ("values", "updates"),
    [
        ({"steps": 7}, 7),
        ({"train_pairs": 6400}, 100),
        ({"train_pairs": 6463, "accumulate": 4}, 25),
        ({"train_pairs": 9}, 1),
    ],
)
def test_updates_are_the_steps_or_what_the_pairs_fill(values, updates):
    assert RunConfig(**values).updates == updates


@pytest.mark.parametrize("name", ["train_languages", "test_languages"])
@pytest.mark.parametrize(("codes", "found"), [(["en", "de", "en"], "en de en"), ([], "no language")])
def test_languages_must_be_different_and_some(name, codes, found):
    with pytest.raises(InputError) as error:
        RunConfig.checked({name: codes}, "study.yaml")
    assert str(error.value) == f"study.yaml: {name}: found {found}, expected different language codes"


def test_every_wrong_parameter_has_a_line():
    with pytest.raises(InputError) as error:
        RunConfig.checked({"alpha": 2, "steps": 0, "colour": "red"})
    lines = str(error.value).splitlines()
    assert len(lines) == 3
    assert all(any(name in line for line in lines) for name in ("alpha", "steps", "colour"))


def test_lists_become_tuples():
    assert RunConfig.checked({"train_languages": ["en", "de"]}).train_languages == ("en", "de")


def test_integer_serves_as_a_real_number():
    assert RunConfig.checked({"alpha": 1}).alpha == 1.0


def test_configuration_cannot_be_changed():
    with pytest.raises(ValidationError, match="frozen"):
        RunConfig().alpha = 0.1


def test_written_configuration_reads_back():
    config = RunConfig(train_languages=("en", "de"), alpha=0.3, steps=7)
    assert RunConfig.checked(json.loads(json.dumps(config.model_dump(mode="json")))) == config


def test_label_is_the_sampler_with_alpha_if_hybrid():
    configs = {
        "hybrid 0.5": RunConfig(),
        "hybrid 0.25": RunConfig(alpha=0.25),
        "hybrid 1": RunConfig(alpha=1.0),
        "hybrid 1 to 0 linear": RunConfig(alpha=1.0, alpha_end=0.0),
        "hybrid 0.2 to 0.8 step": RunConfig(alpha=0.2, alpha_end=0.8, alpha_schedule="step"),
        "hybrid_even 0.25": RunConfig(sampler="hybrid_even", alpha=0.25),
        "hybrid_rows 0.25": RunConfig(sampler="hybrid_rows", alpha=0.25),
        "one_passage_language": RunConfig(sampler="one_passage_language"),
        "mixed": RunConfig(sampler="mixed", alpha=0.25),
        "untrained": RunConfig(sampler="untrained"),
    }
    assert {label: config.label() for label, config in configs.items()} == {label: label for label in configs}


def test_run_name_of_a_configuration_and_data_stays_the_same():
    """Runs are found by their name, so a new version must give the same one."""
    assert RunConfig().run_name("f" * 64) == RunConfig(alpha=0.5).run_name("f" * 64)
    assert RunConfig(sampler="mixed", seed=3, steps=7).run_name("f" * 64) == "mixed-seed3-3cd0be94"


def test_run_names_differ_with_every_parameter_and_the_data():
    changes = {
        "corpus": "xm3600",
        "train_languages": ("en",),
        "test_languages": ("en",),
        "train_corpora": ("xm3600",),
        "corpus_power": 0.5,
        "leave_out_overlap": True,
        "encoder": "tiny",
        "sampler": "mixed",
        "alpha": 0.25,
        "batch_size": 32,
        "objective": {"dcl": {}},
        "chunk_tokens": 512,
        "alpha_end": 0.25,
        "hard_negatives": 1,
        "train_pairs": 640,
        "accumulate": 2,
        "first_stage": {"steps": 3},
        "steps": 7,
        "learning_rate": 1e-3,
        "seed": 2,
        "threads": 1,
    }
    names = {RunConfig(**{name: value}).run_name("a" * 64) for name, value in changes.items()}
    names |= {RunConfig().run_name("a" * 64), RunConfig().run_name("b" * 64)}
    assert len(names) == len(changes) + 2


@pytest.mark.parametrize("alpha", [0.0, 1e-7, 0.5, 1.0])
def test_run_name_is_a_safe_file_name(alpha):
    name = RunConfig(alpha=alpha).run_name("a" * 64)
    assert checked_name(name, "run") == name
    moving = RunConfig(alpha=alpha, alpha_end=0.5).run_name("a" * 64)
    assert checked_name(moving, "run") == moving
    assert name.startswith(f"hybrid-{alpha:g}-seed1-")


@pytest.mark.parametrize(
    ("objective", "message"),
    [
        ({"infonce": {"temperature": 0}}, "InfoNCE: found temperature 0, expected a positive number"),
        ({"info": {}}, "objective: found 'info', expected some of infonce symmetric_infonce "),
        ({"vrns": {"lambda": 30}}, "objective vrns: found unknown argument 'lambda', expected some of weight concepts"),
        ({"dcl": {"weight": -1}}, "objective dcl: found weight -1, expected 0 or more"),
        ({}, "objective: found no objective of a weight above 0, expected one at least"),
    ],
)
def test_wrong_objective_is_refused_before_anything_is_loaded(objective, message):
    with pytest.raises(InputError) as raised:
        RunConfig.checked({"objective": objective}, "study.yaml")
    assert str(raised.value).startswith(f"study.yaml: {message}")


def test_objective_label_says_names_and_arguments():
    spec = {"infonce": {"temperature": 0.02}, "vrns": {"weight": 30}, "siglip": {}}
    assert RunConfig(objective=spec).objective_label() == "infonce (temperature 0.02) + vrns (weight 30) + siglip"
