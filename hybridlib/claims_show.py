"""Claims and their verdicts in a notebook: a line a claim, which opens to its numbers."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from IPython.display import HTML, display

from hybridlib.claim_tests import FAILS, HOLDS, UNCLEAR
from hybridlib.claims import Verdict, tally
from hybridlib.plain_text import html_text

_MARKS = {HOLDS: ("holds", "✓"), FAILS: ("fails", "✗"), UNCLEAR: ("unclear", "?")}


def details(verdicts: Sequence[Verdict], papers: Mapping[str, str], incomplete: Collection[str] = ()) -> None:
    """Display the claims of each paper, a line each: verdict, place in the paper, study that tests it.

    Folded away: what was published, what is found here, the reason where it differs, and the command that finds it.

    Args:
        verdicts: in order; those of one paper are put together.
        papers: arXiv number -> what the paper is about.
        incomplete: studies of which not all is finished.
    """
    by_paper: dict[str, list[Verdict]] = {}
    for one in verdicts:
        by_paper.setdefault(one.claim.paper, []).append(one)
    for paper, claims in by_paper.items():
        head = f'<a href="https://arxiv.org/abs/{html_text(paper)}">{html_text(paper)}</a>'
        about = f", {html_text(papers[paper])}" if paper in papers else ""
        lines = "".join(_claim(one, one.claim.study in incomplete) for one in claims)
        display(HTML(f'<h3>{head}{about}</h3><p>{tally(claims)}</p><div class="claims">{lines}</div>'))


def _claim(one: Verdict, incomplete: bool) -> str:
    kind, mark = _MARKS[one.verdict]
    where = f"{html_text(one.claim.where)}; study {html_text(one.claim.study)}{', not complete' * incomplete}"
    return (
        f'<details><summary><strong class="verdict {kind}">{mark} {html_text(one.verdict)}</strong> '
        f'{html_text(one.claim.claim)} <span class="where">{where}</span></summary>'
        f"<p><em>Published.</em> {html_text(one.claim.published)}</p>"
        f"<p><em>Here.</em> {html_text(one.found)}</p><p><code>{html_text(one.claim.rerun)}</code></p></details>"
    )
