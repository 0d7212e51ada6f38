"""StackGAN's networks: stages in one tensor, each with a discriminator of its own."""

from functools import partial

import pytest
import torch
from torch.autograd import grad
from torch.nn.functional import avg_pool2d, interpolate

from genlab.core.condition import Attributes, Classes
from genlab.core.errors import ConfigError
from genlab.core.spec import Spec
from genlab.core.words import Words
from genlab.models.adversarial import resnet
from genlab.models.adversarial.stackgan import Discriminator, Generator, join_stages, pyramid, split_stages, stage_specs

SMALL = {"width": 4, "noise": 5, "code_size": 3, "embedding_size": 6}


WORDS = Words(("a", "b", "c"), 2)


def spec(channels=1, height=16, width=None, told=WORDS):
    return Spec(channels, height, width or height, images=100, condition=told)


def generator(given=None, **options):
    return Generator(given or spec(), **(SMALL | options))


def discriminator(given=None, stages=2):
    return Discriminator(given or spec(), stage=partial(resnet.Discriminator, width=4), stages=stages)


TEXTS = torch.tensor([[1, 0], [2, 3], [0, 0], [3, 0]])


@pytest.mark.parametrize("stages", [1, 2, 3])
@pytest.mark.parametrize("channels", [1, 3])
def test_joining_and_splitting_stages_are_inverse(channels, stages):
    images = [torch.randn(2, channels, 4 << stage, 6 << stage) for stage in range(stages)]
    whole = join_stages(images)
    assert whole.shape == (2, stages * channels, 4 << stages - 1, 6 << stages - 1)
    assert torch.equal(whole[:, :channels], images[-1])
    for part, image in zip(split_stages(whole, channels), images, strict=True):
        assert torch.equal(part, image)


def test_real_images_are_made_small_by_averaging():
    images = torch.randn(2, 3, 8, 12)
    small, middle, large = split_stages(pyramid(images, 3), 3)
    assert torch.equal(large, images)
    torch.testing.assert_close(middle, avg_pool2d(images, 2))
    torch.testing.assert_close(small, avg_pool2d(images, 4))


@pytest.mark.parametrize("stages", [1, 2, 3])
@pytest.mark.parametrize(("height", "width"), [(28, 28), (20, 36)])
def test_stages_double_the_side(height, width, stages):
    network, z = generator(spec(3, height, width), stages=stages), torch.randn(4, 8)
    sizes = [image.shape[1:] for image in network.images(z, TEXTS)]
    assert sizes == [(3, height >> k, width >> k) for k in reversed(range(stages))]
    assert network(z, TEXTS).shape == (4, 3 * stages, height, width)
    network.eval()
    images = network(z, TEXTS)
    assert images.shape == (4, 3, height, width) and images.abs().max() <= 1
    assert torch.equal(images, network.images(z, TEXTS)[-1])


@pytest.mark.parametrize("attention", [False, True])
def test_a_later_stage_uses_the_words_and_the_stage_before(attention):
    """The last image's gradient reaches everything but the pictures of earlier stages."""
    network = generator(attention=attention)
    network.images(torch.randn(4, 8), TEXTS)[-1].sum().backward()
    untouched = {name for name, weight in network.named_parameters() if weight.grad is None}
    assert untouched == {name for name, _ in network.named_parameters() if name.startswith("pictures.0.")}
    stage = network.later[0].eval()
    maps, code = torch.randn(1, 8, 8, 8), torch.randn(2, 3)
    assert not torch.allclose(stage(maps, code[:1], TEXTS[:1]), stage(maps, code[1:], TEXTS[:1]))
    assert torch.allclose(stage(maps, code[:1], TEXTS[:1]), stage(maps, code[:1], TEXTS[1:2])) is not attention


def test_the_noise_of_the_code_is_part_of_z():
    network = generator()
    assert network.latent.size == 8
    code, z = network.augmentation(TEXTS, torch.zeros(4, 3)), torch.zeros(4, 8)
    assert torch.equal(code, network.conditioning(TEXTS)[0])
    z[:, 5:] = 1
    assert not torch.equal(network.eval()(z, TEXTS), network(torch.zeros(4, 8), TEXTS))
    with pytest.raises(ConfigError, match="model.latent=null"):
        Generator(spec(), 100, **SMALL)


def test_every_stage_has_its_own_discriminator():
    network, images = discriminator().eval(), [torch.randn(4, 1, 8, 8), torch.randn(4, 1, 16, 16)]
    logits = network(join_stages(images), TEXTS)
    expected = [judge(image, TEXTS) for judge, image in zip(network.stages, images, strict=True)]
    torch.testing.assert_close(logits, torch.stack(expected, 1))
    features = network.features(join_stages(images), TEXTS)
    assert features.shape == (4, network.feature_size)
    torch.testing.assert_close(network.head(features, TEXTS), logits)


def test_plain_images_are_judged_with_their_small_versions():
    network, images = discriminator().eval(), torch.randn(4, 1, 16, 16)
    torch.testing.assert_close(network(images, TEXTS), network(pyramid(images, 2), TEXTS))


def test_the_gradient_of_all_stages_is_the_sum_of_the_stages_gradients():
    """So that R1 is the sum of every stage's own."""
    network = discriminator().double().eval()
    images = [torch.randn(4, 1, side, side, dtype=torch.float64, requires_grad=True) for side in (8, 16)]
    whole = join_stages([image.detach() for image in images]).requires_grad_()
    (slope,) = grad(network(whole, TEXTS).sum(), whole)
    slopes = grad(sum(j(i, TEXTS).sum() for j, i in zip(network.stages, images, strict=True)), images)
    expected = sum(part.flatten(1).square().sum(1) for part in slopes)
    torch.testing.assert_close(slope.flatten(1).square().sum(1), expected)


def test_an_enlarged_image_is_the_nearest_one():
    small, large = torch.randn(2, 1, 4, 4), torch.randn(2, 1, 8, 8)
    assert torch.equal(join_stages([small, large])[:, 1:], interpolate(small, scale_factor=2, mode="nearest"))


@pytest.mark.parametrize("told", [Classes(4), Attributes(2)])
def test_classes_and_attributes_may_replace_words(told):
    condition = torch.arange(4) if told.class_count else torch.randn(4, 2)
    given = spec(told=told)
    images = generator(given)(torch.randn(4, 8), condition)
    assert discriminator(given)(images, condition).shape == (4, 2)


@pytest.mark.parametrize(
    ("given", "options", "message"),
    [
        (spec(1, 9), {}, r"9 x 9 pixels cannot be halved 1 times\. Set data\.size=10"),
        (spec(1, 12), {"stages": 3}, "first stage makes images of 3 x 3"),
        (spec(1, 36), {}, "first stage makes images of 18 x 18"),
        (spec(1, 16).unconditional, {}, "it is told nothing.*data=mnist_words"),
        (spec(1, 16, told=Classes(3)), {"attention": True}, "attends to single words"),
        (Spec(2, None, None, images=9, condition=Words(("a",), 1)), {}, "the data are points"),
    ],
)
def test_unfit_data_and_options_are_refused(given, options, message):
    with pytest.raises(ConfigError, match=message):
        generator(given, **options)


def test_stages_see_the_data_at_their_size():
    assert [(one.height, one.width) for one in stage_specs(spec(1, 24, 32), 3)] == [(6, 8), (12, 16), (24, 32)]
