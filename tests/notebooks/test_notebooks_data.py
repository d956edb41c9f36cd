"""Notebooks on data and settings that have gaps."""

import json
import re

import pytest
from notebook_runs import CORPUS, EVALUATE, execute, run_here

from hybridlib import evaluate_command
from hybridlib.evaluate_command import Request


@pytest.mark.parametrize(
    ("settings", "measures", "figures"),
    [
        (["multilingual"], None, "language-bias rank-distance single-answer"),
        (["monolingual"], None, "pairs"),
        (["monolingual", "multilingual"], ["AP"], "pairs language-bias rank-distance single-answer"),
    ],
)
@pytest.mark.parametrize("systems", [1, 2])
def test_evaluation_notebook_on_some_settings_and_measures(folders, monkeypatch, settings, measures, figures, systems):
    """German has a query and a passage of one concept alone."""
    cells = [*((f"c{c}", code) for c in range(8) for code in ("en", "zh")), ("c0", "de")]
    lines = [{"concept": c, "language": code, "query": f"{c} {code}?", "passage": f"{c} {code}"} for c, code in cells]
    file, outs = folders / "own.jsonl", [folders / f"out{number}" for number in range(systems)]
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    monkeypatch.setattr("hybridlib.execute.execute_evaluation", lambda *_: "")
    for number, out in enumerate(outs):
        chosen = {"corpus": str(file), "settings": settings, "measures": measures, "max_length": 4 + 8 * number}
        evaluate_command.evaluate(Request(out, encoder="tiny", label=f"tiny {number}", **chosen), str)
    run_here(EVALUATE, folders=[str(out) for out in outs], out=str(folders / "both"))
    found = {file.stem for file in (folders / "both" / "figures").iterdir()}
    assert found - {"differences"} == set(figures.split())
    assert ("differences" in found) == (systems == 2 and "pairs" in figures)
    assert (folders / "both" / "comparisons.csv").exists() == (systems == 2)


def test_corpus_notebook_on_scenes(folders, capsys):
    variables = run_here(CORPUS, languages=["en", "de", "zh"], validation_concepts=20, test_concepts=30)
    assert variables["corpus"].languages == ["en", "de", "zh"]
    assert f"scenes: {len(variables['corpus'].concepts)} concepts, 3 languages" in capsys.readouterr().out
    assert variables["shared"]["texts"].tolist() == [60, 60, 60]


def test_corpus_notebook_on_a_file(folders):
    """Three concepts in three forms; the Greek text stands alone in its cell."""
    lines = [
        {"concept": "a", "language": "en", "query": "a dog", "passage": "One dog."},
        {"concept": "a", "language": "el", "text": "ένας σκύλος"},
        {"concept": "b", "language": "en", "query": "a cat", "passage": "One dog."},
        {"concept": "c", "language": "el", "query": "γάτα", "passage": "μια γάτα"},
        {"concept": "c", "language": "en", "query": "the <b>cat</b>", "passage": "That cat."},
    ]
    file = folders / "own.jsonl"
    file.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    shown = execute(CORPUS, folders / "out.ipynb", corpus=str(file), validation_concepts=1, test_concepts=1)
    assert "own: 3 concepts, 2 languages, 9 texts" in shown
    assert "<th>el</th><td>Greek</td><td>Greek</td><td>2</td><td>3</td><td>1</td>" in re.sub(
        ' class="[a-z ]*"', "", shown
    )
    assert "1 of 5 cells have no monolingual pair, most of them in Greek (1)." in shown
    assert "<b>cat" not in shown
