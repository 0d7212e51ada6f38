"""Conditions: how networks receive them, and which images they come with."""

import pytest
import torch
from torch.nn.functional import one_hot

from genlab.core.condition import Attributes, Classes
from genlab.core.errors import ConfigError
from genlab.core.spec import Spec
from genlab.data import InMemory, Split
from genlab.models.adversarial.discriminator import Discriminator
from genlab.models.layers.concatenation import ConcatenatedMaps, Concatenation
from genlab.trainers.phases import AdversarialPhase
from genlab.trainers.turns import micro_batches
from tests.conftest import NARROW, NARROW_MLP

LABELLED = Spec(1, 8, 8, images=64, condition=Classes(5))
ATTRIBUTES = Spec(1, 8, 8, images=64, condition=Attributes(3))


class Flat(Discriminator):
    """Whose features are the pixels."""

    def __init__(self, spec):
        super().__init__(spec, 64)

    def features(self, images, condition=None):
        return images.flatten(1)


def condition_of(spec, images):
    return torch.arange(images) % spec.class_count if spec.class_count else torch.rand(images, spec.condition_size)


@pytest.mark.parametrize("spec", [LABELLED, ATTRIBUTES])
def test_projection_is_the_inner_product_with_the_embedding(spec):
    """Miyato and Koyama 2018, equation 3: f = psi(phi) + y' V phi."""
    network, images, condition = Flat(spec), torch.randn(6, 1, 8, 8), condition_of(spec, 6)
    y = one_hot(condition, 5).float() if spec.class_count else condition
    table = network.projection.weight if spec.class_count else network.projection.weight.T  # V, [K, F]
    phi = images.flatten(1)
    expected = network.last(phi).squeeze(1) + torch.einsum("nk,kf,nf->n", y, table, phi)
    torch.testing.assert_close(network(images, condition), expected)


def test_a_concatenated_condition_is_as_wide_as_the_classes():
    vectors = Concatenation(LABELLED)(torch.zeros(4, 7), torch.tensor([0, 1, 1, 4]))
    assert vectors.shape == (4, 12)
    assert torch.equal(vectors[1], vectors[2]) and not torch.equal(vectors[0], vectors[1])
    maps = ConcatenatedMaps(LABELLED)(torch.zeros(4, 1, 8, 8), torch.tensor([0, 1, 1, 4]))
    assert maps.shape == (4, 6, 8, 8)
    assert torch.equal(maps[:, 1:], maps[:, 1:, :1, :1].expand(-1, -1, 8, 8))


def test_an_unconditional_model_ignores_labels(make_trainer):
    trainer = make_trainer("model=dcgan", *NARROW)
    assert trainer.spec.condition == Classes(10)
    assert trainer.model.discriminator.projection is None and trainer.model.generator.condition.extra == 0
    assert trainer.samples.sample_conditions(0, 3) is None


def test_a_conditional_model_needs_labels(make_trainer):
    pixels = torch.zeros(64, 1, 8, 8, dtype=torch.uint8)
    with pytest.raises(ConfigError, match="the data have no labels"):
        make_trainer("model=gan", *NARROW_MLP, "model.conditional=true", data=InMemory(Split(pixels)))


@pytest.mark.parametrize("form", ["projection", "concatenation"])
@pytest.mark.parametrize(("model", "narrow"), [("gan", NARROW_MLP), ("dcgan", NARROW)])
def test_both_networks_use_the_condition(make_trainer, model, narrow, form):
    trainer = make_trainer(f"model={model}", *narrow, "model.conditional=true", f"model.discriminator.condition={form}")
    trainer.take_step()
    images, z = torch.randn(2, 1, 8, 8), torch.randn(1, 100).expand(2, -1)
    one, other = torch.tensor([3, 3]), torch.tensor([3, 7])
    generator, discriminator = trainer.model.generator.eval(), trainer.model.discriminator.eval()
    torch.testing.assert_close(*generator(z, one))  # rows of a matrix product may round differently
    assert not torch.allclose(*generator(z, other), atol=1e-4)
    assert not torch.equal(discriminator(images, one), discriminator(images, other))


@pytest.mark.parametrize("phase", ["discriminator", "generator", "r1"])
def test_real_images_come_with_their_own_labels(make_trainer, phase):
    """Across epochs, in every micro-batch of every phase: each picture here shows its label."""
    labels = torch.arange(50) % 10
    pixels = (labels * 20).to(torch.uint8).view(50, 1, 1, 1).expand(50, 1, 8, 8).contiguous()
    data = InMemory(Split(pixels, labels))
    trainer = make_trainer("model=gan", *NARROW_MLP, "model.conditional=true", "trainer.accumulate=2", data=data)
    player, told = trainer.players["discriminator"], []
    for _ in range(20):  # over three epochs
        for draws in micro_batches(AdversarialPhase(phase, "discriminator", None), player, trainer.engine):
            turn = trainer.begin_turn(AdversarialPhase(phase, "discriminator", None), draws)
            assert torch.equal(((turn.real[:, 0, 0, 0] + 1) * 127.5 / 20).round().long(), turn.condition)
            told.append(turn.condition)
        player.end_turn(trainer.batch_size)
    assert torch.equal(torch.cat(told)[:50].bincount(), torch.full((10,), 5))


def test_fixed_samples_keep_their_labels(make_trainer):
    trainer = make_trainer("model=gan", *NARROW_MLP, "model.conditional=true")
    whole = trainer.samples.sample_conditions(0, 700)
    assert whole.shape == (700,) and len(whole.unique()) == 10
    assert torch.equal(trainer.samples.sample_conditions(490, 30), whole[490:520])
    torch.testing.assert_close(trainer.samples.draw_samples(490, 30), trainer.samples.draw_samples(0, 700)[490:520])
    chosen = torch.full((4,), 3)
    assert not torch.equal(trainer.samples.draw_samples(0, 4, chosen), trainer.samples.draw_samples(0, 4, chosen + 1))
