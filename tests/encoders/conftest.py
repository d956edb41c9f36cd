import random

import pytest
import torch
from small_encoders import SIZES
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

from hybridlib.encoders.encoder import DualEncoder

WORDS = ["cat", "dog", "bird", "sleeps", "runs", "sings", "the", "a", "park", "house", "rain", "query:", "passage:"]


@pytest.fixture
def tiny():
    encoder = DualEncoder.load("tiny")
    encoder.eval()
    return encoder


@pytest.fixture
def wordy_folder(tmp_path):
    """Write an encoder whose vocabulary has words, in the hub's form and not by DualEncoder; return its folder."""
    rng = random.Random(0)
    pieces = [(piece, 0.0) for piece in ("<s>", "<pad>", "</s>", "<unk>")]
    pieces += [(piece, -9.0) for piece in ["▁", *"abcdefghijklmnopqrstuvwxyz:"]]
    pieces += [("▁" + word, -3.0 - rng.random()) for word in WORDS]
    backend = Tokenizer(models.Unigram(pieces, unk_id=3))
    backend.normalizer, backend.pre_tokenizer = normalizers.NFKC(), pre_tokenizers.Metaspace()
    backend.post_processor = processors.TemplateProcessing("<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)])
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=backend, bos_token="<s>", pad_token="<pad>", eos_token="</s>", unk_token="<unk>"
    )
    torch.manual_seed(0)
    model = BertModel(BertConfig(vocab_size=len(pieces), pad_token_id=1, **SIZES))
    folder = tmp_path / "wordy"
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
