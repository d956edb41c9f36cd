"""A tiny encoder with random weights, for tests and for the ``smoke`` study: no download, milliseconds a step."""

from __future__ import annotations

import string

import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

_SPECIAL = ("<s>", "<pad>", "</s>", "<unk>")


def tiny_tokenizer() -> PreTrainedTokenizerFast:
    """Return a Unigram tokenizer of single ASCII characters; every other character falls back to its UTF-8 bytes."""
    characters = ["▁", *string.ascii_letters, *string.digits, *string.punctuation]
    pieces = [(piece, 0.0) for piece in _SPECIAL]
    pieces += [(character, -5.0) for character in characters]
    pieces += [(f"<0x{byte:02X}>", -10.0) for byte in range(256)]
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=3, byte_fallback=True))
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.post_processor = processors.TemplateProcessing("<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)])
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token="<s>", pad_token="<pad>", eos_token="</s>", unk_token="<unk>"
    )


def tiny_encoder(seed: int = 0) -> tuple[BertModel, PreTrainedTokenizerFast]:
    """Return a two-layer BERT of 32 dimensions with random weights, and its tokenizer."""
    tokenizer = tiny_tokenizer()
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=256,
        pad_token_id=tokenizer.pad_token_id,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = BertModel(config, add_pooling_layer=False)
    return model, tokenizer
