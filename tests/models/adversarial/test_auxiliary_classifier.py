"""Discriminators with a second head: their conditions, shared features and logits."""

import pytest
import torch

from genlab.core.condition import Attributes, Classes
from genlab.core.errors import ConfigError
from genlab.core.spec import Spec
from genlab.models.adversarial import dcgan, mlp
from genlab.models.adversarial import noisy_discriminator as noisy
from genlab.models.adversarial.auxiliary_classifier import (
    ACGAN,
    ClassifierDiscriminator,
    DiscriminatorWithClassifier,
    SemiSupervisedGAN,
)
from genlab.models.adversarial.infogan import DiscriminatorWithCodes, InfoGAN
from genlab.models.latent import Coded, Normal

SPEC = Spec(1, 8, 8, images=100, condition=Classes(3))
LAW = Coded(noise=4, categorical=[3, 2], continuous=2)
INNER = [
    lambda spec, **options: mlp.Discriminator(spec, widths=[16, 8], **options),
    lambda spec, **options: dcgan.Discriminator(spec, width=4, **options),
    lambda spec, **options: noisy.Discriminator(spec, widths=[16, 8], **options),
]
NAMES = ["mlp", "dcgan", "noisy"]


def generator(spec, latent_size):
    return mlp.Generator(spec, latent_size, widths=[8])


def images(count=4):
    return torch.randn(count, 1, 8, 8, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("discriminator", INNER, ids=NAMES)
def test_only_acgans_generator_receives_the_class(discriminator):
    model = ACGAN(SPEC, latent=Normal(5), generator=generator, discriminator=discriminator).eval()
    z, classes = torch.randn(2, 5), torch.tensor([0, 1])
    assert not torch.equal(model(z, classes), model(z, 1 - classes))
    critic = model.discriminator
    assert torch.equal(critic(images(2), classes), critic(images(2), 1 - classes))
    assert critic.classify(critic.features(images())).shape == (4, 3)


@pytest.mark.parametrize("discriminator", INNER, ids=NAMES)
def test_a_second_head_leaves_features_and_logits_unchanged(discriminator):
    inner = discriminator(SPEC.unconditional).eval()
    for outer in (DiscriminatorWithClassifier(inner, 3), DiscriminatorWithCodes(inner, LAW)):
        assert torch.equal(outer.features(images()), inner.features(images()))
        assert torch.equal(outer(images()), inner(images()))
        assert torch.equal(outer.head(outer.features(images())), inner(images()))


@pytest.mark.parametrize("discriminator", INNER, ids=NAMES)
def test_an_image_is_real_if_it_belongs_to_any_class(discriminator):
    """Salimans et al. 2016, section 5: D(x) = Z / (Z + 1) is 1 - p(K + 1) of a softmax whose last logit is 0."""
    network = ClassifierDiscriminator(discriminator(SPEC.unconditional, outputs=3)).eval()
    classes = network.classify(network.features(images()))
    assert classes.shape == (4, 3)
    all_classes = torch.cat([classes, torch.zeros(4, 1)], dim=1).softmax(1)
    torch.testing.assert_close(network(images()).sigmoid(), 1 - all_classes[:, -1])


def test_a_semi_supervised_gan_needs_no_class_to_generate_or_judge():
    model = SemiSupervisedGAN(SPEC, latent=Normal(5), generator=generator, discriminator=INNER[2])
    assert model(torch.randn(2, 5)).shape == (2, 1, 8, 8)
    assert model.discriminator(images()).shape == (4,)


def test_images_are_classified_in_evaluation_mode():
    model = SemiSupervisedGAN(SPEC, latent=Normal(5), generator=generator, discriminator=INNER[2])
    assert torch.equal(model.classify(images()), model.classify(images()))  # without the noise of training
    assert model.discriminator.training and not model.classify(images()).requires_grad


@pytest.mark.parametrize("kind", [ACGAN, SemiSupervisedGAN])
def test_data_without_classes_are_refused(kind):
    for spec in (SPEC.unconditional, Spec(1, 8, 8, images=100, condition=Attributes(4))):
        with pytest.raises(ConfigError, match="needs classes"):
            kind(spec, latent=Normal(5), generator=generator, discriminator=INNER[0])


@pytest.mark.parametrize(("deviation", "outputs"), [("fixed", 7), ("predicted", 9)])
def test_infogan_predicts_every_code(deviation, outputs):
    model = InfoGAN(SPEC, latent=LAW, generator=generator, discriminator=INNER[1], deviation=deviation)
    critic = model.discriminator
    guess = critic.guess(critic.features(images()))
    assert [logits.shape for logits in guess.categorical] == [(4, 3), (4, 2)]
    assert guess.mean.shape == guess.log_deviation.shape == (4, 2)
    assert critic.guesser[-1].out_features == outputs
    assert torch.equal(guess.log_deviation, torch.zeros(4, 2)) == (deviation == "fixed")


def test_infogans_head_is_the_papers():
    """Chen et al. 2016, appendix C.1: FC 128, batch norm, leaky ReLU, FC."""
    critic = InfoGAN(SPEC, latent=Coded(), generator=generator, discriminator=INNER[1]).discriminator
    count = sum(param.numel() for param in critic.guesser.parameters())
    assert count == (critic.feature_size + 1) * 128 + 2 * 128 + 129 * 12


def test_codes_reach_the_images():
    model = InfoGAN(SPEC, latent=LAW, generator=generator, discriminator=INNER[0]).eval()
    z = torch.zeros(1, LAW.size)
    for _, sheet in LAW.vary(z, columns=3):
        made = model(sheet[0])
        assert (made[1:] - made[:1]).abs().flatten(1).max(1).values.min() > 0
