"""Virtual batch normalisation: statistics written out, and images that do not influence each other."""

import copy

import pytest
import torch

from genlab.core.condition import Attributes, Classes
from genlab.core.errors import ConfigError
from genlab.core.spec import Spec
from genlab.models.adversarial import dcgan, mlp
from genlab.models.adversarial.gan import GAN
from genlab.models.latent import Normal, Uniform
from genlab.models.layers.virtual_norm import VirtualBatchNorm, WithReference, with_reference, without_reference

SPEC = Spec(1, 16, 16, images=100)
FORMS = ["virtual", "virtual_large"]
BUILDERS = {
    "dcgan": lambda spec, norm: dcgan.Generator(spec, 5, width=4, norm=norm),
    "mlp": lambda spec, norm: mlp.Generator(spec, 5, widths=[8, 8], norm=norm),
}


def generator(name="dcgan", norm="virtual", spec=SPEC, latent=None):
    torch.manual_seed(0)
    network = with_reference(BUILDERS[name](spec, norm), latent or Normal(5), spec)
    for layer in network.modules():  # as after some training
        if isinstance(layer, VirtualBatchNorm):
            torch.nn.init.normal_(layer.weight)
            torch.nn.init.normal_(layer.bias)
    return network.double()


def latents(rows=6):
    return torch.randn(rows, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


def layer(sample):
    found = VirtualBatchNorm(3, reference=4, sample=sample).double()
    found.has_reference = True
    return found


@pytest.mark.parametrize("places", [(), (5, 6)])
def test_reference_plus_sample_is_batch_norm_of_the_reference_and_the_image(places):
    values = torch.randn(7, 3, *places, dtype=torch.float64, generator=torch.Generator().manual_seed(0)) * 3 + 1
    found, reference = layer(sample=True)(values), values[:4]
    dims = (0, *range(2, values.ndim))
    for row in range(4, 7):
        joined = torch.cat([reference, values[row : row + 1]])
        expected = torch.nn.functional.batch_norm(joined, None, None, training=True)[4]
        torch.testing.assert_close(found[row], expected)
    torch.testing.assert_close(found[:4].mean(dims), torch.zeros(3, dtype=torch.float64))


def test_large_reference_takes_the_reference_statistics_for_all():
    values = torch.randn(9, 3, 5, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(0)) * 3 + 1
    variance, mean = torch.var_mean(values[:4], (0, 2, 3), correction=0)
    expected = torch.nn.functional.batch_norm(values, mean, variance)
    torch.testing.assert_close(layer(sample=False)(values), expected)


@pytest.mark.parametrize("norm", FORMS)
@pytest.mark.parametrize("name", BUILDERS)
@pytest.mark.parametrize("training", [True, False])
def test_images_of_one_batch_do_not_influence_each_other(name, norm, training):
    network, z = generator(name, norm).train(training), latents()
    whole = network(z)
    alone = torch.cat([network(z[row : row + 1]) for row in range(len(z))])
    torch.testing.assert_close(whole, alone)
    assert whole.std(0).max() > 1e-3  # and yet they differ


def test_the_reference_is_kept_in_the_checkpoint_and_decides_the_images():
    one, other = generator(), generator()
    with torch.no_grad():
        other.latents += 1
    assert not torch.equal(one(latents()), other(latents()))
    other.load_state_dict(one.state_dict())
    assert torch.equal(one(latents()), other(latents()))
    assert torch.equal(copy.deepcopy(one)(latents()), one(latents()))  # as the average of weights does


def test_the_reference_follows_the_latents_law_and_the_seed():
    torch.manual_seed(0)
    first = with_reference(BUILDERS["mlp"](SPEC, "virtual"), Uniform(5), SPEC).latents
    second = with_reference(BUILDERS["mlp"](SPEC, "virtual"), Uniform(5), SPEC).latents
    assert first.shape == (64, 5) and first.abs().max() <= 1 and first.min() < -0.5
    assert not torch.equal(first, second)
    assert torch.equal(generator().latents, generator().latents)


@pytest.mark.parametrize("condition", [Classes(10), Attributes(3)])
def test_a_conditional_generator_has_a_condition_for_its_reference(condition):
    spec = Spec(1, 16, 16, images=100, condition=condition)
    network = generator("mlp", spec=spec)
    condition = torch.arange(6) % 10 if spec.class_count else torch.ones(6, 3, dtype=torch.float64)
    assert network(latents(), condition).shape == (6, 1, 16, 16)
    assert len(network.condition.unique(dim=0)) >= 7  # of 10 classes, or of 8 combinations


def test_other_generators_stay_as_they_are():
    network = BUILDERS["dcgan"](SPEC, "batch")
    assert with_reference(network, Normal(5), SPEC) is network
    assert without_reference(network) is network


def test_a_network_without_a_reference_is_refused():
    discriminator = dcgan.Discriminator(SPEC, width=4, norm="virtual")
    with pytest.raises(ConfigError, match="Choose batch, layer"):
        without_reference(discriminator)
    with pytest.raises(ConfigError, match="Choose batch, layer"):
        discriminator(torch.zeros(2, 1, 16, 16))


def test_a_gan_gives_its_generator_a_reference():
    build = {"latent": Normal(5), "discriminator": lambda spec: dcgan.Discriminator(spec, width=4)}
    model = GAN(SPEC, generator=lambda spec, size: BUILDERS["dcgan"](spec, "virtual"), **build)
    assert isinstance(model.generator, WithReference)
    assert model(torch.randn(3, 5)).shape == (3, 1, 16, 16)
