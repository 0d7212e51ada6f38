"""Fully connected coders: the scale of images, and gated units."""

import torch

from genlab.core.spec import Spec
from genlab.models.autoencoders.dense_coder import Decoder, Encoder


def test_silent_black_pixels_have_no_effect():
    """Of a black image the first layer gives its bias; of a white one the sum of its weights as well."""
    encoder = Encoder(Spec(1, 4, 4, images=9), 3, widths=(), silent_black=True)
    (linear,) = encoder.layers
    black, white = encoder(torch.tensor([-1.0, 1.0]).view(2, 1, 1, 1).expand(2, 1, 4, 4))
    torch.testing.assert_close(black, linear.bias)
    torch.testing.assert_close(white, linear.bias + linear.weight.sum(1))


def test_gated_units_pass_what_their_gates_let_through():
    """Also the size of such a decoder: 400 units, each with a gate, between 40 latents and 784 pixels."""
    decoder = Decoder(Spec(1, 28, 28, images=9), 40, widths=[400], gated=True)
    assert sum(p.numel() for p in decoder.parameters()) == 41 * 800 + 401 * 784
    z = torch.randn(3, 40)
    first, _, last = decoder.layers
    values, gates = first(z).split(400, 1)
    torch.testing.assert_close(decoder(z).flatten(1), last(values * torch.sigmoid(gates)))
