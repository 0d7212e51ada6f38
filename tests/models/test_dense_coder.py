"""Fully connected coders: what their first layer is shown."""

import torch

from genlab.models.dense_coder import Encoder
from genlab.spec import Spec


def test_black_pixels_say_nothing_where_they_are_silent():
    """Of a black image the first layer gives its bias; of a white one the sum of its weights as well."""
    encoder = Encoder(Spec(1, 4, 4, images=9), 3, widths=(), silent_black=True)
    (linear,) = encoder.layers
    black, white = encoder(torch.tensor([-1.0, 1.0]).view(2, 1, 1, 1).expand(2, 1, 4, 4))
    torch.testing.assert_close(black, linear.bias)
    torch.testing.assert_close(white, linear.bias + linear.weight.sum(1))
