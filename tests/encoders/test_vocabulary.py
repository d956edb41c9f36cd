import copy
import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from transformers import (
    AutoTokenizer,
    BertConfig,
    BertForMaskedLM,
    BertModel,
    PreTrainedModel,
    PreTrainedTokenizerFast,
    XLMRobertaConfig,
    XLMRobertaModel,
)

from hybridlib.encoders.vocabulary import restore_model, trim_model, trim_tokenizer, used_ids
from hybridlib.errors import InputError

SYLLABLES = ["".join(pair) for pair in (a + b for a in "bdfgklmn" for b in "aeiou")]
WORDS = [a + b for a in SYLLABLES for b in SYLLABLES[::3]]


def unigram(byte_fallback: bool = False) -> PreTrainedTokenizerFast:
    """Return a Unigram tokenizer with ``<mask>`` last in the vocabulary and an added token behind it."""
    rng = random.Random(0)
    pieces = ["▁", *"abdefgiklmnou", *SYLLABLES, *("▁" + word for word in WORDS[::2]), "▁a"]
    scored = [(piece, 0.0) for piece in ("<s>", "<pad>", "</s>", "<unk>")]
    scored += [(piece, -10.0 + len(piece) + rng.random()) for piece in pieces]
    scored += [("zebra", -40.0)]
    scored += [(f"<0x{byte:02X}>", -12.0) for byte in range(256)] if byte_fallback else []
    scored += [("<mask>", 0.0)]
    tokenizer = Tokenizer(models.Unigram(scored, 3, byte_fallback))
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer, tokenizer.decoder = pre_tokenizers.Metaspace(), decoders.Metaspace()
    tokenizer.post_processor = processors.TemplateProcessing("<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)])
    tokenizer.add_special_tokens([AddedToken("<mask>", lstrip=True)])
    special = {"bos_token": "<s>", "pad_token": "<pad>", "eos_token": "</s>", "unk_token": "<unk>"}
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, mask_token="<mask>", model_max_length=64, **special)
    fast.add_special_tokens({"extra_special_tokens": ["<query>"]})
    return fast


def wordpiece() -> PreTrainedTokenizerFast:
    """Return a WordPiece tokenizer whose special tokens are not the first; it has no "##x" and no "x"."""
    letters = "abdefgiklmnou"
    pieces = [*letters, *("##" + letter for letter in letters), *SYLLABLES, *("##" + s for s in SYLLABLES), *WORDS[::2]]
    vocabulary = ["[PAD]", "[unused]", *pieces[:40], "[UNK]", "[CLS]", "[SEP]", "[MASK]", *pieces[40:]]
    ids = {piece: i for i, piece in enumerate(vocabulary)}
    tokenizer = Tokenizer(models.WordPiece(ids, unk_token="[UNK]", max_input_chars_per_word=20))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", ids["[SEP]"]), ("[CLS]", ids["[CLS]"]))
    tokenizer.enable_padding(pad_id=0, pad_token="[PAD]", length=8)
    special = {"cls_token": "[CLS]", "sep_token": "[SEP]", "unk_token": "[UNK]", "mask_token": "[MASK]"}
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="[PAD]", model_max_length=64, **special)


TOKENIZERS = {"unigram": unigram, "bytes": lambda: unigram(byte_fallback=True), "wordpiece": wordpiece}


def some_texts(seed: int, size: int = 60) -> list[str]:
    rng = random.Random(seed)
    words = [
        *WORDS[:30],
        "Bada",
        "bax",
        "badadax",
        "dédé",
        "ば",
        "x" * 30,
        "ﬁ",
        "<mask>",
        "[MASK]",
        "<query>",
        ",",
        "a",
    ]
    return ["", *(" ".join(rng.choices(words, k=rng.randint(1, 9))) for _ in range(size))]


def bert(size: int, pad: int, dtype: torch.dtype = torch.float32) -> BertModel:
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=size,
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        pad_token_id=pad,
        bos_token_id=0,
        eos_token_id=2,
    )
    model = BertModel(config, add_pooling_layer=False).to(dtype)
    model.eval()
    return model


def outputs(model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, texts: list[str]) -> torch.Tensor:
    with torch.inference_mode():
        result: torch.Tensor = model(**tokenizer(texts, padding=True, return_tensors="pt")).last_hidden_state
    return result


@pytest.mark.parametrize("name", TOKENIZERS)
@pytest.mark.parametrize("seed", range(5))
def test_texts_are_split_exactly_as_before(name: str, seed: int) -> None:
    tokenizer, texts = TOKENIZERS[name](), some_texts(seed)
    before = json.loads(tokenizer.backend_tokenizer.to_str())["model"]
    trimmed, kept = trim_tokenizer(tokenizer, used_ids(tokenizer, iter(texts)))
    assert len(trimmed) == len(kept) < len(tokenizer)
    for old, new in zip(tokenizer(texts)["input_ids"], trimmed(texts)["input_ids"], strict=True):
        assert kept[new].tolist() == old
    assert trimmed.convert_ids_to_tokens(list(range(len(kept)))) == tokenizer.convert_ids_to_tokens(kept.tolist())
    assert json.loads(tokenizer.backend_tokenizer.to_str())["model"] == before


@pytest.mark.parametrize("name", TOKENIZERS)
def test_special_and_one_character_pieces_are_kept(name: str) -> None:
    tokenizer = TOKENIZERS[name]()
    trimmed, kept = trim_tokenizer(tokenizer, [])
    assert kept.dtype == np.int64
    assert (np.diff(kept) > 0).all()
    pieces = set(tokenizer.convert_ids_to_tokens(kept.tolist()))
    expected = (
        {"a", "##a", "[MASK]", "[UNK]"} if name == "wordpiece" else {"a", "▁", "▁a", "<mask>", "<query>", "zebra"}
    )
    assert expected <= pieces
    assert ("<0xFF>" in pieces) == (name == "bytes")
    assert "ba" not in pieces
    assert trimmed.special_tokens_map == tokenizer.special_tokens_map
    assert trimmed.all_special_tokens == tokenizer.all_special_tokens
    assert kept[trimmed.all_special_ids].tolist() == tokenizer.all_special_ids
    assert trimmed.model_max_length == tokenizer.model_max_length


@pytest.mark.parametrize("name", ["unigram", "bytes"])
def test_other_texts_lose_no_known_character(name: str) -> None:
    tokenizer = TOKENIZERS[name]()
    trimmed, _ = trim_tokenizer(tokenizer, used_ids(tokenizer, WORDS[:20]))
    for text in some_texts(9):
        old, new = (t(text)["input_ids"] for t in (tokenizer, trimmed))
        assert old.count(tokenizer.unk_token_id) == new.count(trimmed.unk_token_id)
        assert tokenizer.decode(old) == trimmed.decode(new)


def test_a_word_that_is_unknown_stays_unknown() -> None:
    vocabulary = {"[UNK]": 0, "a": 1, "b": 2, "##b": 3, "ab": 4, "##bc": 5}
    backend = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    backend.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=backend, unk_token="[UNK]")
    # "abc": the longest beginning is "ab", and "##c" is not there; without "ab" it would be "a" and "##bc"
    assert tokenizer("abc")["input_ids"] == [0]
    trimmed, kept = trim_tokenizer(tokenizer, [*used_ids(tokenizer, ["abc"]).tolist(), 5])
    assert trimmed("abc")["input_ids"] == [0]
    assert 4 in kept


@pytest.mark.parametrize("name", TOKENIZERS)
def test_a_trimmed_tokenizer_is_saved_loaded_and_trimmed_again(name: str, tmp_path: Path) -> None:
    tokenizer, texts = TOKENIZERS[name](), some_texts(3)
    trimmed, kept = trim_tokenizer(tokenizer, used_ids(tokenizer, texts))
    trimmed.save_pretrained(tmp_path)
    bert(len(kept), 0).config.save_pretrained(tmp_path)
    loaded = AutoTokenizer.from_pretrained(tmp_path)
    assert loaded(texts)["input_ids"] == trimmed(texts)["input_ids"]
    assert loaded.model_input_names == tokenizer.model_input_names
    again, kept_again = trim_tokenizer(loaded, used_ids(loaded, texts[:10]))
    for old, new in zip(tokenizer(texts[:10])["input_ids"], again(texts[:10])["input_ids"], strict=True):
        assert kept[kept_again][new].tolist() == old


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("name", TOKENIZERS)
def test_outputs_are_equal_and_the_model_is_restored(name: str, dtype: torch.dtype) -> None:
    tokenizer, texts = TOKENIZERS[name](), some_texts(4, 8)
    full = bert(len(tokenizer) + 5, tokenizer.pad_token_id, dtype)  # as in multilingual-e5-small: rows without a piece
    model = copy.deepcopy(full)
    trimmed, kept = trim_tokenizer(tokenizer, used_ids(tokenizer, texts))
    trim_model(model, kept)
    embedding = model.get_input_embeddings()
    assert embedding.weight.shape == (len(kept), 16)
    assert (embedding.weight.dtype, embedding.num_embeddings, embedding.weight.requires_grad) == (
        dtype,
        len(kept),
        True,
    )
    assert model.config.vocab_size == len(kept)
    assert embedding.padding_idx == model.config.pad_token_id == trimmed.pad_token_id
    assert torch.equal(outputs(model, trimmed, texts), outputs(full, tokenizer, texts))

    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(1)
    restored = restore_model(model, kept, full)
    assert torch.equal(outputs(restored, tokenizer, texts), outputs(model, trimmed, texts))
    rows, old_rows = restored.get_input_embeddings().weight, full.get_input_embeddings().weight
    others = np.setdiff1d(np.arange(len(old_rows)), kept)
    assert torch.equal(rows[others], old_rows[others])
    assert torch.equal(rows[kept], embedding.weight)
    assert restored.config.to_dict() == full.config.to_dict()
    assert restored.get_input_embeddings().padding_idx == full.get_input_embeddings().padding_idx
    assert len(embedding.weight) == len(kept)


def test_config_ids_are_renumbered_and_dropped_with_their_piece() -> None:
    model = bert(10, 4)
    model.config.eos_token_id = [5, 7]
    trim_model(model, np.array([1, 4, 7, 9]))
    assert (model.config.pad_token_id, model.config.bos_token_id, model.config.eos_token_id) == (1, None, [2])
    assert model.get_input_embeddings().padding_idx == 1


def test_gradients_reach_the_kept_rows_only_where_used() -> None:
    model = bert(10, 0)
    trim_model(model, np.array([0, 3, 4, 8]))
    model(torch.tensor([[1, 3]])).last_hidden_state.square().sum().backward()
    gradient = model.get_input_embeddings().weight.grad
    assert gradient.abs().sum(1).bool().tolist() == [False, True, False, True]


def test_a_padding_id_that_numbers_positions_may_not_change() -> None:
    def xlmr() -> XLMRobertaModel:
        sizes: dict[str, Any] = {
            "hidden_size": 8,
            "num_hidden_layers": 1,
            "num_attention_heads": 1,
            "intermediate_size": 8,
        }
        return XLMRobertaModel(XLMRobertaConfig(vocab_size=10, pad_token_id=1, **sizes))

    model = xlmr()
    trim_model(model, np.array([0, 1, 5]))
    assert model.config.pad_token_id == 1
    with pytest.raises(InputError, match="padding id 1 would become 0"):
        trim_model(xlmr(), np.array([1, 5]))


def test_a_bpe_tokenizer_is_refused() -> None:
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=Tokenizer(models.BPE({"a": 0}, [])))
    for call in (used_ids, trim_tokenizer):
        with pytest.raises(InputError, match=r"BPE tokenizer; expected .* switch vocabulary trimming off"):
            call(tokenizer, [])


def test_an_unknown_id_is_refused() -> None:
    with pytest.raises(InputError, match="id 99999 to keep; expected ids of the tokenizer's"):
        trim_tokenizer(unigram(), [5, 99999])


@pytest.mark.parametrize("kept", [[], [3, 2], [2, 2], [-1, 2], [2, 10]])
def test_wrong_rows_are_refused(kept: list[int]) -> None:
    with pytest.raises(InputError, match="not ascending or outside the 10 rows"):
        trim_model(bert(10, 0), np.array(kept, np.int64))


def test_models_that_do_not_fit_are_refused() -> None:
    with pytest.raises(InputError, match="BertForMaskedLM has an output layer"):
        trim_model(BertForMaskedLM(bert(10, 0).config), np.array([0, 2]))
    with pytest.raises(InputError, match=r"shape \(10, 16\); expected \(2, 16\)"):
        restore_model(bert(10, 0), np.array([0, 2]), bert(10, 0))
