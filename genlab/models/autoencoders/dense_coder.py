"""Fully connected encoder and decoder; without hidden layers they are linear."""

from collections.abc import Sequence
from itertools import pairwise
from math import prod

from torch import Tensor, nn

from genlab.core.spec import Spec
from genlab.core.types import Count
from genlab.models.layers.concatenation import Concatenation


class Encoder(nn.Module):
    """(images [N, C, H, W] or points [N, D], condition=None) -> numbers [N, outputs]."""

    def __init__(
        self,
        spec: Spec,
        outputs: Count,
        *,
        widths: Sequence[Count] = (400, 200),  # of the hidden layers; none: linear
        gated: bool = False,  # gated hidden units in place of ReLUs
        silent_black: bool = False,  # scale images to [0, 1], so that black pixels move no weights
    ) -> None:
        super().__init__()
        self.silent_black = silent_black
        self.condition = Concatenation(spec)
        self.layers = dense_layers([prod(spec.shape) + self.condition.extra, *widths, outputs], gated)

    def forward(self, images: Tensor, condition: Tensor | None = None) -> Tensor:
        images = (images + 1) / 2 if self.silent_black else images
        return self.layers(self.condition(images.flatten(1), condition))


class Decoder(nn.Module):
    """(z [N, latent], condition=None) -> [N, C, H, W] or points [N, D], unbounded; the loss interprets them."""

    def __init__(
        self, spec: Spec, latent_size: Count, *, widths: Sequence[Count] = (200, 400), gated: bool = False
    ) -> None:
        super().__init__()
        self.shape = spec.shape
        self.condition = Concatenation(spec)
        self.layers = dense_layers([latent_size + self.condition.extra, *widths, prod(self.shape)], gated)

    def forward(self, z: Tensor, condition: Tensor | None = None) -> Tensor:
        return self.layers(self.condition(z, condition)).unflatten(1, self.shape)


def dense_layers(sizes: Sequence[int], gated: bool) -> nn.Sequential:
    """Return linear layers with ReLUs or gates between them."""
    hidden = [module for pair in pairwise(sizes[:-1]) for module in hidden_layer(*pair, gated)]
    return nn.Sequential(*hidden, nn.Linear(*sizes[-2:]))


def hidden_layer(inputs: int, outputs: int, gated: bool) -> list[nn.Module]:
    """Return a hidden layer; a gated one multiplies by a sigmoid of other features: Dauphin et al. 2017, eq. 1."""
    return [nn.Linear(inputs, 2 * outputs), nn.GLU(1)] if gated else [nn.Linear(inputs, outputs), nn.ReLU()]
