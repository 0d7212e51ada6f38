"""Strategies of autoencoders: one player, one turn a step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, ClassVar, NamedTuple

from torch import Tensor

from genlab.core.errors import ConfigError
from genlab.core.random import Draws
from genlab.core.schedule import Changing, Line, value_at
from genlab.core.types import NonNegative, Whole
from genlab.losses.kl_to_prior import free_bits, kl_to_standard_normal
from genlab.losses.quantisation import commitment
from genlab.models.contract import GivesPosterior, VectorQuantised
from genlab.trainers.sample_stream import SampleStream
from genlab.trainers.system import Run, System
from genlab.trainers.trainer import Trainer
from genlab.trainers.turns import Losses, Phase


class Code(NamedTuple):
    """What the decoder is given, and what it costs beside the reconstruction."""

    z: Tensor
    terms: dict[str, Tensor] = {}
    stats: dict[str, Tensor] = {}


class Autoencoding(Trainer):
    """Minimises the reconstruction error alone.

    With `corrupt` the encoder sees a damaged image and the decoder is to give the whole one: Vincent et al. 2008.
    """

    moves: ClassVar[frozenset[str]] = frozenset({"autoencoder"})

    def __init__(
        self,
        system: System,
        run: Run,
        *,
        corrupt: Callable[[Tensor, Draws], Tensor] | None = None,  # (images, draws) -> what the encoder is shown
        **shared: Any,  # what every trainer takes
    ) -> None:
        super().__init__(system, run, **shared)
        self.samples = replace(self.samples, decoding=self.loss)
        self.corrupt = corrupt
        self.phase = Phase("autoencoder", "autoencoder", self.measure)

    @classmethod
    def sample_stream(cls, *args: Any, loss: Callable[[], Any], **settings: Any) -> SampleStream:
        return replace(super().sample_stream(*args, loss=loss, **settings), decoding=loss())

    def take_step(self) -> None:
        self.take_turn(self.phase)
        self.players["autoencoder"].end_turn(self.batch_size)
        self.images += self.batch_size
        if self.ema:
            self.ema.update(self.batch_size, self.images)

    def measure(self, phase: Phase, draws: Draws) -> Losses:
        images = self.stream.batch("autoencoder", draws.position, draws)
        condition = self.stream.labels("autoencoder", draws.position, draws) if self.model.conditional else None
        shown = images if self.corrupt is None else self.corrupt(images, draws)
        code = self.encode(shown, condition, draws)
        output = self.model.decoder(code.z, condition).to(images.dtype)  # sums over pixels need float32
        return Losses({"reconstruction": self.loss.reconstruction(output, images)} | code.terms, code.stats)

    def encode(self, images: Tensor, condition: Tensor | None, draws: Draws) -> Code:
        return Code(self.model.codes(images, condition))


class Variational(Autoencoding):
    """Maximises the evidence lower bound: Kingma and Welling 2014, equation 10, one sample of z an image.

    The divergence may count `beta` times (Higgins et al. 2017, equation 4), rise to that over the first `kl_warmup`
    images, and be free below `free_bits`. The published `elbo` and `kl` are those of beta 1 in any case.
    """

    def __init__(
        self,
        system: System,
        run: Run,
        *,
        beta: Changing[NonNegative] = 1.0,  # weight of the divergence
        kl_warmup: Whole = 0,  # images until the weight is reached, from 0 in a straight line
        free_bits: NonNegative = 0.0,  # nats of each dimension of the latent
        **shared: Any,
    ) -> None:
        super().__init__(system, run, **shared)
        if not isinstance(self.model, GivesPosterior):
            raise ConfigError(
                "trainer: this model's encoder gives no distribution, which a variational trainer needs. Choose "
                "model=vae, or trainer=autoencoding."
            )
        self.beta, self.free_bits = beta, free_bits
        self.warm_up = Line(0.0, 1.0, images=kl_warmup) if kl_warmup else 1.0  # Bowman et al. 2016, section 3.1

    def measure(self, phase: Phase, draws: Draws) -> Losses:
        losses = super().measure(phase, draws)
        elbo = -losses.terms["reconstruction"] - losses.stats["kl"]
        return losses._replace(stats=losses.stats | {"elbo": elbo})

    def encode(self, images: Tensor, condition: Tensor | None, draws: Draws) -> Code:
        posterior = self.model.posterior(images, condition)
        divergence = kl_to_standard_normal(posterior.mean, posterior.log_variance)
        seen, total = self.images, self.total_images
        weight = value_at(self.beta, seen, total) * value_at(self.warm_up, seen, total)
        return Code(
            z=posterior.sample(draws.normal("posterior", self.model.latent.size)),
            terms={"divergence": weight * free_bits(divergence, self.free_bits)},
            stats={"kl": divergence.sum(1)},
        )


class VectorQuantising(Autoencoding):
    """Van den Oord et al. 2017: the codebook follows the encoder by moving averages (appendix A.1), without gradients.

    `perplexity` and `codes_used` say how much of the codebook a batch uses.
    """

    def __init__(
        self,
        system: System,
        run: Run,
        *,
        commitment: NonNegative = 0.25,  # beta of equation 3
        **shared: Any,
    ) -> None:
        super().__init__(system, run, **shared)
        if not isinstance(self.model, VectorQuantised):
            raise ConfigError("trainer: this model has no codebook. Choose model=vqvae, or trainer=autoencoding.")
        self.commitment = commitment

    def take_step(self) -> None:
        super().take_step()
        self.model.update_codebook()

    def encode(self, images: Tensor, condition: Tensor | None, draws: Draws) -> Code:
        found = self.model.quantise(images)
        return Code(
            z=found.straight_through,
            terms={"commitment": self.commitment * commitment(found.latents, found.codes)},
            stats={"perplexity": found.perplexity, "codes_used": found.codes_used},
        )
