"""Results of `evaluate` side by side: differences and means with intervals, which hold other seeds where they can."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from hybridlib.comparison import comparisons
from hybridlib.means import means_table
from hybridlib.results import Results, result_summary, systems
from hybridlib.seed_error import compared_with_seeds, means_with_seeds
from hybridlib.system import PLAIN


def compare_results(results: Sequence[Results]) -> pd.DataFrame:
    """Compare every two systems of results on one collection.

    Returns:
        See :func:`hybridlib.seed_error.compared_with_seeds`; what has no seed, such as a published encoder, is one that
        no seed has changed.
    """
    return compared_with_seeds(comparisons(systems(results)), *_seeds(results))


def means_of_results(results: Sequence[Results]) -> pd.DataFrame:
    """Give macro means with intervals; see :func:`hybridlib.means.means_table`."""
    scores = systems(results)
    concepts = next(iter(scores.values()))[0]["concept"].nunique()
    return means_with_seeds(means_table(scores, result_summary(results)), *_seeds(results), concepts)


def _seeds(results: Sequence[Results]) -> tuple[pd.DataFrame, dict[str, str]]:
    """Return the means, a row a seed, and which training made each system."""
    trained = [one for one in results if one.result["seed"] is not None]
    made = {one.label(name): one.label(PLAIN) for one in trained for name in one.result["debiasings"]}
    return result_summary(results), made
