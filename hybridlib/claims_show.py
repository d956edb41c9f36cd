"""Claims and their verdicts in a notebook: a table to run the eye over, then each with its numbers."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import pandas as pd
from IPython.display import HTML, display

from hybridlib.claims import Verdict
from hybridlib.plain_text import visible


def overview_table(verdicts: Sequence[Verdict]) -> pd.DataFrame:
    """One row a claim, of ready strings: the verdict, where it stands, the study that tests it."""
    rows = [(f"*{one.verdict}", f"{one.claim.paper}, {one.claim.where}", one.claim.study) for one in verdicts]
    claims = pd.Index([one.claim.claim for one in verdicts], name="claim")
    return pd.DataFrame(rows, claims, ["verdict", "paper", "study"])


def details(verdicts: Sequence[Verdict]) -> None:
    """Display each claim with what was published, what is found here, the reason, and the command that finds it."""
    papers = [f"{one.claim.paper}, {one.claim.where}" for one in verdicts]
    parts = [
        f"<dt><strong>{_text(one.verdict)}</strong>: {_text(one.claim.claim)}</dt>"
        f"<dd><p><em>Published</em> ({_text(paper)}). {_text(one.claim.published)}</p>"
        f"<p><em>Here.</em> {_text(f'{one.ours} {one.reason}'.strip())}</p>"
        f"<p><code>{_text(one.claim.command or f'make study STUDY={one.claim.study}')}</code></p></dd>"
        for one, paper in zip(verdicts, papers, strict=True)
    ]
    display(HTML(f'<dl class="claims">{"".join(parts)}</dl>'))


def _text(value: str) -> str:
    return escape(visible(value))
