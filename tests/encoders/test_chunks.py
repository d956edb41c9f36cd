from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from hybridlib.encoders.chunks import pad, row_chunks, token_chunks
from hybridlib.errors import InputError

LENGTHS = st.lists(st.integers(1, 70), max_size=40)


def rounded(length: int) -> int:
    return next(width for width in range(8, 100, 8) if width >= length)


@given(LENGTHS, st.integers(1, 50))
def test_row_chunks_are_full_but_the_last_and_sorted_by_length(lengths, rows):
    chunks = row_chunks(lengths, rows)
    assert [i for chunk in chunks for i in chunk] == sorted(range(len(lengths)), key=lambda i: (lengths[i], i))
    assert {len(chunk) for chunk in chunks[:-1]} <= {rows}
    assert all(1 <= len(chunk) <= rows for chunk in chunks)


@given(LENGTHS, st.integers(1, 500))
def test_token_chunks_fit_and_none_could_take_the_next_row(lengths, tokens):
    chunks = token_chunks(lengths, tokens)
    assert [i for chunk in chunks for i in chunk] == sorted(range(len(lengths)), key=lambda i: (lengths[i], i))
    for chunk in chunks:
        assert len(chunk) == 1 or len(chunk) * rounded(lengths[chunk[-1]]) <= tokens
    for chunk, following in pairwise(chunks):
        assert (len(chunk) + 1) * rounded(lengths[following[0]]) > tokens


@pytest.mark.parametrize("divide", [row_chunks, token_chunks])
@pytest.mark.parametrize("size", [0, -3])
def test_chunks_of_nothing_are_refused(divide, size):
    with pytest.raises(InputError, match=rf"chunk: found {size} (rows|tokens), expected at least 1"):
        divide([3, 4], size)


@given(st.lists(st.integers(1, 20), min_size=1, max_size=8), st.integers(1, 30))
def test_padded_rows_are_those_given_and_zeros(lengths, max_length):
    words = torch.arange(1.0, 1 + 3 * sum(lengths)).reshape(-1, 3)
    block, mask = pad(words, lengths, max_length)
    assert mask.sum(1).tolist() == lengths
    for row, part, kept in zip(block, words.split(lengths), mask, strict=True):
        assert torch.equal(row[: len(part)], part)
        assert not row[len(part) :].any()
        assert kept[: len(part)].all()
    longest = max(lengths)
    assert block.shape[1] == (rounded(longest) if rounded(longest) <= max_length else max(longest, max_length))
