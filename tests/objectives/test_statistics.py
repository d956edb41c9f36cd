import math
from statistics import fmean, pvariance

import pytest
import torch
from naive_objectives import REPEATED, dot, example, negatives

from hybridlib.objectives import similarity_statistics


def moments(name: str, values: list[float]) -> dict[str, float]:
    return {f"{name}_mean": fmean(values), f"{name}_variance": pvariance(values)}


def test_statistics_as_by_loops():
    batch = example(0, REPEATED)
    u, v = batch.queries.tolist(), batch.passages.tolist()
    pairs = {
        "positive": [(i, i) for i in range(7)],
        "negative": [(i, j) for i in range(7) for j in negatives(batch, i)],
    }
    expected = {}
    for kind, chosen in pairs.items():
        same = [(i, j) for i, j in chosen if batch.query_language[i] == batch.passage_language[j]]
        other = [pair for pair in chosen if pair not in same]
        groups = {kind: chosen, f"same_language_{kind}": same, f"other_language_{kind}": other}
        for name, group in groups.items():
            assert len(group) > 1
            expected |= moments(name, [dot(u[i], v[j]) for i, j in group])
    assert similarity_statistics(batch) == pytest.approx(expected, rel=1e-9)


def test_pairs_that_a_batch_lacks_give_nan():
    codes = torch.zeros(7, dtype=torch.long)
    found = similarity_statistics(example(1, query_language=codes, passage_language=codes))
    assert {name for name, value in found.items() if math.isnan(value)} == {
        f"other_language_{kind}_{moment}" for kind in ("positive", "negative") for moment in ("mean", "variance")
    }


def test_statistics_carry_no_gradient_and_no_bfloat16():
    batch = example(2, queries=example(2).queries.float().requires_grad_(), passages=example(2).passages.float())
    outside = similarity_statistics(batch)
    with torch.autocast("cpu", torch.bfloat16):
        assert similarity_statistics(batch) == outside
    assert {type(value) for value in outside.values()} == {float}
