"""A turn of small networks in double precision, for closed forms and finite differences."""

import pytest
import torch
from torch import nn

from genlab.core.random import Draws
from genlab.losses import Turn

N, SHAPE = 5, (2, 3, 3)


def images(seed, shape=SHAPE):
    return torch.randn(N, *shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


class Judge(nn.Module):
    """A discriminator of functions: features of images, logits of features."""

    def __init__(self, features=lambda images: images.flatten(1), head=lambda features: features.sum(1)):
        super().__init__()
        self.make, self.head_of = features, head

    def features(self, images, condition=None):
        return self.make(images)

    def head(self, features, condition=None):
        return self.head_of(features)

    def forward(self, images, condition=None):
        return self.head(self.features(images))


class Maker(nn.Module):
    """A generator that is a function of the latents."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, z, condition=None):
        return self.function(z)


@pytest.fixture
def make_turn():
    """Real images `images(1)`, latents `images(2, (4,))` unless given, generated images `images(2)`."""

    def make(player="discriminator", *, network=None, generator=None, key=("test", 0), shape=SHAPE, **options):
        fake = images(2, shape)
        return Turn(
            player=player,
            network=network or Judge(),
            generator=generator or Maker(lambda z: fake),
            images=lambda turn: images(1, shape),
            noise=lambda turn: images(3, (4,)),
            draws=Draws((0, *key), N, 0, N, torch.device("cpu"), torch.float64),
            **options,
        )

    return make
