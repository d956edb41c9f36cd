"""Intervals of means where concepts lack queries in some languages."""

import numpy as np
import pandas as pd
import pytest
from random_scores import score_rows

from hybridlib.means import means_table


def test_intervals_are_as_wide_as_where_the_mean_is_taken_anew_of_each_draw():
    scores = score_rows(1, concepts=200, missing=0.3, ndcg=1.0)
    cells = scores[scores["setting"] == "monolingual"].pivot(
        index="concept", columns="query_language", values="nDCG@10"
    )  # fmt: skip
    keys = {"configuration": "one", "seed": 1, "languages": "all", "setting": "monolingual", "measure": "nDCG@10"}
    row = means_table({"one": [scores]}, pd.DataFrame([{**keys, "value": cells.mean().mean()}])).iloc[0]
    draws = np.random.default_rng(0).integers(0, len(cells), (2000, len(cells)))
    low, high = np.quantile(np.nanmean(cells.to_numpy()[draws], axis=1).mean(axis=1), [0.025, 0.975])
    assert tuple(row[["low", "high"]]) == pytest.approx((low, high), abs=0.1 * (high - low))
