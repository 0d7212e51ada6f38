"""Several generators: which image is whose, and in which order they come back."""

import pytest
import torch
from torch import nn

from genlab.errors import ConfigError
from genlab.models import mlp
from genlab.models.mixture import Mixture
from genlab.spec import Spec

SPEC = Spec(1, 4, 4, images=100)


class Numbered(nn.Module):
    """Shows its own number, and the latent that it was given."""

    made = 0

    def __init__(self, spec, latent_size):
        super().__init__()
        self.number, Numbered.made = Numbered.made, Numbered.made + 1

    def forward(self, z, condition=None):
        shown = z[:, 0] if condition is None else condition.float()
        return torch.stack([torch.full_like(shown, self.number), shown], 1).view(-1, 2, 1, 1)


@pytest.mark.parametrize("rows", [1, 2, 3, 6, 8])
@pytest.mark.parametrize("conditional", [False, True])
def test_images_come_back_in_order_from_generators_in_turn(rows, conditional):
    Numbered.made = 0
    network = Mixture(SPEC, 5, network=Numbered, generators=3)
    z = torch.arange(rows, dtype=torch.float32)[:, None].expand(-1, 5)
    images = network(z, torch.arange(rows) if conditional else None)
    assert images[:, 0].flatten().tolist() == [row % 3 for row in range(rows)]
    assert images[:, 1].flatten().tolist() == list(range(rows))


def test_every_generator_learns_from_its_own_images():
    network = Mixture(SPEC, 5, network=lambda spec, size: mlp.Generator(spec, size, widths=[8]), generators=2)
    network(torch.randn(4, 5))[0].sum().backward()
    reached = [
        any(param.grad is not None and param.grad.any() for param in part.parameters()) for part in network.generators
    ]
    assert reached == [True, False]


def test_a_reference_batch_is_refused():
    with pytest.raises(ConfigError, match="not in a mixture"):
        Mixture(SPEC, 5, network=lambda spec, size: mlp.Generator(spec, size, norm="virtual"))
