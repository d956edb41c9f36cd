"""Random scores in the form of an evaluation's, for tests of comparisons."""

import numpy as np
import pandas as pd

from hybridlib.evaluation import KEYS, POOL, SETTINGS, SHARE

LANGUAGES = ("en", "de", "ru")
MEASURES = ("nDCG@10", "rank_distance", SHARE)
TESTED = (*((setting, "nDCG@10") for setting in SETTINGS), ("multilingual", "rank_distance"), ("multilingual", SHARE))


def score_rows(seed: int, concepts: int = 30, missing: float = 0.0, **shift: float) -> pd.DataFrame:
    """Random scores in the form of Evaluation.scores; ``missing`` is the share of rows left out (by concepts and pair).

    Args:
        seed: of the scores, not of what is missing.
        shift: added to all scores of a measure: ``ndcg``, ``distance``, ``share``.
    """
    targets = [*((a, b) for a in LANGUAGES for b in LANGUAGES), *((a, POOL) for a in LANGUAGES)]
    keys = [
        ({POOL: "multilingual", query: "monolingual"}.get(passage, "crosslingual"), query, passage, f"c{concept}")
        for query, passage in targets
        for concept in range(concepts)
    ]
    table = pd.DataFrame(keys, columns=KEYS)
    rng = np.random.default_rng(seed)
    table["nDCG@10"] = rng.random(len(table)) + shift.get("ndcg", 0)
    pooled = table["setting"] == "multilingual"
    table["rank_distance"] = np.where(pooled, 100 * rng.random(len(table)) + shift.get("distance", 0), np.nan)
    table[SHARE] = np.where(pooled, rng.random(len(table)) + shift.get("share", 0), np.nan)
    for key, names in zip(KEYS, (SETTINGS, (*LANGUAGES, POOL), (*LANGUAGES, POOL), None), strict=True):
        table[key] = pd.Categorical(table[key], categories=names)
    kept = np.random.default_rng(99).random(len(table)) >= missing
    return table[kept].reset_index(drop=True)


def three_systems() -> dict[str, list[pd.DataFrame]]:
    return {
        "mixed": [score_rows(1)],
        "monolingual": [score_rows(2, ndcg=0.5, distance=200, share=2)],
        "hybrid 0.5": [score_rows(3)],
    }
