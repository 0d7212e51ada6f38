"""Strategies for autoencoders: one player, one turn a step."""

from collections.abc import Callable
from dataclasses import replace
from math import prod
from typing import Any, ClassVar, NamedTuple

from torch import Tensor

from genlab.core.errors import ConfigError
from genlab.core.random import Draws
from genlab.core.schedule import Changing, Line, value_at
from genlab.core.spec import Spec
from genlab.core.types import NonNegative, Whole
from genlab.losses.latent_terms import commitment, free_bits, kl_to_standard_normal
from genlab.losses.reconstruction import Reconstruction
from genlab.models.contract import GivesPosterior, Model, Posterior, VectorQuantised
from genlab.trainers.encoder import require_encoder
from genlab.trainers.sample_stream import SampleStream
from genlab.trainers.system import Run, System
from genlab.trainers.trainer import Trainer
from genlab.trainers.turns import Losses, Phase


class Encoded(NamedTuple):
    """The decoder's input, with the terms that the encoder adds to the loss."""

    z: Tensor
    terms: dict[str, Tensor] = {}
    stats: dict[str, Tensor] = {}


class Autoencoding(Trainer):
    """Minimises the reconstruction error alone.

    With `corrupt`, (images, draws) -> images, the encoder sees a damaged image and the decoder restores the whole one
    (Vincent et al. 2008).
    """

    loss: Reconstruction  # others refuse a system without a discriminator
    trained_players: ClassVar[frozenset[str]] = frozenset({"autoencoder"})

    def __init__(
        self, system: System, run: Run, *, corrupt: Callable[[Tensor, Draws], Tensor] | None = None, **shared: Any
    ) -> None:
        super().__init__(system, run, **shared)
        self.samples = replace(self.samples, decoding=self.loss)
        self.corrupt, self.decoder = corrupt, self.model.get_submodule("decoder")
        self.codes = require_encoder(self.model).codes
        self.phase = Phase("autoencoder", "autoencoder", self.compute_losses)

    @classmethod
    def sample_stream(cls, *args: Any, loss: Callable[[], Any], **settings: Any) -> SampleStream:
        return replace(super().sample_stream(*args, loss=loss, **settings), decoding=loss())

    def take_step(self) -> None:
        self.take_turn(self.phase)
        self.players["autoencoder"].end_turn(self.batch_size)
        self.images += self.batch_size
        if self.ema:
            self.ema.update(self.batch_size, self.images)

    def compute_losses(self, phase: Phase, draws: Draws) -> Losses:
        images = self.stream.batch("autoencoder", draws.position, draws)
        condition = self.stream.labels("autoencoder", draws.position, draws) if self.model.conditional else None
        damaged = images if self.corrupt is None else self.corrupt(images, draws)
        code = self.encode(damaged, condition, draws)
        output = self.decoder(code.z, condition).to(images.dtype)  # sums over pixels need float32
        error = self.loss.reconstruction(output, images)
        shown = error_in_data_units(self.loss, error, self.spec)
        return Losses({"reconstruction": error} | code.terms, shown | code.stats)

    def encode(self, images: Tensor, condition: Tensor | None, draws: Draws) -> Encoded:
        return Encoded(self.codes(images, condition))


def error_in_data_units(loss: Reconstruction, error: Tensor, spec: Spec) -> dict[str, Tensor]:
    """Return what to publish for an error [N] of points, in the data's own units; nothing for images."""
    if spec.height is not None:
        return {}
    return {"reconstruction": loss.in_data_units(error.detach(), spec.scale, prod(spec.shape))}


def require_posterior(model: Model) -> Callable[[Tensor, Tensor | None], Posterior]:
    """Return the function (images, condition) -> distribution. Raises ConfigError for a model that has none."""
    if not isinstance(model, GivesPosterior):
        raise ConfigError(
            "trainer: this model's encoder gives no distribution, which a variational trainer needs. Choose "
            "model=vae, or trainer=autoencoding."
        )
    return model.posterior


class Variational(Autoencoding):
    """Maximises the evidence lower bound: Kingma and Welling 2014, equation 10, one sample of z an image.

    The divergence counts `beta` times (Higgins et al. 2017, equation 4), rises to that weight over the first
    `kl_warmup` images, and costs nothing below `free_bits`. The published `elbo` and `kl` are always those of beta 1;
    a loss that is no likelihood has no `elbo`.
    """

    def __init__(
        self,
        system: System,
        run: Run,
        *,
        beta: Changing[NonNegative] = 1.0,  # weight of the divergence
        kl_warmup: Whole = 0,  # images over which the weight rises from 0 in a straight line
        free_bits: NonNegative = 0.0,  # nats per dimension of the latent
        **shared: Any,
    ) -> None:
        super().__init__(system, run, **shared)
        self.posterior = require_posterior(self.model)
        self.beta, self.free_bits = beta, free_bits
        self.warm_up = Line(0.0, 1.0, images=kl_warmup) if kl_warmup else 1.0  # Bowman et al. 2016, section 3.1

    def compute_losses(self, phase: Phase, draws: Draws) -> Losses:
        losses = super().compute_losses(phase, draws)
        if not self.loss.is_likelihood:
            return losses
        elbo = -(losses.terms | losses.stats)["reconstruction"] - losses.stats["kl"]
        return losses._replace(stats=losses.stats | {"elbo": elbo})

    def encode(self, images: Tensor, condition: Tensor | None, draws: Draws) -> Encoded:
        posterior = self.posterior(images, condition)
        divergence = kl_to_standard_normal(posterior.mean, posterior.log_variance)
        seen, total = self.images, self.total_images
        weight = value_at(self.beta, seen, total) * value_at(self.warm_up, seen, total)
        return Encoded(
            z=posterior.sample(draws.normal("posterior", *posterior.mean.shape[1:])),
            terms={"divergence": weight * free_bits(divergence, self.free_bits)},
            stats={"kl": divergence.sum(1)},
        )


class VectorQuantising(Autoencoding):
    """Van den Oord et al. 2017: the codebook follows the encoder by moving averages (appendix A.1), without gradients.

    `commitment` is beta of equation 3. The curves `perplexity` and `codes_used` show how much of the codebook is used.
    """

    def __init__(self, system: System, run: Run, *, commitment: NonNegative = 0.25, **shared: Any) -> None:
        super().__init__(system, run, **shared)
        if not isinstance(self.model, VectorQuantised):
            raise ConfigError("trainer: this model has no codebook. Choose model=vqvae, or trainer=autoencoding.")
        self.commitment, self.quantised = commitment, self.model

    def take_step(self) -> None:
        super().take_step()
        self.quantised.update_codebook()

    def encode(self, images: Tensor, condition: Tensor | None, draws: Draws) -> Encoded:
        quantised = self.quantised.quantise(images)
        return Encoded(
            z=quantised.straight_through,
            terms={"commitment": self.commitment * commitment(quantised.latents, quantised.codes)},
            stats={"perplexity": quantised.perplexity, "codes_used": quantised.codes_used},
        )
