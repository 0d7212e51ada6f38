"""Autoencoders with a discriminator: who moves, and what it is shown."""

import pytest
import torch

from genlab.core.errors import ConfigError
from genlab.trainers.turns import micro_batches
from tests.conftest import narrow

AAE = ("model=aae", *narrow("aae"))
VAE_GAN = ("model=vae_gan", *narrow("vae_gan"))


def weights(module):
    return torch.cat([parameter.detach().flatten().clone() for parameter in module.parameters()])


def draws_of(trainer, phase):
    (draws,) = micro_batches(phase, trainer.players[phase.player], trainer.engine)
    return draws


def moved(trainer, phase):
    """Which networks a turn moves."""
    model = trainer.model
    networks = {"encoder": model.encoder, "decoder": model.generator, "discriminator": model.discriminator}
    before = {name: weights(network) for name, network in networks.items()}
    trainer.take_turn(phase)
    return {name for name, network in networks.items() if not torch.equal(before[name], weights(network))}


def test_the_turns_of_an_adversarial_autoencoder(make_trainer):
    """Makhzani et al. 2016, section 2: the reconstruction phase moves both halves, the other the encoder alone."""
    trainer = make_trainer(*AAE)
    assert moved(trainer, trainer.phase) == {"encoder", "decoder"}
    assert moved(trainer, trainer.main_phases["discriminator"]) == {"discriminator"}
    assert moved(trainer, trainer.main_phases["generator"]) == {"encoder"}


def test_to_its_discriminator_the_prior_is_real_and_codes_are_not(make_trainer):
    trainer = make_trainer(*AAE)
    phase = trainer.main_phases["discriminator"]
    draws = draws_of(trainer, phase)
    turn = trainer.begin_turn(trainer.main_phases["discriminator"], draws)
    images = trainer.stream.batch("discriminator", 0, draws)
    torch.testing.assert_close(turn.fake, trainer.model.codes(images))
    torch.testing.assert_close(turn.real, trainer.model.latent.draw(draws))


def test_penalties_act_on_codes(make_trainer):
    trainer = make_trainer(*AAE, "loss=wasserstein", "penalty=[gradient_penalty]")
    trainer.take_step()
    assert "discriminator/gradient_penalty" in trainer.statistics.flush()


def test_codes_are_not_augmented(make_trainer):
    with pytest.raises(ConfigError, match="sees codes, not images"):
        make_trainer(*AAE, "augment=[diffaugment]")


def test_the_turns_of_a_vae_gan(make_trainer):
    trainer = make_trainer(*VAE_GAN)
    assert moved(trainer, trainer.phase) == {"encoder"}
    assert moved(trainer, trainer.main_phases["discriminator"]) == {"discriminator"}
    assert moved(trainer, trainer.main_phases["generator"]) == {"decoder"}
    trainer.take_step()
    assert trainer.images == 8 and {player.turns for player in trainer.players.values()} == {1}


def test_half_of_what_it_generates_are_reconstructions(make_trainer):
    trainer = make_trainer(*VAE_GAN)
    draws = draws_of(trainer, trainer.main_phases["generator"])
    turn = trainer.begin_turn(trainer.main_phases["generator"], draws)
    posterior = trainer.model.posterior(turn.real)
    codes = posterior.sample(draws.normal("posterior", trainer.model.latent.size))
    torch.testing.assert_close(turn.latents[1::2], codes[1::2])
    torch.testing.assert_close(turn.latents[::2], trainer.model.latent.draw(draws)[::2])


def test_the_error_is_measured_in_the_discriminators_features(make_trainer):
    """Larsen et al. 2016, equation 7; in the generator's turn over the reconstructions, times gamma."""
    trainer = make_trainer(*VAE_GAN, "trainer.gamma=0.5", "model.discriminator.norm=none", "trainer.precision=float64")
    trainer.model.generator.eval()
    draws = draws_of(trainer, trainer.main_phases["generator"])
    turn = trainer.begin_turn(trainer.main_phases["generator"], draws)
    error = trainer.generator_losses(turn).terms["features"].mean()
    features = trainer.model.discriminator.features
    images, again = turn.real[1::2], trainer.model.generator(turn.latents)[1::2]
    expected = (features(images) - features(again)).square().sum(1) / 2
    torch.testing.assert_close(error, 0.5 * expected.mean())
