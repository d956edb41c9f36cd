"""A page of a notebook that has every kind of output that ours have, with the files that it links."""

import matplotlib.pyplot as plt
import nbformat
import pandas as pd
from IPython.display import HTML, Image
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from hybridlib import claims_show, explore_show, show
from hybridlib.claim_tests import KINDS
from hybridlib.claims import Claim, Verdict
from hybridlib.config import RunConfig
from hybridlib.execute import html_page

ARABIC = "قطة سوداء نائمة على أريكة حمراء بجانب النافذة"
COMMAND = "papermill notebooks/2-train.ipynb out.ipynb " + " ".join(f"-p option_{n} value_{n}" for n in range(60))
TOP = f"""# A page with everything

**Question.** What is on it, and *how* does it `look`? See [the numbers](#Numbers).

> **Answer.** All of it, with [a link](https://doi.org/10.1145/1), `code` and *words*.

## Text

- {ARABIC}
- a name without a space: {"abcdefgh_" * 30}

| a | {"|".join(f"column {n}" for n in range(14))} |
|{"---|" * 15}
| 1 | {"|".join("0.123" for n in range(14))} |

```python
def doubled(number: int) -> str:  # {"a long remark " * 20}
    return f"{{number * 2}}" if number is not None else "none"
```
"""


CLAIM = Claim(
    id="a", paper="2408.10536", where="Table 1", claim="One is better than the other.", published="0.8 and 0.7",
    study="mine", differs="Too short.",
    tests=[KINDS["better"](kind="better", configuration="a", baseline="b", setting="monolingual")],
)  # fmt: skip


class Run:
    """A finished run, as far as its row in a table needs it."""

    def __init__(self, folder):
        means = {"monolingual": {"nDCG@10": 0.7}, "multilingual": {"nDCG@10": 0.5, "rank_distance": 1234.5}}
        self.folder, self.config = folder, RunConfig(corpus=f"/a/long/place/{'of-captions/' * 12}captions.jsonl")
        self.result = {"means": {"all": means}, "seconds": {"train": 61.4}, "debiasings": ["none", "centring"]}

    def label(self, debiasing):
        return f"{self.folder.name} + {debiasing}"


def as_output(shown):
    if isinstance(shown, Image):
        data, metadata = shown._repr_mimebundle_()
        return new_output("display_data", data, metadata=metadata)
    return new_output("display_data", {"text/html" if isinstance(shown, HTML) else "text/markdown": shown.data})


def show_everything(folder, study):
    """Call everything that displays something, in a folder of a report."""
    numbers = pd.DataFrame({f"system {n}": ["*0.512", "0.497 ≈"] for n in range(26)}, index=["nDCG@10", "recall@100"])
    show.table(numbers.rename_axis("measure"), read="Up is better.", finding="Up.", file=folder / "tables" / "numbers")
    show.table(pd.DataFrame({"command": [COMMAND]}, index=["all"]))
    groups = pd.MultiIndex.from_tuples(
        [("a test", "one"), ("a test", "two"), ("another", "one")], names=["test", "kind"]
    )
    heads = pd.MultiIndex.from_product([["nDCG@10", "same_language_share@10"], ["monolingual", "crosslingual"]])
    show.table(pd.DataFrame("*0.512", groups, heads))
    show.folded_table(numbers, summary="2 comparisons", read="Up is better.")
    for verdict in ("holds", "does not hold", "cannot tell here"):
        claims_show.details(
            [Verdict(CLAIM, verdict, "+0.030 [+0.020, +0.040]", "Too short.")], {"2408.10536": "batches"}
        )
    runs = [Run(folder / "runs" / "hybrid-0.5-seed1-0"), Run(folder / "systems" / "averaged-1")]
    for run in runs:
        run.folder.mkdir(parents=True)
        (run.folder / "index.html").write_text("<!DOCTYPE html><title>A run</title>")
    show.runs(study, runs[:1])
    show.systems(runs[1:])
    drawn, axes = plt.subplots(figsize=(11, 3))
    axes.plot([1, 2, 4])
    show.figure(drawn, alt="A line that rises.", read="Up is better.", finding="It rises.")


def make(folder, monkeypatch):
    """Write the page and what it links to; returns the page."""
    shown = []
    for module in (show, claims_show):
        monkeypatch.setattr(module, "display", shown.append)
    show_everything(folder, type("Study", (), {"name": "everything"}))
    hits = pd.DataFrame({"language": ["ar", "en"], "similarity": [0.9, 0.8], "text": [ARABIC, "a cat"]})
    found = explore_show.results_html(ARABIC, {"first": hits.assign(relevant=[True, False])}, "Query 1, in Arabic")
    printed = new_output("stream", name="stdout", text=f"{'a line that is long ' * 20}\n\x1b[31mred\x1b[0m\n{ARABIC}")
    code = f'from somewhere import something  # why\nassert something("{"long " * 60}") is not None\n'
    cells = [
        new_markdown_cell(TOP),
        new_code_cell(code, outputs=[printed]),
        new_markdown_cell("## Numbers\n\nWith [remarks](#Text)."),
        new_code_cell(code, outputs=[as_output(one) for one in shown]),
        new_markdown_cell("## Numbers\n\n### A part"),
        new_code_cell("1", outputs=[new_output("display_data", {"text/html": found})]),
    ]
    nbformat.write(new_notebook(cells=cells), folder / "notebook.ipynb")
    (folder / "index.html").write_text(html_page(folder / "notebook.ipynb", "A page with everything"))
    return folder / "index.html"
