"""Claims and their verdicts in a notebook: a table to run the eye over, then each with its numbers."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from IPython.display import HTML, display

from hybridlib.claims import Verdict
from hybridlib.plain_text import html_text


def overview_table(verdicts: Sequence[Verdict]) -> pd.DataFrame:
    """One row a claim, of ready strings: the verdict, where it stands, the study that tests it."""
    rows = [(f"*{one.verdict}", one.claim.source, one.claim.study) for one in verdicts]
    claims = pd.Index([one.claim.claim for one in verdicts], name="claim")
    return pd.DataFrame(rows, claims, ["verdict", "paper", "study"])


def details(verdicts: Sequence[Verdict]) -> None:
    """Display each claim with what was published, what is found here, the reason, and the command that finds it."""
    parts = [
        f"<dt><strong>{html_text(one.verdict)}</strong>: {html_text(one.claim.claim)}</dt>"
        f"<dd><p><em>Published</em> ({html_text(one.claim.source)}). {html_text(one.claim.published)}</p>"
        f"<p><em>Here.</em> {html_text(one.found)}</p><p><code>{html_text(one.claim.rerun)}</code></p></dd>"
        for one in verdicts
    ]
    display(HTML(f'<dl class="claims">{"".join(parts)}</dl>'))
