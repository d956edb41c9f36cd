"""A dual encoder on ``transformers``: one model for queries and passages, unit vectors."""

from __future__ import annotations

import inspect
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn
from tqdm.auto import tqdm
from transformers import AutoConfig, AutoModel, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase

from hybridlib.cache import new_folder
from hybridlib.encoders import tiny, vocabulary
from hybridlib.encoders.bundled import bundled_folder
from hybridlib.encoders.chunks import pad, row_chunks
from hybridlib.encoders.pooling import POOLINGS, Pooling
from hybridlib.encoders.sentence_transformers_form import write_form
from hybridlib.encoders.source import E5, SETTINGS, Role, check_source, lasting_name, read_settings
from hybridlib.errors import InputError
from hybridlib.plain_text import brief

Precision = Literal["auto", "bfloat16", "float32"]


class DualEncoder(nn.Module):
    """Maps token rows to unit vectors; queries and passages share the weights and differ in prefix.

    Args:
        model: any ``transformers`` encoder that returns ``last_hidden_state``.
        tokenizer: its fast tokenizer.
        prefixes: text put before a query and before a passage.
        max_length: tokens a text, special tokens included; longer ones are cut.
        precision: ``bfloat16`` runs the model under autocast, ``float32`` does not, ``auto`` takes bfloat16 where the
            processor or GPU has instructions for it. Pooling and vectors are float32 (float64 for float64 weights).
        kept_ids: int64 [pieces], which rows of the full vocabulary are kept, if it was trimmed.
        source: the name under which :meth:`load` finds the encoder with the full vocabulary.
        revision: of the source, if it is a hub id.
        pooling: how token vectors become one, a key of :data:`.POOLINGS`.
    """

    def __init__(
        self,
        model: PreTrainedModel,
        tokenizer: PreTrainedTokenizerBase,
        *,
        prefixes: dict[Role, str],
        max_length: int = 128,
        precision: Precision = "auto",
        kept_ids: np.ndarray | None = None,
        source: str = "",
        revision: str | None = None,
        pooling: Pooling = "mean",
    ) -> None:
        super().__init__()
        self.model, self.tokenizer, self.prefixes = model, tokenizer, prefixes
        self.max_length, self.kept_ids = max_length, kept_ids
        self.precision: Precision = precision
        self.source, self.revision, self.pooling = source, revision, pooling

    @classmethod
    def load(
        cls,
        name: str,
        *,
        max_length: int = 128,
        precision: Precision = "auto",
        revision: str | None = None,
        query_prefix: str | None = None,
        passage_prefix: str | None = None,
    ) -> DualEncoder:
        """Load an encoder; weights come from safetensors alone and no code of a repository is run.

        Args:
            name: a Hugging Face hub id, a local folder in the hub's form (also one that :meth:`save` wrote),
                ``bundled:multilingual-e5-small``, ``bundled:all-MiniLM-L6-v2``, or ``tiny`` (random, for tests).
            max_length: tokens a text.
            precision: see the class.
            revision: of a hub id: branch, tag or commit.
            query_prefix: text put before a query; None: as the encoder's files say, see :func:`.read_settings`.
            passage_prefix: text put before a passage, likewise.

        Raises:
            InputError: if there is no such encoder, it has no safetensors, lacks weights, has some that are no numbers,
                asks for code of its own, or has modules or a pooling of sentence-transformers that are not known here.
        """
        given: dict[Role, str | None] = {"query": query_prefix, "passage": passage_prefix}
        chosen: dict[Role, str] = {role: prefix for role, prefix in given.items() if prefix is not None}
        if name == "tiny":
            prefixes = {**E5, **chosen}
            return cls(*tiny.tiny_encoder(), prefixes=prefixes, max_length=max_length, precision="float32", source=name)
        source = str(bundled_folder(name.removeprefix("bundled:"))) if name.startswith("bundled:") else name
        try:
            check_source(source, revision)
            settings = read_settings(source, name, revision)
            tokenizer = AutoTokenizer.from_pretrained(source, revision=revision, trust_remote_code=False)
            config = AutoConfig.from_pretrained(source, revision=revision, trust_remote_code=False)
            # A pooler is not used here, and one that the weights lack would be made up at random.
            model_class: Any = AutoModel._model_mapping[type(config)]
            takes = inspect.signature(model_class).parameters
            options: dict[str, Any] = {"add_pooling_layer": False} if "add_pooling_layer" in takes else {}
            options |= {"config": config, "revision": revision, "use_safetensors": True, "trust_remote_code": False}
            model, report = AutoModel.from_pretrained(source, dtype=torch.float32, output_loading_info=True, **options)
        except InputError:
            raise
        except Exception as error:  # of many kinds: network, damaged files, settings that no model has
            said = (str(error) or type(error).__name__).splitlines()[0]
            raise InputError(
                f"encoder: found {name!r} ({said}), expected a Hugging Face hub id or a local "
                "folder with safetensors weights, bundled:multilingual-e5-small, bundled:all-MiniLM-L6-v2, or tiny"
            ) from error
        if report["missing_keys"]:
            missing = brief(sorted(report["missing_keys"]))
            raise InputError(f"encoder: found {name!r} without the weights {missing}, expected all")
        broken = [key for key, weight in model.state_dict().items() if not torch.isfinite(weight).all()]
        if broken:
            raise InputError(f"encoder: found {name!r} with NaN or infinity in {brief(broken)}, expected numbers")
        positions = _positions(model)
        if positions is not None and max_length > positions:
            raise InputError(
                f"encoder: found max_length {max_length}, expected at most {positions}, the model's positions"
            )
        return cls(
            model,
            tokenizer,
            prefixes={**settings.prefixes, **chosen},
            max_length=max_length,
            precision=precision,
            kept_ids=settings.kept_ids,
            source=settings.source,
            revision=settings.revision,
            pooling=settings.pooling,
        )

    @classmethod
    def load_whole(cls, name: str, *, revision: str | None = None, **options: Any) -> DualEncoder:
        """Load as :meth:`load` does, with all of the vocabulary: that of a trained encoder is trimmed to its texts."""
        encoder = cls.load(name, revision=revision, **options).restored()
        encoder.source, encoder.revision = lasting_name(name), revision
        return encoder

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return next(self.model.parameters()).device

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        return int(self.model.config.hidden_size)

    def tokenize(self, texts: Sequence[str], role: Role) -> list[list[int]]:
        """Return the token ids of each text with the role's prefix, special tokens included, cut to ``max_length``."""
        prefixed = [self.prefixes[role] + text for text in texts]
        if not prefixed:
            return []
        return self.tokenizer(prefixed, truncation=True, max_length=self.max_length)["input_ids"]

    def forward(self, rows: Sequence[Sequence[int]], chunk: int = 32) -> Tensor:
        """Embed token rows.

        Args:
            rows: token ids of ``n`` texts, from :meth:`tokenize`.
            chunk: texts a forward pass of the model; they are sorted by length first, so padding is short.

        Returns:
            float32 [n, dimension], unit vectors in the order of ``rows``, with gradient where that is on.
        """
        return self.embed(rows, row_chunks([len(row) for row in rows], chunk))

    def embed(self, rows: Sequence[Sequence[int]], chunks: Sequence[Sequence[int]]) -> Tensor:
        """Embed token rows as :meth:`forward`, in ``chunks`` (row numbers of each pass) of :mod:`.chunks`."""
        lengths = [[len(rows[i]) for i in chunk] for chunk in chunks]
        order = [i for chunk in chunks for i in chunk]
        # One look-up for all rows: its gradient is as large as the vocabulary, so it should be made once.
        flat = torch.tensor([token for i in order for token in rows[i]], device=self.device)
        words = self.model.get_input_embeddings()(flat).split([sum(part) for part in lengths])
        vectors = torch.cat([self.pool(part, sizes) for part, sizes in zip(words, lengths, strict=True)])
        back = torch.empty(len(rows), dtype=torch.long)
        back[order] = torch.arange(len(rows))
        return vectors[back.to(self.device)]

    def pool(self, words: Tensor, lengths: Sequence[int]) -> Tensor:
        """Run the model once, on word vectors of one chunk's rows, one after the other; return [rows, dimension]."""
        inputs, mask = pad(words, lengths, self.max_length)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.uses_bfloat16):
            hidden = self.model(inputs_embeds=inputs, attention_mask=mask.long()).last_hidden_state
        hidden = hidden.to(torch.promote_types(hidden.dtype, torch.float32))
        return nn.functional.normalize(POOLINGS[self.pooling](hidden, mask), dim=-1)

    @property
    def uses_bfloat16(self) -> bool:
        """Whether the model runs under bfloat16 autocast."""
        if self.precision == "auto":
            return has_bfloat16(self.device)
        return self.precision == "bfloat16"

    @torch.inference_mode()
    def encode_rows(self, rows: Sequence[Sequence[int]], *, batch_size: int = 64, progress: bool = False) -> np.ndarray:
        """Embed token rows without gradient and without dropout; float32 [n, dimension]."""
        was_training = self.training
        self.eval()
        order = sorted(range(len(rows)), key=lambda i: -len(rows[i]))
        vectors = np.empty((len(rows), self.dimension), dtype=np.float32)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.uses_bfloat16):  # casts the weights once
            for start in tqdm(range(0, len(rows), batch_size), desc="encode", unit="batch", disable=not progress):
                chosen = order[start : start + batch_size]
                vectors[chosen] = self([rows[i] for i in chosen], chunk=batch_size).cpu().numpy()
        self.train(was_training)
        return vectors

    def encode(
        self, texts: Sequence[str], role: Role = "query", *, batch_size: int = 64, progress: bool = True
    ) -> np.ndarray:
        """Embed texts, sorted by length inside, the longest first; float32 [n, dimension] in the given order."""
        return self.encode_rows(self.tokenize(texts, role), batch_size=batch_size, progress=progress)

    def trim(self, texts: Sequence[str]) -> None:
        """Drop the pieces of the vocabulary that ``texts`` and the prefixes do not use; their vectors stay the same."""
        used = [prefix + text for prefix in self.prefixes.values() for text in ("", *texts)]
        ids = vocabulary.used_ids(self.tokenizer, used)
        self.tokenizer, kept = vocabulary.trim_tokenizer(self.tokenizer, ids)
        vocabulary.trim_model(self.model, kept)
        self.kept_ids = kept if self.kept_ids is None else self.kept_ids[kept]

    def save(self, folder: str | Path) -> None:
        """Write a folder in the hub's form (safetensors), whole or not at all; sentence-transformers reads it too.

        Raises:
            InputError: if there is a folder with something in it; it stays as it is.
        """
        settings: dict[str, Any] = {}
        if self.kept_ids is not None:
            settings = {"source": self.source, "revision": self.revision, "kept_ids": self.kept_ids.tolist()}
        with new_folder(Path(folder)) as new:
            self.model.save_pretrained(new, safe_serialization=True)
            self.tokenizer.save_pretrained(new)
            write_form(new, self.prefixes, self.pooling, self.dimension, self.max_length)
            (new / SETTINGS).write_text(json.dumps(settings), encoding="utf-8")

    def restored(self) -> DualEncoder:
        """Return this encoder with the full vocabulary of its source: trained rows put back, others as they were."""
        if self.kept_ids is None:
            return self
        full = DualEncoder.load_whole(
            self.source, max_length=self.max_length, precision=self.precision, revision=self.revision
        )
        full.prefixes, full.pooling = self.prefixes, self.pooling
        full.model = vocabulary.restore_model(self.model, self.kept_ids, full.model)
        return full


def _positions(model: PreTrainedModel) -> int | None:
    """Return how many tokens a model has positions for; RoBERTa and its kin begin behind the position of padding."""
    positions = getattr(model.config, "max_position_embeddings", None)
    for name, module in model.named_modules():
        padding = getattr(module, "padding_idx", None) if name.endswith("position_embeddings") else None
        if positions is not None and padding is not None:
            return positions - padding - 1
    return positions


def has_bfloat16(device: torch.device) -> bool:
    """Whether the processor (AVX-512 BF16 or AMX) or GPU computes in bfloat16; without that, bfloat16 is slow."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
