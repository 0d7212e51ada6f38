"""The autoencoder and the VAE: an encoder, a decoder, and the latent between them."""

from collections.abc import Callable
from dataclasses import replace
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

from genlab.core.errors import ConfigError
from genlab.core.spec import Spec
from genlab.models.autoencoders.posterior import DiagonalNormal
from genlab.models.contract import Model
from genlab.models.latent import Normal, Uniform


class Autoencoder(Model):
    """One player. Encoder: `(images, condition=None) -> latent`; decoder: `(z, condition=None) -> output`.

    The loss interprets outputs. For losses that use variances too, the decoder has twice the channels (`per_pixel`),
    or one learned number for all is appended to its means (`learned`).

    Raises ConfigError if it is conditional and the data have no labels.
    """

    caption: ClassVar[str] = "no prior was trained"  # note on images that are decoded from `latent`
    outputs: ClassVar[int] = 1  # the encoder's outputs for each dimension of the latent

    def __init__(
        self,
        spec: Spec,
        *,
        latent: Normal | Uniform,
        encoder: Callable[[Spec, int], nn.Module],  # (spec, outputs) -> network
        decoder: Callable[[Spec, int], nn.Module],  # (spec, latent size) -> network
        variance: Literal["fixed", "learned", "per_pixel"] = "fixed",
        conditional: bool = False,
    ) -> None:
        super().__init__()
        spec = network_spec(spec, conditional)
        self.latent, self.conditional = latent, conditional
        self.encoder = encoder(spec, self.outputs * latent.size)
        wide = replace(spec, channels=2 * spec.channels) if variance == "per_pixel" else spec
        self.decoder = decoder(wide, latent.size)
        if variance == "learned":
            self.decoder = SharedVariance(self.decoder)

    @property
    def generator(self) -> nn.Module:
        return self.decoder

    @property
    def players(self) -> dict[str, nn.Module]:
        return {"autoencoder": self}

    def codes(self, images: Tensor, condition: Tensor | None = None) -> Tensor:
        """Return codes [N, latent.size] of images."""
        return self.encoder(images, condition)

    def forward(self, images: Tensor, condition: Tensor | None = None) -> Tensor:
        return self.decoder(self.codes(images, condition), condition)


class VAE(Autoencoder):
    """An autoencoder whose encoder gives a distribution: Kingma and Welling 2014; conditional: Sohn et al. 2015."""

    caption: ClassVar[str] = ""
    outputs: ClassVar[int] = 2

    def posterior(self, images: Tensor, condition: Tensor | None = None) -> DiagonalNormal:
        return DiagonalNormal.of(self.encoder(images, condition).to(images.dtype))

    def codes(self, images: Tensor, condition: Tensor | None = None) -> Tensor:
        """Return the posterior's means [N, latent.size]."""
        return self.posterior(images, condition).mean


def network_spec(spec: Spec, conditional: bool) -> Spec:
    """Return the spec that networks are built for. Raises ConfigError if conditional, for data without labels."""
    if conditional and spec.condition_size is None:
        raise ConfigError("model.conditional=true: the data have no labels. Choose labelled data, or set it to false.")
    return spec if conditional else spec.unconditional


class SharedVariance(nn.Module):
    """A decoder with one learned log variance for all values: its means [N, C, ...] -> [N, 2C, ...]."""

    def __init__(self, decoder: nn.Module) -> None:
        super().__init__()
        self.decoder = decoder
        self.log_variance = nn.Parameter(torch.zeros(()))

    def forward(self, z: Tensor, condition: Tensor | None = None) -> Tensor:
        mean = self.decoder(z, condition)
        return torch.cat([mean, self.log_variance.expand_as(mean)], dim=1)
