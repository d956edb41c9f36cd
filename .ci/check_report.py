"""Fails if a study's report is missing a part, or has other numbers than a table that was committed.

Usage: check_report.py reports/<study> [summary.csv]
"""

import csv
import json
import math
import sys
from html.parser import HTMLParser
from pathlib import Path


class Page(HTMLParser):
    """Collects headings, images, links and anything that would be fetched from elsewhere."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.headings, self.images, self.links, self.remote, self.tables = [], [], [], [], 0
        self._heading = False
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what the page holds."""
        values = dict(attrs)
        self._heading = tag in ("h1", "h2") or self._heading
        self.tables += tag == "table"
        if tag == "img":
            self.images.append(values)
        if tag == "a":
            self.links.append(values.get("href") or "")
        source = values.get("src") or (values.get("href") if tag == "link" else None)
        if tag in ("script", "iframe", "object") or (source and not source.startswith("data:")):
            self.remote.append(f"{tag} {source}")

    def handle_data(self, data: str) -> None:
        """Collect the text of headings."""
        if self._heading and data.strip():
            self.headings.append(data.strip())
            self._heading = False


def check(study: Path) -> list[str]:
    """Return what is missing."""
    missing = []
    page = Page(study / "index.html")
    wanted = [
        "nDCG by setting",
        "Language bias",
        "Balance",
        "Where the differences are",
        "Every comparison",
        "Every run",
    ]
    missing += [f"heading {w}" for w in wanted if not any(w in heading for heading in page.headings)]
    if len(page.images) < 5 or not all((i.get("alt") or "").strip() for i in page.images):
        missing.append(f"five figures with alt text (found {len(page.images)})")
    if page.tables < 4:
        missing.append(f"four tables (found {page.tables})")
    runs = sorted(folder for folder in (study / "runs").iterdir() if folder.is_dir())
    for run in runs:
        if f"runs/{run.name}/index.html" not in page.links:
            missing.append(f"link to {run.name}")
        for file in ("index.html", "result.json", "config.json", "ranks.parquet"):
            if not (run / file).stat().st_size:
                missing.append(f"{run.name}/{file}")
        means = json.loads((run / "result.json").read_text())["means"]["all"]
        missing += [
            f"{run.name}: {setting}"
            for setting in ("monolingual", "crosslingual", "multilingual")
            if setting not in means
        ]
        missing += [f"{run.name}: offline page ({item})" for item in Page(run / "index.html").remote]
    missing += [f"offline page ({item})" for item in page.remote]
    for file, column in (("scores.csv", "value"), ("comparisons.csv", "holm_p")):
        rows = list(csv.DictReader((study / file).open(encoding="utf-8")))
        if not rows or column not in rows[0]:
            missing.append(f"{file} with {column}")
    return missing


def compare(found: Path, committed: Path) -> list[str]:
    """Return the rows of a committed summary that are missing or differ by more than two processors may."""
    values = _values(found)
    return [
        f"{', '.join(key)}: {expected} (found {values.get(key)})"
        for key, expected in _values(committed).items()
        if not math.isclose(values.get(key, math.nan), expected, rel_tol=0.01, abs_tol=0.01)
    ]


def _values(file: Path) -> dict[tuple[str, ...], float]:
    with file.open(encoding="utf-8", newline="") as lines:
        return {tuple(row.values())[:-1]: float(row["value"]) for row in csv.DictReader(lines)}


if __name__ == "__main__":
    problems = check(Path(sys.argv[1]))
    if sys.argv[2:]:
        problems += compare(Path(sys.argv[1]) / "summary.csv", Path(sys.argv[2]))
    sys.exit("\n".join(f"report: missing {problem}" for problem in problems) or 0)
