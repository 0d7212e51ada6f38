"""An autoencoder whose codes a discriminator compares with a prior: Makhzani et al. 2016."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import ClassVar, Literal

from torch import Tensor, nn

from genlab.core.spec import Spec
from genlab.models.autoencoders.autoencoder import Autoencoder, told
from genlab.models.contract import Model
from genlab.models.latent import Normal, Uniform


class AdversarialAutoencoder(Model):
    """Three players, as the paper's two phases have it: the autoencoder; the discriminator, which sees codes
    [N, latent.size]; and the encoder once more, as their generator."""

    discriminates_codes: ClassVar[bool] = True

    def __init__(
        self,
        spec: Spec,
        *,
        latent: Normal | Uniform,  # the prior that codes are to follow
        encoder: Callable[[Spec, int], nn.Module],  # (spec, latent size) -> network
        decoder: Callable[[Spec, int], nn.Module],  # (spec, latent size) -> network
        discriminator: Callable[[Spec], nn.Module],  # built for codes, which are points
        variance: Literal["fixed", "learned", "per_pixel"] = "fixed",  # as `Autoencoder` has it
        conditional: bool = False,
    ) -> None:
        super().__init__()
        self.latent, self.conditional = latent, conditional
        networks = {"latent": latent, "encoder": encoder, "decoder": decoder}
        self.autoencoder = Autoencoder(spec, **networks, variance=variance, conditional=conditional)
        codes = replace(told(spec, conditional), channels=latent.size, height=None, width=None, padding=0)
        self.discriminator = discriminator(codes)

    @property
    def encoder(self) -> nn.Module:
        return self.autoencoder.encoder

    @property
    def generator(self) -> nn.Module:
        """What images are sampled from."""
        return self.autoencoder.decoder

    @property
    def players(self) -> dict[str, nn.Module]:
        return {"autoencoder": self.autoencoder, "discriminator": self.discriminator, "generator": self.encoder}

    def codes(self, images: Tensor, condition: Tensor | None = None) -> Tensor:
        """[N, latent.size]."""
        return self.encoder(images, condition)
