"""Strategies for autoencoders with a discriminator. The loss is adversarial; penalties act on its players."""

from dataclasses import replace
from typing import Any, ClassVar

import torch
from torch import Tensor

from genlab.core.errors import ConfigError
from genlab.core.random import Draws
from genlab.core.types import NonNegative
from genlab.data.stream import Stream
from genlab.losses import Turn
from genlab.losses.latent_terms import kl_to_standard_normal
from genlab.losses.reconstruction import Reconstruction, feature_error
from genlab.trainers.alternating import Alternating
from genlab.trainers.autoencoding import error_in_data_units, require_posterior
from genlab.trainers.phases import AdversarialPhase
from genlab.trainers.sample_stream import SampleStream
from genlab.trainers.system import Run, System
from genlab.trainers.turns import Losses, Phase


class AdversarialAutoencoding(Alternating):
    """Makhzani et al. 2016, section 2: the autoencoder's turn, then the discriminator's and the encoder's.

    For the discriminator draws from the prior are real, and codes are generated. `reconstruction` is the loss of the
    autoencoder's turn.
    """

    trained_players: ClassVar[frozenset[str]] = frozenset({"autoencoder", "discriminator", "generator"})

    def __init__(self, system: System, run: Run, *, reconstruction: Reconstruction, **shared: Any) -> None:
        if shared.get("freeze_discriminator"):
            raise ConfigError("trainer.freeze_discriminator: this discriminator sees codes, not images. Set it to 0.")
        super().__init__(system, run, **shared)
        if reconstruction.needs_images and self.spec.height is None:
            raise ConfigError(
                f"trainer.reconstruction is {type(reconstruction).__name__}, of pixels, and the data are points: "
                "trainer.reconstruction._target_=genlab.losses.Gaussian."
            )
        self.reconstruction = reconstruction
        self.samples = replace(self.samples, decoding=reconstruction)
        self.phase = Phase("autoencoder", "autoencoder", self.autoencoder_losses)

    @classmethod
    def sample_stream(cls, *args: Any, **settings: Any) -> SampleStream:
        return replace(super().sample_stream(*args, **settings), decoding=settings["reconstruction"])

    def take_step(self) -> None:
        self.take_turn(self.phase)
        self.players["autoencoder"].end_turn(self.batch_size)
        super().take_step()

    def autoencoder_losses(self, phase: Phase, draws: Draws) -> Losses:
        images = self.stream.batch(phase.name, draws.position, draws)
        condition = self.stream.labels(phase.name, draws.position, draws) if self.model.conditional else None
        output = self.players[phase.player].module(images, condition).to(images.dtype)
        error = self.reconstruction.reconstruction(output, images)
        return Losses({"reconstruction": error}, error_in_data_units(self.reconstruction, error, self.spec))

    def real_images(self, stream: Stream, phase: str, turn: Turn) -> Tensor:
        """Return draws from the prior, which are real for this discriminator."""
        return super().noise(stream, phase, turn)

    def noise(self, stream: Stream, phase: str, turn: Turn) -> Tensor:
        """Return the images that the encoder turns into codes."""
        return super().real_images(stream, phase, turn)


class VariationalAlternating(Alternating):
    """Larsen et al. 2016, algorithm 1: the encoder's turn, then the discriminator's and the generator's.

    Every other generated image is a reconstruction, the rest are samples. The paper's discriminator sees all of both,
    and so twice as many generated images as real ones. `gamma` is the weight of the feature error in the generator's
    turn.
    """

    trained_players: ClassVar[frozenset[str]] = frozenset({"encoder", "discriminator", "generator"})

    def __init__(self, system: System, run: Run, *, gamma: NonNegative = 1e-2, **shared: Any) -> None:
        super().__init__(system, run, **shared)
        self.gamma, self.posterior = gamma, require_posterior(self.model)
        self.phase = AdversarialPhase("encoder", "encoder", self.encoder_losses)
        self.main_phases["generator"] = replace(self.main_phases["generator"], with_features=True)

    def take_step(self) -> None:
        self.take_turn(self.phase)
        self.players["encoder"].end_turn(self.batch_size)
        super().take_step()

    def encoder_losses(self, phase: AdversarialPhase, draws: Draws) -> Losses:
        """Return the encoder's loss: equation 3, with the feature error of equation 7."""
        turn = self.begin_turn(phase, draws, player="generator")
        posterior = self.posterior(turn.real, turn.condition)

        def codes(_: Turn) -> Tensor:
            return posterior.sample(draws.normal("posterior", *posterior.mean.shape[1:]))

        decoded = replace(turn, images=lambda _: turn.real, noise=codes)
        divergence = kl_to_standard_normal(posterior.mean, posterior.log_variance)
        return Losses({"divergence": divergence.sum(1), "features": feature_error(decoded)})

    def generator_losses(self, turn: Turn) -> Losses:
        losses = super().generator_losses(turn)
        weights = 2 * self.gamma * self.reconstruction_mask(turn.draws)  # 2: half of the batch are reconstructions
        return losses._replace(terms=losses.terms | {"features": weights * feature_error(turn)})

    @torch.no_grad()
    def noise(self, stream: Stream, phase: str, turn: Turn) -> Tensor:
        """Return codes of the turn's real images in every other row, and draws from the prior in the rest."""
        posterior = self.posterior(turn.real, turn.condition)
        codes = posterior.sample(turn.draws.normal("posterior", *posterior.mean.shape[1:]))
        return torch.where(self.reconstruction_mask(turn.draws)[:, None] > 0, codes, self.model.latent.draw(turn.draws))

    def reconstruction_mask(self, draws: Draws) -> Tensor:
        """Return 1 for the rows that are reconstructions and 0 for samples, [N]."""
        return torch.arange(draws.start, draws.stop, device=self.device).remainder(2).to(self.engine.dtype)
