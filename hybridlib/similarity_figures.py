"""Similarities of positives and negatives, at the optima of 2506.09781 and of real embeddings: tables and figures."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hybridlib.batches import batches, make_sampler
from hybridlib.config import RunConfig
from hybridlib.corpora.corpus import Corpus
from hybridlib.curves import series
from hybridlib.encoders.embedding_cache import cached_text_vectors
from hybridlib.encoders.encoder import DualEncoder
from hybridlib.evaluation import SETTINGS
from hybridlib.objectives import Batch, similarity_statistics
from hybridlib.objectives.theory import negative_variance_bounds, optimal_negative
from hybridlib.runs import Run
from hybridlib.study_names import labels

COLOURS = sns.color_palette("colorblind")
MOMENTS = ("mean", "variance")
LANGUAGES = ("one language", "two languages", "all pairs")
NUMBERS = (
    "positive_all_mean negative_same_mean negative_other_mean negative_same_variance negative_other_variance "
    "negative_all_variance alignment uniformity language_probe"
).split()


def mean_similarities(means: pd.DataFrame, n: int, x_label: str, threshold: float | None = None) -> Figure:
    """Draw mean similarities at optima of the full batch, and those of Theorem 5.1 as dashed lines.

    Args:
        means: index names (drawn as dots) or numbers (as lines); columns ``positive_mean`` and ``negative_mean``.
        n: pairs of the batch.
        x_label: what the index is.
        threshold: where Theorem 5.3 has the means leave those of Theorem 5.1.
    """
    figure, axes = plt.subplots(figsize=(9, 3.2), layout="constrained")
    style = "-" if pd.api.types.is_numeric_dtype(means.index) else ""
    for colour, kind, optimum in zip(COLOURS, ("positive", "negative"), (1.0, optimal_negative(n)), strict=False):
        axes.plot(means.index, means[f"{kind}_mean"], color=colour, marker="o", linestyle=style, label=f"{kind}s")
        axes.axhline(optimum, color=colour, linestyle="--", linewidth=1, label=f"predicted: {optimum:.3g}")
    if threshold is not None:
        axes.axvline(threshold, color="black", linestyle=":", linewidth=1, label="threshold of Theorem 5.3")
    return _finished(figure, x_label, "mean similarity")


def variance_band(variances: pd.DataFrame, n: int) -> Figure:
    """Draw the variance of negatives by mini-batch size, over the interval of Theorem 5.5.

    Args:
        variances: columns ``objective``, ``batch_size`` and ``variance``; a row (dot) a training; lines are means.
        n: pairs of the training set.
    """
    sizes = np.sort(variances["batch_size"].unique())
    lowest, highest = np.transpose([negative_variance_bounds(n, int(m)) for m in sizes])
    figure, axes = plt.subplots(figsize=(9, 3.6), layout="constrained")
    axes.fill_between(sizes, lowest, highest, color="tab:gray", alpha=0.25, linewidth=0, label="Theorem 5.5")
    for colour, (objective, part) in zip(COLOURS[1:], variances.groupby("objective", sort=False), strict=False):
        axes.scatter(part["batch_size"], part["variance"], color=colour, s=12)
        means = part.groupby("batch_size")["variance"].mean()
        axes.plot(means.index, means, color=colour, label=objective)
    axes.set_yscale("symlog", linthresh=2e-3)
    axes.set_ylim(0, None)
    _show_sizes(axes, sizes)
    return _finished(figure, "pairs a mini-batch", "variance of negatives")


def gradient_lines(gradients: pd.DataFrame) -> Figure:
    """Draw the loss's derivatives by similarities of negatives [batch size x pair] (Theorem 5.6), and their mean."""
    figure, axes = plt.subplots(figsize=(9, 3.2), layout="constrained")
    axes.plot(gradients.index, gradients, color="tab:gray", linewidth=0.8, alpha=0.7)
    axes.plot(gradients.index, gradients.mean(axis=1), color=COLOURS[1], marker="o", label="mean of the pairs")
    axes.set_yscale("log")
    _show_sizes(axes, gradients.index.to_numpy())
    return _finished(figure, "pairs a batch", "gradient of a negative")


def negatives_by_batch_size(table: pd.DataFrame) -> Figure:
    """Draw mean (above) and variance (below) of negatives by batch size.

    Args:
        table: columns ``panel``, ``line``, ``batch_size``, ``languages``, ``mean`` and ``variance``; columns of the
            figure are the panels, each for all ``languages``.
    """
    columns = list(product(table["panel"].unique(), table["languages"].unique()))
    figure, grid = plt.subplots(
        2, len(columns), figsize=(2.6 * len(columns) + 1, 5), sharex=True, sharey="row", layout="constrained"
    )
    for place, (panel, languages) in zip(grid.T, columns, strict=True):
        place[0].set_title(f"{panel}: {languages}", fontsize=9)
        chosen = table[(table["panel"] == panel) & (table["languages"] == languages)].sort_values("batch_size")
        for axes, moment in zip(place, MOMENTS, strict=True):
            for colour, line in zip(COLOURS, table["line"].unique(), strict=False):
                part = chosen[chosen["line"] == line]
                axes.plot(part["batch_size"], part[moment], marker="o", markersize=4, color=colour, label=line)
            _show_sizes(axes, np.sort(table["batch_size"].unique()))
    for axes, moment in zip(grid[:, 0], MOMENTS, strict=True):
        axes.set_ylabel(f"{moment} of negatives")
    figure.supxlabel("pairs a batch", fontsize=9)
    figure.legend(*axes.get_legend_handles_labels(), loc="outside upper center", ncols=4, fontsize=8, frameon=False)
    sns.despine(figure)
    return figure


def _show_sizes(axes: Axes, sizes: np.ndarray) -> None:
    axes.set_xscale("log", base=2)
    axes.set_xticks(sizes, [str(size) for size in sizes])
    axes.tick_params(labelsize=8)


def _finished(figure: Figure, x_label: str, y_label: str) -> Figure:
    (axes,) = figure.axes
    axes.set(xlabel=x_label, ylabel=y_label)
    axes.legend(fontsize=8, frameon=False, ncols=5, loc="lower center", bbox_to_anchor=(0.5, 1.0))
    sns.despine(figure)
    return figure


def drawn_negatives(
    config: RunConfig, corpus: Corpus, encoder: DualEncoder, samplers: Sequence[str], sizes: Sequence[int], count: int
) -> pd.DataFrame:
    """Embed a corpus, draw batches of it, and give mean and variance of negatives by sampler, size and languages.

    Args:
        config: of the samplers, but for name and batch size.
        corpus: texts to draw from.
        encoder: as it is.
        samplers: names as in :class:`hybridlib.config.RunConfig`.
        sizes: pairs a batch.
        count: batches over which the statistics are averaged.

    Returns:
        Columns of :func:`negatives_by_batch_size`; the panel is the corpus, the line the sampler.
    """
    texts, pairs = corpus.table["text"].to_numpy(dtype=object), corpus.pairs
    queries, passages = np.zeros((2, len(texts), encoder.dimension), dtype=np.float32)
    queries[pairs.is_query] = cached_text_vectors(encoder, texts[pairs.is_query].tolist(), "query")
    passages[pairs.is_passage] = cached_text_vectors(encoder, texts[pairs.is_passage].tolist(), "passage")
    rows = []
    for sampler, size in product(samplers, sizes):
        chosen = config.model_copy(update={"sampler": sampler, "batch_size": size})
        found = []
        for drawn in batches(make_sampler(chosen, corpus), count):
            q, p = np.asarray(drawn).T
            arrays = queries[q], passages[p], pairs.concept[q], pairs.language[q], pairs.language[p]
            found.append(similarity_statistics(Batch(*map(torch.from_numpy, arrays))))
        means = pd.DataFrame(found).mean()
        for languages, prefix in zip(LANGUAGES, ("same_language_", "other_language_", ""), strict=True):
            moments = (means[f"{prefix}negative_{moment}"] for moment in MOMENTS)
            rows.append((corpus.name, chosen.label(), size, languages, *moments))
    return pd.DataFrame(rows, columns=["panel", "line", "batch_size", "languages", *MOMENTS])


def trained_negatives(runs: Sequence[Run]) -> pd.DataFrame:
    """Give mean and variance of the test texts' negatives of runs that lie on one curve over the batch size.

    On which curve a run lies is what its study calls it; see :func:`hybridlib.curves.series`.

    Returns:
        Columns of :func:`negatives_by_batch_size`, means over seeds; the panel is the sampler, the line what else
        the name of the curve says, or the names of the objectives.
    """
    rows = []
    for run, label in zip(runs, _called(runs), strict=True):
        for lying in series({run.config: label}, "batch_size").itertuples():
            sampler = run.config.label()
            line = lying.series.removeprefix(sampler).strip(" ,") or " + ".join(run.config.objective)
            for languages, name in zip(LANGUAGES, ("same", "other"), strict=False):
                moments = (run.result["geometry"].get(f"negative_{name}_{moment}", np.nan) for moment in MOMENTS)
                rows.append((sampler, line, run.config.batch_size, languages, *moments))
    table = pd.DataFrame(rows, columns=["panel", "line", "batch_size", "languages", *MOMENTS])
    table = table[table.groupby(["panel", "line"])["batch_size"].transform("nunique") > 1]
    return table.groupby(list(table.columns[:4]), sort=False)[list(MOMENTS)].mean().reset_index()


def _called(runs: Sequence[Run]) -> list[str]:
    """Return the labels that runs have in their study, else those that figures and tables make."""
    made = labels([run.config for run in runs])
    return [one if run.label == run.config.label() else run.label for run, one in zip(runs, made, strict=True)]


def run_numbers(runs: Sequence[Run]) -> pd.DataFrame:
    """Give nDCG@10 by setting, rank distance and numbers of the test texts' vectors, a row a configuration.

    Means over seeds; NaN for what a collection does not have. Names are the labels that runs have in their study, else
    made as figures and tables make them.
    """
    rows = []
    for run, label in zip(runs, _called(runs), strict=True):
        means, space = run.result["means"]["all"], run.result["geometry"]
        found = {f"nDCG@10 {setting}": means.get(setting, {}).get("nDCG@10", np.nan) for setting in SETTINGS}
        found["rank distance"] = means.get("multilingual", {}).get("rank_distance", np.nan)
        found |= {name.replace("_all", "").replace("_", " "): space.get(name, np.nan) for name in NUMBERS}
        rows.append({"configuration": label, **found})
    return pd.DataFrame(rows).groupby("configuration", sort=False).mean()
