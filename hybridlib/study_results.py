"""What a study has found so far: its finished runs, the systems made of them, and their numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from hybridlib.answers import dearer_than
from hybridlib.comparison import (
    chosen_tests,
    comparisons,
    direction,
    summary_table,
)
from hybridlib.curves import series
from hybridlib.errors import InputError
from hybridlib.evaluation import macro_means, mean_by_pair
from hybridlib.means import means_table
from hybridlib.paths import is_finished, run_folder, system_folder
from hybridlib.results import Results
from hybridlib.runs import Run
from hybridlib.seed_error import compared_with_seeds, means_with_seeds
from hybridlib.study import Study
from hybridlib.system import PLAIN

FEW = 8


@dataclass(frozen=True)
class StudyResults:
    """Finished runs of a study and the systems made of them.

    Attributes:
        runs: finished runs, in the order of the study's file.
        systems: finished systems that are made of runs.
        missing: names of the folders that are not finished.
    """

    runs: list[Run]
    systems: list[Results]
    missing: list[str]

    @classmethod
    def read(cls, study: Study) -> StudyResults:
        """Read what is finished, in the order of the file.

        Raises:
            InputError: if fewer than two configurations have a finished run, or the baseline has none.
        """
        names = study.labels()
        folders = {run_folder(study.name, run): names[config] for run, config in study.runs().items()}
        made = {system_folder(study.name, name): system.label for name, system in study.derived().items()}
        done = {folder for folder in (*folders, *made) if is_finished(folder)}
        found = cls(
            [Run.read(folder, label) for folder, label in folders.items() if folder in done],
            [_called(Results.read(folder), label) for folder, label in made.items() if folder in done],
            [folder.name for folder in (*folders, *made) if folder not in done],
        )
        trained = {run.label for run in found.runs}
        labels = {*trained, *(system.label(name) for system, name in found._derived())}
        if len(labels) < 2 or study.baseline not in trained:
            raise InputError(
                f"{study.path}: found finished runs of {', '.join(sorted(labels)) or 'no configuration'}, "
                f"expected those of the baseline {study.baseline} and of another system"
            )
        return found

    def scores(self) -> dict[str, list[pd.DataFrame]]:
        """Label -> scores of each query, a table a seed; see :class:`hybridlib.evaluation.Evaluation`."""
        tables: dict[str, list[pd.DataFrame]] = {}
        for run in self.runs:
            tables.setdefault(run.label, []).append(run.scores())
        for system, name in self._derived():
            tables.setdefault(system.label(name), []).append(system.scores()[system.label(name)])
        return tables

    def summary(self) -> pd.DataFrame:
        """One row a system, seed, language group (all, seen, unseen), setting and measure: macro means."""
        groups: dict[str, dict[str, list[str]]] = {run.folder.name: run.result["languages"] for run in self.runs}
        parts = [summary_table(self.runs)]
        for system, name in self._derived():
            of_parent = groups.get(system.result["run"], self.runs[0].result["languages"])
            by_pair = mean_by_pair(system.scores()[system.label(name)])
            for group, codes in of_parent.items():
                if not codes:
                    continue
                means = macro_means(by_pair, None if group == "all" else codes)
                long = means.rename_axis("setting").reset_index().melt("setting", var_name="measure").dropna()
                seed = system.result["seed"] or 0
                parts.append(long.assign(configuration=system.label(name), seed=seed, languages=group))
        return pd.concat(parts, ignore_index=True)

    def comparisons(
        self, study: Study, scores: Mapping[str, Sequence[pd.DataFrame]], summary: pd.DataFrame
    ) -> pd.DataFrame:
        """Compare every system with the study's baseline and references, and with the best by each measure.

        The best of all, and the best of those that were trained on no more pairs than the baseline. A study without
        references compares every pair. Intervals and p hold other seeds, where a run has two.

        Args:
            study: that these are results of.
            scores: of :meth:`scores`.
            summary: of :meth:`summary`.

        Returns:
            See :func:`hybridlib.seed_error.compared_with_seeds`.
        """
        references = self._references(study, scores, summary) if study.references else []
        return compared_with_seeds(comparisons(scores, references=references), summary, self._trainings())

    def means(self, scores: Mapping[str, Sequence[pd.DataFrame]], summary: pd.DataFrame) -> pd.DataFrame:
        """Return :func:`hybridlib.means.means_table` with intervals that hold other seeds, where a run has two."""
        concepts = self.runs[0].result["concepts"]["test"]
        return means_with_seeds(means_table(scores, summary), summary, self._trainings(), concepts)

    def _references(
        self, study: Study, scores: Mapping[str, Sequence[pd.DataFrame]], summary: pd.DataFrame
    ) -> list[str]:
        means = summary[summary["languages"] == "all"].groupby(["setting", "measure", "configuration"])["value"].mean()
        tests = [test for test in chosen_tests([one[0] for one in scores.values()]) if direction(test[1])]
        dearer = dearer_than(self.costs(study), study.baseline)
        best = [
            (values * direction(measure)).idxmax()
            for setting, measure in tests
            for values in (means[setting, measure], means[setting, measure].drop(dearer, errors="ignore"))
        ]
        return list(dict.fromkeys([study.baseline, *study.references, *best]))

    def _trainings(self) -> dict[str, str]:
        """Return by which training each system was made, see :func:`hybridlib.seed_variance.seed_variances`.

        An average of weights, and what is made of it, is of a training that is none of its runs' own.
        """
        labels = {run.folder.name: run.label for run in self.runs}
        trained = {run.folder.name for run in self.runs if run.config.sampler != "untrained"}
        found = {label: label for name, label in labels.items() if name in trained}
        for system, name in self._derived():
            if system.result["encoder"]:
                found[system.label(name)] = f"{system.label(PLAIN)} of its runs"
            elif system.result["run"] in trained:
                found[system.label(name)] = labels[system.result["run"]]
        return found

    def costs(self, study: Study) -> pd.DataFrame:
        """One row a run and a system made of runs: what it cost, and its similarities; the content of ``runs.csv``.

        Returns:
            ``run``, ``configuration``, ``seed``, ``pairs`` (trained on), ``updates`` (of the weights), ``seconds`` (of
            processor time, in training; of a system those of the runs that it is made of), ``validation`` (of a run:
            :meth:`hybridlib.runs.Run.validation`), ``one_language_batches`` (of a run, a share:
            :meth:`hybridlib.runs.Run.one_language_batches`) and the numbers of :func:`hybridlib.geometry.geometry`.
        """
        rows, trained = [], {}
        unknown = dict.fromkeys(("pairs", "updates", "seconds"), np.nan)
        for run in self.runs:
            stages = [] if run.config.sampler == "untrained" else run.config.stages()
            trained[run.folder.name] = {
                "pairs": sum(stage.updates * stage.batch_size * stage.accumulate for stage in stages),
                "updates": sum(stage.updates for stage in stages),
                "seconds": run.result["seconds"].get("train, processor", np.nan) if stages else 0.0,
            }
            numbers = run.result.get("geometry", {})
            share = run.one_language_batches()
            cost = {**trained[run.folder.name], "validation": run.validation(), "one_language_batches": share}
            rows.append((run.folder.name, run.label, run.config.seed, cost, numbers))
        names = {config: name for name, config in study.runs().items()} if self.systems else {}
        derived = study.derived() if self.systems else {}
        for system, name in self._derived():
            parents = [trained.get(names[config], unknown) for config in derived[system.folder.name].parents]
            cost = {key: sum(parent[key] for parent in parents) for key in unknown}
            numbers = system.result["geometry"][name]
            rows.append((system.folder.name, system.label(name), system.result["seed"] or 0, cost, numbers))
        return pd.DataFrame(
            [
                {"run": run, "configuration": label, "seed": seed, **cost, **more}
                for run, label, seed, cost, more in rows
            ]
        )

    def about(self, study: Study) -> dict[str, Any]:
        """Say what was studied, on what and with what: the content of ``study.json``."""
        first = self.runs[0].result
        lying = series({run.config: run.label for run in self.runs}, study.axis) if study.axis else None
        return {
            "name": study.name,
            "title": study.title,
            "question": study.question,
            "demonstration": study.is_demonstration,
            "baseline": study.baseline,
            "references": list(study.references),
            "axis": study.axis,
            "series": [] if lying is None else lying.to_dict("records"),
            "missing": self.missing,
            **{key: first[key] for key in ("corpus", "notes", "concepts", "languages", "fingerprint", "environment")},
            "random_rank_distance": first["random_rank_distance"],
            "encoder": self.runs[0].config.encoder,
        }

    def top_share(self, labels: Sequence[str]) -> dict[str, pd.DataFrame]:
        """Label -> share of each language in the top ten by query language, mean over seeds."""
        tables: dict[str, list[pd.DataFrame]] = {}
        for run in self.runs:
            if run.label in labels:
                tables.setdefault(run.label, []).append(run.top_share())
        for system, name in self._derived():
            if system.label(name) in labels:
                table = system.languages()[system.label(name)]
                wide = table.pivot(index="query_language", columns="passage_language", values="top_share")
                tables.setdefault(system.label(name), []).append(wide)
        return {label: sum(tables[label][1:], tables[label][0]) / len(tables[label]) for label in labels}

    def _derived(self) -> list[tuple[Results, str]]:
        """Return the systems with each of their debiasings; a single run as it is, is among the runs."""
        return [
            (system, name)
            for system in self.systems
            for name in system.result["debiasings"]
            if name != PLAIN or system.result["encoder"]
        ]


def _called(results: Results, label: str) -> Results:
    """Return results under the label that the study gives them now."""
    return Results(results.folder, {**results.result, "label": label})


def overview(study: Study, labels: Sequence[str]) -> list[str]:
    """Choose which systems have heatmaps: those that the study says, else all, or its references if these are many.

    All, if that would leave nothing but the baseline.
    """
    wanted = study.shown or (study.references if len(labels) > FEW else labels)
    chosen = [label for label in labels if label in {*wanted, study.baseline}]
    return chosen if len(chosen) > 1 else list(labels)
