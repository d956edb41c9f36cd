"""One vector of many, with padding behind the shorter rows."""

import pytest
import torch

from hybridlib.encoders.pooling import POOLINGS

HIDDEN = torch.tensor([[[1.0, 2.0], [3.0, 6.0], [100.0, 100.0]], [[5.0, 0.0], [1.0, 1.0], [0.0, 2.0]]])
MASK = torch.tensor([[True, True, False], [True, True, True]])


@pytest.mark.parametrize(("pooling", "expected"), [("mean", [[2, 4], [2, 1]]), ("cls", [[1, 2], [5, 0]])])
def test_padding_is_left_out(pooling, expected):
    assert POOLINGS[pooling](HIDDEN, MASK).tolist() == expected
