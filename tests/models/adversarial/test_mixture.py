"""Mixtures of generators: images come from the generator that a latent names, in the order of the latents."""

import pytest
import torch
from torch import nn

from genlab.core.errors import ConfigError
from genlab.core.random import Draws
from genlab.core.spec import Spec
from genlab.models import Normal, NormalWithGenerator
from genlab.models.adversarial import mlp
from genlab.models.adversarial.mixture import Mixture
from tests.conftest import narrow

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


def mixture(generators=3):
    Numbered.made = 0
    return Mixture(SPEC, 5, network=Numbered, generators=generators)


def dealt(numbers):
    """Latents whose first value is their row."""
    rows = torch.arange(len(numbers), dtype=torch.float32)
    return torch.cat([rows[:, None].expand(-1, 5), torch.tensor(numbers, dtype=torch.float32)[:, None]], 1)


@pytest.mark.parametrize("numbers", [[0], [2], [1, 1, 0], [2, 0, 1, 0, 2, 2, 2]])
@pytest.mark.parametrize("conditional", [False, True])
def test_images_come_back_in_order_from_the_generators_that_latents_name(numbers, conditional):
    network, rows = mixture().eval(), torch.arange(len(numbers))
    images = network(dealt(numbers), rows if conditional else None)
    assert images[:, 0].flatten().tolist() == numbers
    assert images[:, 1].flatten().tolist() == rows.tolist()


def test_training_splits_a_batch_evenly_by_generator():
    law, network = NormalWithGenerator(Normal(5), 3), mixture().train()
    draws = Draws((0,), 12, 6, 12, torch.device("cpu"))
    z = law.draw(draws)
    assert torch.equal(z[:, :-1], Normal(5).draw(draws)) and z[:, -1].tolist() == [0, 1, 2, 0, 1, 2]
    assert network(z)[:, 0].flatten().tolist() == z[:, -1].tolist()
    crooked = network(dealt([0, 0, 0, 0, 1, 2]))
    assert crooked[:, 0].flatten().tolist() == [0, 0, 1, 1, 2, 2]
    assert crooked[:, 1].flatten().tolist() == list(range(6))


def test_every_generator_learns_from_its_own_images():
    network = Mixture(SPEC, 5, network=lambda spec, size: mlp.Generator(spec, size, widths=[8]), generators=2)
    network(torch.cat([torch.randn(4, 5), torch.tensor([[0.0], [1], [0], [1]])], 1))[0].sum().backward()
    reached = [
        any(param.grad is not None and param.grad.any() for param in part.parameters()) for part in network.generators
    ]
    assert reached == [True, False]


def test_interpolation_uses_the_nearer_latents_generator():
    law, ends = NormalWithGenerator(Normal(5), 4), (torch.randn(2, 5), torch.randn(2, 5))
    a, b = (torch.cat([end, torch.full((2, 1), number)], 1) for end, number in zip(ends, (1.0, 3.0), strict=True))
    for share in (0.0, 0.4, torch.tensor([[0.4], [0.7]])):
        found = law.interpolate(a, b, share)
        assert torch.equal(found[:, :-1], Normal(5).interpolate(*ends, share))
        assert found[:, -1].tolist() == ([1, 3] if torch.is_tensor(share) else [1, 1])
    assert torch.equal(law.interpolate(a, b, 1.0)[:, -1], b[:, -1])


def test_truncated_latents_have_the_same_generators():
    draws = Draws((0,), 8, 0, 8, torch.device("cpu"))
    z, law = NormalWithGenerator(Normal(5), 4).truncate(0.5).draw(draws), Normal(5).truncate(0.5)
    assert torch.equal(z[:, :-1], law.draw(draws)) and z[:, -1].tolist() == [0, 1, 2, 3] * 2


def test_latents_without_a_number_are_refused():
    with pytest.raises(ConfigError, match="name no generator.*genlab.models.NormalWithGenerator"):
        mixture()(torch.randn(2, 5))


@pytest.mark.parametrize("model", ["multi_gan", "cgan_conv", "biggan"])
def test_samples_do_not_depend_on_which_are_drawn_together(make_trainer, model):
    trainer = make_trainer(f"model={model}", *narrow(model), "trainer.batch_size=12")
    trainer.take_step()
    whole = trainer.samples.draw_samples(490, 30)  # over the border of a chunk of the fixed stream
    parts = [trainer.samples.draw_samples(490 + start, min(7, 30 - start)) for start in range(0, 30, 7)]
    torch.testing.assert_close(torch.cat(parts), whole, atol=1e-5, rtol=1e-4)
    assert (whole[0] - whole[1]).abs().max() > 1e-3


def test_a_reference_batch_is_refused():
    with pytest.raises(ConfigError, match="not in a mixture"):
        Mixture(SPEC, 5, network=lambda spec, size: mlp.Generator(spec, size, norm="virtual"))
