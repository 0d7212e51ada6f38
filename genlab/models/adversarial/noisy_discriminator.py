"""The noisy, weight-normalised classifier of Salimans et al. 2016, for semi-supervised learning on MNIST."""

from collections.abc import Sequence
from itertools import pairwise
from math import prod, sqrt

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize
from torch.nn.utils.parametrize import register_parametrization

from genlab.core.spec import Spec
from genlab.core.types import Count, NonNegative
from genlab.models.adversarial import discriminator as base
from genlab.models.layers.minibatch import MinibatchName


class Discriminator(base.Discriminator):
    """(images [N, C, H, W] or points [N, D]) -> logits. Features are the last hidden layer's, before its noise.

    Weight vectors have a fixed length, so that no unit can outgrow the noise. The authors' code sets each length so
    that the first images give activations of variance one; here all have the length of He et al. 2015.
    """

    def __init__(
        self,
        spec: Spec,
        *,
        widths: Sequence[Count] = (1000, 500, 250, 250, 250),
        input_noise: NonNegative = 0.6,  # deviation on pixels in [-1, 1]: 0.3 in the authors' [0, 1]
        noise: NonNegative = 0.5,  # deviation on every hidden layer
        minibatch: MinibatchName = "none",
        outputs: Count = 1,
    ) -> None:
        super().__init__(spec.unconditional, widths[-1], minibatch=minibatch, outputs=outputs)
        self.layers = nn.Sequential(GaussianNoise(input_noise))
        for inputs, width in pairwise([prod(spec.shape), *widths]):
            self.layers.extend([fixed_length_linear(inputs, width), nn.ReLU(), GaussianNoise(noise)])
        self.last_noise = self.layers.pop(-1)

    def features(self, images: Tensor, condition: Tensor | None = None) -> Tensor:
        return self.layers(images.flatten(1))

    def head(self, features: Tensor, condition: Tensor | None = None) -> Tensor:
        return super().head(self.last_noise(features))


class GaussianNoise(nn.Module):
    """Add Gaussian noise in training; the identity in evaluation."""

    def __init__(self, deviation: float) -> None:
        super().__init__()
        self.deviation = deviation

    def forward(self, values: Tensor) -> Tensor:
        return values + self.deviation * torch.randn_like(values) if self.training and self.deviation else values


class FixedLength(nn.Module):
    """Parametrisation by weight vectors of one length: Salimans and Kingma 2016, equation 2, with g constant."""

    def __init__(self, length: float) -> None:
        super().__init__()
        self.length = length

    def forward(self, weight: Tensor) -> Tensor:
        return self.length * normalize(weight, dim=1)


def fixed_length_linear(inputs: int, outputs: int) -> nn.Linear:
    """Return a layer with weight vectors of length sqrt(2): He et al. 2015, eq. 10, keeps the scale through ReLUs."""
    layer = nn.Linear(inputs, outputs)
    nn.init.normal_(layer.weight, std=0.1)
    nn.init.zeros_(layer.bias)
    return register_parametrization(layer, "weight", FixedLength(sqrt(2)))
