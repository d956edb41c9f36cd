"""Every parameter of a run: one class for notebooks, command line, study files and tests."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from hybridlib.errors import InputError
from hybridlib.objectives.compose import OBJECTIVES, build
from hybridlib.plain_text import brief, is_name
from hybridlib.validation import explained

Sampler = Literal[
    "untrained",
    "mixed",
    "monolingual",
    "crosslingual",
    "hybrid",
    "hybrid_even",
    "hybrid_rows",
    "one_passage_language",
    "both_pairs",
]
# What every stage of a run has in common, so that ``first_stage`` cannot change it.
_OF_THE_RUN = frozenset(
    "corpus corpus_path train_languages test_languages train_concepts validation_concepts test_concepts "
    "leave_out_overlap encoder encoder_revision query_prefix passage_prefix max_length trim_vocabulary precision "
    "first_stage seed threads".split()
)


class RunConfig(BaseModel):
    """What is trained on what, and how it is tested. Unknown names and values out of range are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    # Data
    corpus: str = Field(
        "scenes", description="scenes, xm3600, a .jsonl, .parquet or .yaml file, or another name of corpora/load.py"
    )
    corpus_path: str | None = Field(None, description="where xm3600's captions are, if not in the usual places")
    train_corpora: tuple[str, ...] | None = Field(
        None,
        description="corpora to train on, each batch of one; corpus: its training part; None: that alone",
    )
    corpus_power: float = Field(1.0, ge=0, description="P(corpus of a batch) ~ size ** power; 0: uniform")
    train_languages: tuple[str, ...] | None = Field(None, description="languages to train on; None: all")
    test_languages: tuple[str, ...] | None = Field(None, description="languages to test on; None: all")
    train_concepts: int | None = Field(None, ge=2, description="concepts to train on; None: all that are left")
    validation_concepts: int = Field(100, ge=2, description="concepts on which the best checkpoint is chosen")
    test_concepts: int = Field(200, ge=2, description="concepts to test on")
    leave_out_overlap: bool = Field(
        False, description="drop training texts that stand, normalised, in validation or test"
    )
    # Encoder
    encoder: str = Field("bundled:multilingual-e5-small", description="hub id, local folder, bundled:<name> or tiny")
    encoder_revision: str | None = Field(None, description="branch, tag or commit of a hub id")
    query_prefix: str | None = Field(None, description="text put before a query; None: as the encoder's files say")
    passage_prefix: str | None = Field(None, description="text put before a passage; None: as the encoder's files say")
    max_length: int = Field(64, ge=4, le=8192, description="tokens a text")
    trim_vocabulary: bool = Field(True, description="drop the pieces that no text of the run uses")
    precision: Literal["auto", "bfloat16", "float32"] = Field("auto", description="auto: bfloat16 where it is fast")
    # Batches
    sampler: Sampler = Field(
        "hybrid",
        description="untrained, mixed, monolingual, crosslingual, hybrid, or a variant of sampler_variants.py",
    )
    alpha: float = Field(
        0.5, ge=0, le=1, description="P(a batch is monolingual); hybrid_even: share; hybrid_rows: P(a row is)"
    )
    alpha_end: float | None = Field(None, ge=0, le=1, description="hybrid: alpha moves to this value; None: it stays")
    alpha_schedule: Literal["linear", "step"] = Field(
        "linear", description="how alpha moves: linear, evenly; step, at half time"
    )
    batch_size: int = Field(64, ge=2, description="pairs a batch")
    language_power: float = Field(0.0, ge=0, description="P(language) ~ size ** power; 0: uniform")
    # Objective
    objective: dict[str, dict[str, Any]] = Field(
        {"infonce": {"temperature": 0.05}},
        description="objectives by name, each with its arguments and weight; their weighted sum is minimised",
    )
    hard_negatives: int = Field(0, ge=0, description="passages a row, mined before training, that resemble its own")
    teacher: str | None = Field(None, description="encoder that objectives learn from, named as encoder is")
    teacher_language: str | None = Field(
        None, description="the teacher sees each concept's text in this language; None: the texts of the batch"
    )
    # Optimisation
    steps: int = Field(120, ge=1, description="updates of the weights")
    train_pairs: int | None = Field(
        None, ge=2, description="train on so many pairs, whatever the batch size; None: as many as steps take"
    )
    accumulate: int = Field(1, ge=1, description="batches whose gradients are averaged in an update")
    learning_rate: float = Field(5e-5, gt=0, description="highest learning rate of AdamW")
    weight_decay: float = Field(0.01, ge=0, description="of the weight matrices; biases and layer norms have none")
    warmup: float = Field(0.1, ge=0, lt=1, description="share of the steps in which the learning rate rises")
    max_gradient_norm: float = Field(1.0, gt=0, description="longer gradients are scaled down to this norm")
    validate_every: int = Field(40, ge=1, description="steps between two validations")
    chunk_tokens: int | None = Field(
        None, ge=1, description="tokens the encoder sees at once, for batches larger than memory; None: the whole batch"
    )
    first_stage: dict[str, Any] | None = Field(
        None, description="a training before this one: the parameters in which it differs"
    )
    # Machine
    seed: int = Field(1, ge=0, lt=2**32, description="fixes batches and dropout")
    threads: int = Field(2, ge=1, le=1024, description="threads of torch")

    def __hash__(self) -> int:
        # Of fields whose type makes equal values the same text: an objective may have 1 or 1.0, which are equal.
        return hash(self.model_dump_json(exclude={"objective", "first_stage"}))

    @model_validator(mode="after")
    def _texts_fit(self) -> RunConfig:
        for name, given in self:
            for text in given if isinstance(given, tuple) else (given,):
                if isinstance(text, str) and not is_name(text):
                    raise ValueError(f"{name}: found {brief(text)}, expected a short line without controls")
        return self

    @model_validator(mode="after")
    def _lists_fit(self) -> RunConfig:
        for name, one, several in (
            ("train_languages", "language", "language codes"),
            ("test_languages", "language", "language codes"),
            ("train_corpora", "corpus", "corpora"),
        ):
            given = getattr(self, name)
            if given is not None and (not given or len(set(given)) != len(given)):
                raise ValueError(f"{name}: found {' '.join(given) or f'no {one}'}, expected different {several}")
        return self

    @model_validator(mode="after")
    def _train_corpora_fit(self) -> RunConfig:
        others = self.train_corpora is not None and self.corpus not in self.train_corpora
        if others and self.train_concepts is not None:
            raise ValueError(
                f"train_concepts: found {self.train_concepts} beside train_corpora, expected none: these train whole"
            )
        return self

    @model_validator(mode="after")
    def _schedule_fits(self) -> RunConfig:
        if self.alpha_end is None and self.alpha_schedule != "linear":
            raise ValueError(f"alpha_schedule: found {self.alpha_schedule} without alpha_end, expected both")
        if self.alpha_end is not None and (self.sampler != "hybrid" or self.train_corpora is not None):
            raise ValueError(
                f"alpha_end: found {self.alpha_end} with sampler {self.sampler} and train_corpora "
                f"{self.train_corpora}, expected it with hybrid batches of one corpus"
            )
        if self.sampler == "hybrid_even" and self.train_corpora is not None:
            raise ValueError(
                f"sampler: found hybrid_even with train_corpora {self.train_corpora}, expected one corpus: of the "
                "batches of each of several it would not be an exact share"
            )
        if self.alpha_end is not None and self.updates * self.accumulate < 2:
            raise ValueError(f"alpha_end: found {self.alpha_end} with a single batch, expected two at least")
        if self.sampler == "both_pairs" and (self.batch_size % 2 or self.batch_size < 4):
            raise ValueError(f"batch_size: found {self.batch_size}, expected an even number from 4: a concept has two")
        return self

    @model_validator(mode="after")
    def _objective_fits(self) -> RunConfig:
        needs, objectives = objective_needs(self.objective), [OBJECTIVES[name] for name in self.objective]
        taught = any(name.startswith("teacher_") for name in needs)
        if taught != (self.teacher is not None):
            expected = "an encoder to learn from" if taught else "none: the objective does not learn from one"
            raise ValueError(f"teacher: found {self.teacher}, expected {expected}")
        if self.teacher is None and self.teacher_language is not None:
            raise ValueError(f"teacher_language: found {self.teacher_language} without teacher, expected both")
        if self.teacher_language and self.train_languages and self.teacher_language not in self.train_languages:
            raise ValueError(
                f"teacher_language: found {self.teacher_language}, expected one of the training languages "
                f"{' '.join(self.train_languages)}"
            )
        if "hard_negatives" in needs and not self.hard_negatives:
            raise ValueError("hard_negatives: found 0, expected 1 or more: the objective has no other negatives")
        if self.hard_negatives and not any(objective.takes_hard_negatives for objective in objectives):
            raise ValueError(f"hard_negatives: found {self.hard_negatives}, expected 0: the objective takes none")
        return self

    @model_validator(mode="after")
    def _first_stage_fits(self) -> RunConfig:
        fixed = sorted(_OF_THE_RUN & set(self.first_stage or ()))
        if fixed:
            raise ValueError(f"first_stage: found {fixed[0]}, expected it once, for the whole run")
        if self.first_stage is not None and "untrained" in {stage.sampler for stage in self.stages()}:
            raise ValueError("first_stage: found an untrained stage, expected two that train")
        return self

    @classmethod
    def checked(cls, values: dict[str, Any], where: str = "configuration") -> RunConfig:
        """Make a configuration of untrusted values; lists become tuples.

        Raises:
            InputError: one message with every wrong parameter: name, value found, what was expected.
        """
        values = {str(key): tuple(value) if isinstance(value, list) else value for key, value in values.items()}
        try:
            return cls(**values)
        except ValidationError as error:
            wrong = [explained(item, "parameter", RunConfig.model_fields) for item in error.errors()]
            raise InputError("\n".join(f"{where}: {one}" for one in wrong)) from None

    def stages(self) -> list[RunConfig]:
        """Return the configuration of each stage of training: ``first_stage``, if there is one, and this one.

        The first stage has a seed of its own, made of this one's, so that it meets other batches; if it says its
        ``steps``, the pairs to train on are not taken over.
        """
        last = self.model_copy(update={"first_stage": None})
        if self.first_stage is None:
            return [last]
        pairs = None if "steps" in self.first_stage else self.train_pairs
        seed = int(np.random.SeedSequence([self.seed, 1]).generate_state(1)[0])
        common = {**last.model_dump(), "train_pairs": pairs, "seed": seed}
        return [RunConfig.checked({**common, **self.first_stage}, "first_stage"), last]

    def encoder_options(self) -> dict[str, Any]:
        """Return the arguments of :meth:`.DualEncoder.load` beside the encoder's name."""
        names = ("max_length", "precision", "query_prefix", "passage_prefix")
        return {"revision": self.encoder_revision, **{name: getattr(self, name) for name in names}}

    @property
    def updates(self) -> int:
        """Number of updates of the weights: ``steps``, or as many as ``train_pairs`` fill, one at least."""
        if self.train_pairs is None:
            return self.steps
        return max(1, self.train_pairs // (self.batch_size * self.accumulate))

    def objective_label(self) -> str:
        """Say the objective in a few words, such as ``infonce (temperature 0.05) + vrns (weight 30)``."""
        said = []
        for name, arguments in self.objective.items():
            values = ", ".join(f"{key} {value}" for key, value in arguments.items())
            said.append(f"{name} ({values})" if values else name)
        return " + ".join(said)

    def label(self) -> str:
        """How figures and tables call this configuration: the sampler, with its alpha if it has one."""
        if not self.sampler.startswith("hybrid"):
            return self.sampler
        moving = "" if self.alpha_end is None else f" to {self.alpha_end:g} {self.alpha_schedule}"
        return f"{self.sampler} {self.alpha:g}{moving}"

    def run_name(self, fingerprint: str) -> str:
        """Name a run by its content: readable, then a hash of configuration and data (SHA-256 of the corpus).

        Parameters at their default are left out of the hash, so a parameter that is added later renames no run.
        """
        content = json.dumps(
            {**self.model_dump(mode="json", exclude_defaults=True), "data": fingerprint}, sort_keys=True
        )
        digest = hashlib.sha256(content.encode()).hexdigest()[:8]
        return f"{self.label().replace(' ', '-')}-seed{self.seed}-{digest}"


def objective_needs(spec: Mapping[str, Mapping[str, Any]]) -> tuple[str, ...]:
    """Return the optional fields of :class:`hybridlib.objectives.Batch` that an objective cannot do without."""
    try:
        with torch.device("meta"):  # a memory bank takes no memory yet
            return build(spec, concepts=2, dimension=2, teacher_dimension=2).needs
    except (TypeError, OverflowError, RuntimeError) as error:
        raise InputError(f"objective: found {brief(spec)} ({brief(str(error))}), expected smaller numbers") from error
