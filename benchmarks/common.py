"""What the benchmarks share: vectors to rank, clocks, peak memory, the machine, and a table."""

from __future__ import annotations

import gc
import importlib.metadata
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import threadpoolctl
from datasets import Dataset

from hybridlib.corpora.collection import Collection


def language_vectors(languages: int, concepts: int, dimension: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Make query and passage vectors like those of an encoder that prefers its query's language.

    A text is its concept's meaning, in part seen differently by each language and more clearly by some languages, plus
    the language's own direction, plus noise. The weights give what multilingual-e5-small gives untrained on
    Crossmodal-3600: relevant passages of other languages stand far down the pool, the worst in its second half.

    Returns:
        Two float32 [languages * concepts, dimension] of unit length, all concepts of a language together.
    """
    rng = np.random.default_rng(seed)
    meaning = rng.standard_normal((concepts, dimension), dtype=np.float32)
    queries, passages = (np.empty((languages * concepts, dimension), dtype=np.float32) for _ in range(2))
    for language in range(languages):
        clearness = np.float32(np.exp(0.4 * rng.standard_normal()))
        seen = meaning + np.float32(0.8) * rng.standard_normal(meaning.shape, dtype=np.float32)
        center = clearness * seen + rng.standard_normal(dimension, dtype=np.float32)
        for vectors in (queries, passages):
            part = vectors[language * concepts : (language + 1) * concepts]
            rng.standard_normal(dtype=np.float32, out=part)
            part *= np.float32(2.75)
            part += center
            part /= np.linalg.norm(part, axis=1, keepdims=True)
    return queries, passages


def collection_of(languages: int, concepts: int) -> Collection:
    """Make the test collection of :func:`language_vectors`: every language's passage of a concept is relevant."""
    language, concept = np.divmod(np.arange(languages * concepts), concepts)
    codes = pd.Series([f"x{number:02}" for number in range(languages)])[language].reset_index(drop=True)
    names = pd.Series(concept).astype("str").str.zfill(6)
    ids = names + "/" + codes
    passages = Dataset.from_dict({"id": ids.to_list(), "language": codes.to_list(), "text": [""] * len(ids)})
    qrels = pd.DataFrame(
        {
            "query": np.repeat(np.arange(languages * concepts), languages),
            "passage": (concept[:, None] + concepts * np.arange(languages)).ravel(),
            "relevance": 1,
        }
    )
    queries = pd.DataFrame({"id": ids, "language": codes, "concept": names, "text": ""})
    return Collection(queries, passages, qrels, "synthetic")


def captions() -> str:
    """Name the corpus whose captions are embedded: Crossmodal-3600 if $HYBRIDLIB_DATA has it, else scenes."""
    return "xm3600" if "HYBRIDLIB_DATA" in os.environ else "scenes"


def seconds(function: Callable[[], object], repeats: int = 1) -> tuple[float, float]:
    """Wall time and processor time of all threads, each of the run where it was least.

    On a machine that does something else, too, processor time says more.
    """
    times = []
    for _ in range(repeats):
        wall, processor = time.perf_counter(), time.process_time()
        function()
        times.append((time.perf_counter() - wall, time.process_time() - processor))
    return min(wall for wall, _ in times), min(processor for _, processor in times)


def peak_memory(function: Callable[[], object]) -> tuple[int, int]:
    """Run a function; return the resident bytes before, and the largest number of them meanwhile (Linux).

    The kernel's own high-water mark is set back before, so no peak is missed.
    """
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5")
    before = memory("VmRSS")
    function()
    return before, memory("VmHWM")


def memory(field: str) -> int:
    """Bytes of a field of /proc/self/status: VmRSS resident, VmHWM its peak, RssFile resident of mapped files."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{field}:"))


def describe(*packages: str) -> str:
    """Say the processor, threads, libraries of linear algebra, and versions of packages."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    processor = next((line.split(": ")[1] for line in lines if line.startswith("model name")), "unknown processor")
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    pools = {
        f"{pool['internal_api']} {pool['version'] or ''} {pool['num_threads']} threads".replace("  ", " ")
        for pool in threadpoolctl.threadpool_info()
    }
    versions = ", ".join(map(_version, ("hybridlib", "numpy", *packages)))
    return f"{processor}, {os.cpu_count()} processors, load {load}\n{', '.join(sorted(pools))}\n{versions}\n"


def _version(package: str) -> str:
    try:
        return f"{package} {importlib.metadata.version(package)}"
    except importlib.metadata.PackageNotFoundError:
        return f"{package} missing"


def table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Set rows in columns, the first to the left, the others to the right."""
    cells = [list(header), *([_cell(value) for value in row] for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(header))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if not column else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in cells
    )


def _cell(value: object) -> str:
    return value if isinstance(value, str) else f"{value:,}" if isinstance(value, int) else f"{value:.4g}"
