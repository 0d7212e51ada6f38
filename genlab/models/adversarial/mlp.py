"""Fully connected generator and discriminator: the GAN of Goodfellow et al. 2014, with today's activations."""

from collections.abc import Sequence
from itertools import pairwise
from math import prod

from torch import Tensor, nn

from genlab.core.spec import Spec
from genlab.core.types import Count, NonNegative, ProperShare
from genlab.models.adversarial import discriminator as base
from genlab.models.layers.concatenation import Concatenation
from genlab.models.layers.minibatch import MinibatchName
from genlab.models.layers.norm import VectorNormName, norm1d


class Generator(nn.Module):
    """(z [N, latent], condition=None) -> images [N, C, H, W] in [-1, 1], or points [N, D].

    An embedded condition is appended to z.
    """

    def __init__(
        self,
        spec: Spec,
        latent_size: Count,
        *,
        widths: Sequence[Count] = (128, 256, 512),
        norm: VectorNormName = "none",  # after every hidden layer but the first
        slope: NonNegative = 0.2,  # of LeakyReLU below zero
    ) -> None:
        super().__init__()
        self.shape = spec.shape
        self.condition = Concatenation(spec)
        sizes = [latent_size + self.condition.extra, *widths]
        hidden = hidden_layers(sizes, norm, slope)
        self.layers = nn.Sequential(*hidden, nn.Linear(sizes[-1], prod(self.shape)), nn.Tanh())

    def forward(self, z: Tensor, condition: Tensor | None = None) -> Tensor:
        return self.layers(self.condition(z, condition)).unflatten(1, self.shape)


class Discriminator(base.Discriminator):
    """(images [N, C, H, W] or points [N, D], condition=None) -> logits [N]. Features are the last hidden layer's."""

    def __init__(
        self,
        spec: Spec,
        *,
        widths: Sequence[Count] = (512, 256, 128),
        norm: VectorNormName = "none",
        slope: NonNegative = 0.2,
        dropout: ProperShare = 0.0,  # of every hidden layer's values, while training
        minibatch: MinibatchName = "none",
        outputs: Count = 1,
        condition: base.ConditionName = "projection",
    ) -> None:
        shared = {"minibatch": minibatch, "outputs": outputs, "projection": condition == "projection"}
        super().__init__(spec, widths[-1], **shared)
        self.condition = Concatenation(spec if condition == "concatenation" else spec.unconditional)
        sizes = [prod(spec.shape) + self.condition.extra, *widths]
        self.layers = nn.Sequential(*hidden_layers(sizes, norm, slope, dropout))

    def features(self, images: Tensor, condition: Tensor | None = None) -> Tensor:
        return self.layers(self.condition(images.flatten(1), condition))


def hidden_layers(sizes: Sequence[int], norm: VectorNormName, slope: float, dropout: float = 0.0) -> list[nn.Module]:
    layers = []
    for index, (inputs, outputs) in enumerate(pairwise(sizes)):
        layers += [nn.Linear(inputs, outputs), *norm1d("none" if index == 0 else norm, outputs), nn.LeakyReLU(slope)]
        layers += [nn.Dropout(dropout)] if dropout else []
    return layers
