from pathlib import Path

import pytest
from xm3600_files import offline


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep a test of XM3600 off the network, real data and real cache; give the file that the cache would hold."""
    monkeypatch.delenv("HYBRIDLIB_DATA", raising=False)
    monkeypatch.setenv("HYBRIDLIB_CACHE", str(tmp_path / "cache"))
    offline(monkeypatch)
    return tmp_path / "cache" / "xm3600" / "captions.zip"
