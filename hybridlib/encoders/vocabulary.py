"""Vocabulary trimming: keep the pieces that some texts use and drop the rest of the word embeddings.

Texts whose pieces are kept are split exactly as before, and the model's outputs for them are the same. Most weights
of a small multilingual encoder are word embeddings, so training gets faster and needs less memory.
"""

import copy
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from tokenizers import Tokenizer, models
from torch import nn
from transformers import PreTrainedModel, PreTrainedTokenizerBase, PreTrainedTokenizerFast

from hybridlib.errors import InputError

__all__ = ["restore_model", "trim_model", "trim_tokenizer", "used_ids"]

_BATCH = 8192  # texts split at once


def used_ids(tokenizer: PreTrainedTokenizerBase, texts: Iterable[str]) -> npt.NDArray[np.int64]:
    """Return the ids of the pieces that ``texts`` use, ascending, without the special tokens put around a text.

    Texts are not cut to the tokenizer's maximum length. Prompts must be in the texts. For WordPiece the pieces that
    an unknown word begins with count as used, so that it stays unknown after trimming.

    Returns:
        Shape (used,), int64.

    Raises:
        InputError: the tokenizer is not a fast Unigram or WordPiece one.
    """
    model = _backend(tokenizer).model
    used: set[int] = set()
    for batch in _batches(texts):
        encoding = tokenizer(batch, add_special_tokens=False, truncation=False, padding=False, verbose=False)
        used.update(*encoding["input_ids"])
        if isinstance(model, models.WordPiece):
            used.update(_unknown_beginnings(_backend(tokenizer), encoding, batch))
    return np.array(sorted(used), np.int64)


def trim_tokenizer(
    tokenizer: PreTrainedTokenizerBase, keep_ids: Sequence[int] | npt.NDArray[np.int64]
) -> tuple[PreTrainedTokenizerFast, npt.NDArray[np.int64]]:
    """Return a tokenizer with a part of the vocabulary, and which part: new id i is old id ``kept_ids[i]``.

    Kept are ``keep_ids`` (see :func:`used_ids`), all special and added tokens, every piece of one character (also
    behind ``▁`` or the WordPiece continuation prefix), byte pieces where the model falls back to bytes, and Unigram's
    piece of the lowest score, on which its penalty for unknown text depends. The order stays. ``tokenizer`` is not
    changed.

    Returns:
        The new tokenizer, and ``kept_ids`` of shape (kept,), int64, ascending.

    Raises:
        InputError: the tokenizer is not a fast Unigram or WordPiece one, or an id is not one of its.
    """
    specification = json.loads(_backend(tokenizer).to_str())
    model = specification["model"]
    unigram = model["type"] == "Unigram"
    ids = {piece: i for i, (piece, _) in enumerate(model["vocab"])} if unigram else dict(model["vocab"])
    kept = {int(i) for i in keep_ids}
    kept.update(tokenizer.all_special_ids)
    _change_ids(specification, lambda i: (kept.add(i), i)[1])  # type: ignore[func-returns-value]
    if unigram:
        kept.add(min(range(len(model["vocab"])), key=lambda i: model["vocab"][i][1]))
    prefix = "▁" if unigram else model["continuing_subword_prefix"]
    kept.update(i for piece, i in ids.items() if len(piece) == 1 or len(piece.removeprefix(prefix)) == 1)
    if model.get("byte_fallback"):
        kept.update(ids[byte] for byte in (f"<0x{value:02X}>" for value in range(256)) if byte in ids)
    if model.get("unk_token") in ids:
        kept.add(ids[model["unk_token"]])
    known = {*ids.values(), *(token["id"] for token in specification["added_tokens"])}
    if not kept <= known:
        raise InputError(f"id {min(kept - known)} to keep; expected ids of the tokenizer's {len(known)} pieces")
    kept_ids = np.array(sorted(kept), np.int64)
    new_id = {old: new for new, old in enumerate(kept_ids.tolist())}
    if unigram:
        model["vocab"] = [entry for i, entry in enumerate(model["vocab"]) if i in new_id]
    else:
        model["vocab"] = {piece: new_id[i] for piece, i in ids.items() if i in new_id}
    _change_ids(specification, new_id.__getitem__)
    trimmed = PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer.from_str(json.dumps(specification)),
        model_max_length=tokenizer.model_max_length,
        model_input_names=list(tokenizer.model_input_names),
        padding_side=tokenizer.padding_side,
        truncation_side=tokenizer.truncation_side,
        clean_up_tokenization_spaces=tokenizer.clean_up_tokenization_spaces,
        extra_special_tokens=list(tokenizer.extra_special_tokens),
        **tokenizer.special_tokens_map,
    )
    return trimmed, kept_ids


def trim_model(model: PreTrainedModel, kept_ids: npt.NDArray[np.int64]) -> None:
    """Cut the input embeddings of ``model`` to the rows ``kept_ids``, in place, and renumber the ids in its config.

    Args:
        model: an encoder without an output layer over the vocabulary.
        kept_ids: shape (kept,), ascending, from :func:`trim_tokenizer`.

    Raises:
        InputError: the ids are not ascending rows of the embeddings, the model has an output layer over the
            vocabulary, or it numbers positions by a padding id that would change.
    """
    embedding = _embedding(model)
    _check_ids(kept_ids, embedding.num_embeddings)
    if model.get_output_embeddings() is not None:
        raise InputError(f"{type(model).__name__} has an output layer over the vocabulary; expected a bare encoder")
    new_id = {old: new for new, old in enumerate(kept_ids.tolist())}
    padding = embedding.padding_idx
    counts = any(hasattr(module, "padding_idx") and not isinstance(module, nn.Embedding) for module in model.modules())
    if counts and padding is not None and new_id.get(padding) != padding:
        raise InputError(f"padding id {padding} would become {new_id.get(padding)}; expected all ids up to it kept")
    _replace_rows(embedding, embedding.weight.detach()[torch.from_numpy(kept_ids).to(embedding.weight.device)])
    embedding.padding_idx = None if padding is None else new_id.get(padding)
    for name, value in _token_ids(model).items():
        new = [new_id[i] for i in value if i in new_id] if isinstance(value, list) else new_id.get(value)
        setattr(model.config, name, new)
    model.config.vocab_size = len(kept_ids)


def restore_model(
    model: PreTrainedModel, kept_ids: npt.NDArray[np.int64], full_model: PreTrainedModel
) -> PreTrainedModel:
    """Return a copy of the trimmed ``model`` with the full vocabulary.

    Rows ``kept_ids`` of its input embeddings are those of ``model``, the others those of ``full_model``; all other
    weights are those of ``model``. Neither argument is changed.

    Args:
        model: as left by :func:`trim_model`, usually trained since.
        kept_ids: shape (kept,), as given to :func:`trim_model`.
        full_model: the model before trimming.

    Raises:
        InputError: the shapes of the two embeddings and ``kept_ids`` do not fit.
    """
    part, full = _embedding(model), _embedding(full_model)
    _check_ids(kept_ids, full.num_embeddings)
    expected = (len(kept_ids), full.embedding_dim)
    if tuple(part.weight.shape) != expected:
        raise InputError(f"trimmed embeddings of shape {tuple(part.weight.shape)}; expected {expected}")
    restored = copy.deepcopy(model)
    embedding = _embedding(restored)
    rows = full.weight.detach().to(device=part.weight.device, dtype=part.weight.dtype, copy=True)
    rows[torch.from_numpy(kept_ids).to(rows.device)] = part.weight.detach()
    _replace_rows(embedding, rows)
    embedding.padding_idx = full.padding_idx
    for name in _token_ids(full_model).keys() | _token_ids(restored).keys():
        setattr(restored.config, name, getattr(full_model.config, name, None))
    restored.config.vocab_size = full_model.config.vocab_size
    return restored


def _backend(tokenizer: PreTrainedTokenizerBase) -> Tokenizer:
    """Return the ``tokenizers`` object of a tokenizer that can be trimmed."""
    backend = getattr(tokenizer, "backend_tokenizer", None)
    found = type(tokenizer).__name__ if backend is None else type(backend.model).__name__
    if not isinstance(backend, Tokenizer) or not isinstance(backend.model, models.Unigram | models.WordPiece):
        raise InputError(f"{found} tokenizer; expected a fast Unigram or WordPiece one: switch vocabulary trimming off")
    return backend


def _batches(texts: Iterable[str]) -> Iterator[list[str]]:
    source = iter(texts)
    while batch := list(islice(source, _BATCH)):
        yield batch


def _unknown_beginnings(backend: Tokenizer, encoding: Any, batch: list[str]) -> Iterator[int]:
    """Yield the ids of the pieces that WordPiece finds in each unknown word before it gives the word up."""
    model = backend.model
    unknown, vocabulary = backend.token_to_id(model.unk_token), backend.get_vocab(with_added_tokens=False)
    for text, encoded in zip(batch, encoding.encodings, strict=True):
        for start, end in (offsets for i, offsets in zip(encoded.ids, encoded.offsets, strict=True) if i == unknown):
            word = text[start:end]
            word = word if backend.normalizer is None else backend.normalizer.normalize_str(word)
            if len(word) <= model.max_input_chars_per_word:
                yield from _greedy_pieces(word, vocabulary, model.continuing_subword_prefix)


def _greedy_pieces(word: str, vocabulary: dict[str, int], prefix: str) -> Iterator[int]:
    start = 0
    while start < len(word):
        candidates = ((end, (prefix if start else "") + word[start:end]) for end in range(len(word), start, -1))
        found = next(((end, piece) for end, piece in candidates if piece in vocabulary), None)
        if found is None:
            return
        start = found[0]
        yield vocabulary[found[1]]


def _change_ids(specification: dict[str, Any], change: Callable[[int], int]) -> None:
    """Put ``change(id)`` for each id outside the vocabulary of a tokenizer.json, in place."""
    holders = [(token, "id") for token in specification["added_tokens"]]
    holders += [(specification.get("padding") or {}, "pad_id"), (specification["model"], "unk_id")]
    for holder, key in holders:
        if holder.get(key) is not None:
            holder[key] = change(holder[key])
    _change_post_processor(specification.get("post_processor"), change)


def _change_post_processor(processor: dict[str, Any] | None, change: Callable[[int], int]) -> None:
    if processor is None:
        return
    kind = processor["type"]
    if kind == "Sequence":
        for part in processor["processors"]:
            _change_post_processor(part, change)
    elif kind == "TemplateProcessing":
        for token in processor["special_tokens"].values():
            token["ids"] = [change(i) for i in token["ids"]]
    elif kind in ("BertProcessing", "RobertaProcessing"):
        for name in ("sep", "cls"):
            processor[name][1] = change(processor[name][1])
    elif kind != "ByteLevel":  # which has no ids
        raise InputError(f"post-processor {kind}; expected TemplateProcessing: switch vocabulary trimming off")


def _embedding(model: PreTrainedModel) -> nn.Embedding:
    embedding = model.get_input_embeddings()
    if not isinstance(embedding, nn.Embedding):
        raise InputError(f"input embeddings of type {type(embedding).__name__}; expected torch.nn.Embedding")
    return embedding


def _replace_rows(embedding: nn.Embedding, rows: torch.Tensor) -> None:
    embedding.weight = nn.Parameter(rows, requires_grad=embedding.weight.requires_grad)
    embedding.num_embeddings = len(rows)


def _token_ids(model: PreTrainedModel) -> dict[str, int | list[int]]:
    """Return the ids of special tokens that the model's config names."""
    named = {name: value for name, value in model.config.to_dict().items() if name.endswith("_token_id")}
    return {name: value for name, value in named.items() if value is not None}


def _check_ids(kept_ids: npt.NDArray[np.int64], rows: int) -> None:
    if not len(kept_ids) or (np.diff(kept_ids) <= 0).any() or kept_ids[0] < 0 or kept_ids[-1] >= rows:
        raise InputError(f"{len(kept_ids)} ids to keep, not ascending or outside the {rows} rows of the embeddings")
