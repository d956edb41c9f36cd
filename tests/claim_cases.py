"""Made-up claims and results to judge them by."""

import json

import pandas as pd

from hybridlib.claims import judge, load_claims

FIELDS = {
    "id": "one",
    "paper": "2408.10536",
    "where": "Table 1",
    "claim": "A beats B.",
    "published": ".8 and .7",
    "study": "mine",
    "differs": "Too short.",
}
VERDICTS = {True: "holds", False: "does not hold", None: "cannot tell here"}


def row(
    low, high, p, configuration="a", baseline="b", setting="multilingual", measure="nDCG@10", seeds=(3, 2), concepts=90
):
    counts = {"wins": 1, "ties": 0, "losses": 2, "concepts": concepts, "seeds": seeds[0], "baseline_seeds": seeds[1]}
    keys = {"configuration": configuration, "baseline": baseline, "setting": setting, "measure": measure}
    ends = {"difference": (low + high) / 2, "low": low, "high": high, "p": p, "holm_p": p}
    return {**keys, **ends, **counts, "seed_error": float("nan")}


def pair(kind, **values):
    return {"kind": kind, "configuration": "a", "baseline": "b", "setting": "multilingual", **values}


def claims_of(folder, *entries):
    """Write claims with the given fields and load them."""
    file = folder / "claims.yaml"
    file.write_text(json.dumps([{**FIELDS, **entry} for entry in entries]), encoding="utf-8")
    return load_claims(file)


def verdict_of(folder, tests, rows=(), distance=None, moved=(0.0, 0.0)):
    """Judge a claim with the given tests by rows of comparisons, and the mean rank distance of b.

    The differences are the same in two seeds, but that ``a`` is moved by so much in each.
    """
    study = folder / "mine"
    study.mkdir(exist_ok=True)
    if rows:
        write_summary(study, rows, moved)
        pd.DataFrame(list(rows)).to_csv(study / "comparisons.csv", index=False)
    if distance is not None:
        keys = {"setting": "multilingual", "measure": "rank_distance", "deviation": 1.0, "seeds": 2}
        groups = [("a", "all", 9999.0), ("b", "seen", 9999.0), ("b", "all", distance)]
        means = [{"configuration": c, "languages": g, "value": v, **keys} for c, g, v in groups]
        pd.DataFrame(means).to_csv(study / "means.csv", index=False)
    return judge(claims_of(folder, {"tests": tests})[0], folder)


def write_summary(study, rows, moved=(0.0, 0.0)):
    """Write single seeds whose differences are those of rows of comparisons."""
    values = {}
    for one in rows:
        first, second = ((one[key], one["setting"], one["measure"]) for key in ("configuration", "baseline"))
        values[second] = values.setdefault(first, 0.0) - one["difference"]
    columns = "configuration setting measure seed languages value".split()
    seeds = [
        (*key, seed, "all", value + by * (key[0] == "a"))
        for key, value in values.items()
        for seed, by in enumerate(moved)
    ]
    pd.DataFrame(seeds, columns=columns).to_csv(study / "summary.csv", index=False)
    runs = [{"configuration": label, "pairs": 64 * (label != "untrained")} for label, *_ in values]
    pd.DataFrame(runs).to_csv(study / "runs.csv", index=False)


def write_runs(folder, runs):
    """Write (label, seed, geometry) triples as the table of runs."""
    folder.mkdir(exist_ok=True)
    rows = [{"run": "r", "configuration": label, "seed": seed, **geometry} for label, seed, geometry in runs]
    pd.DataFrame(rows).to_csv(folder / "runs.csv", index=False)
