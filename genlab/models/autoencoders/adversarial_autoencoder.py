"""An autoencoder whose codes a discriminator compares with a prior: Makhzani et al. 2016."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import ClassVar, Literal

from torch import Tensor, nn

from genlab.core.spec import Spec
from genlab.models.adversarial.gan import PlayerName
from genlab.models.autoencoders.autoencoder import Autoencoder, told
from genlab.models.latent import Normal, Uniform
from genlab.models.layers.spectral import normalise_players


class AdversarialAutoencoder(nn.Module):
    """Three players, as the paper's two phases have it: the autoencoder; the discriminator, which sees codes
    [N, latent.size]; and the encoder once more, as their generator."""

    caption: ClassVar[str] = ""
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
        spectral_norm: Sequence[PlayerName] = (),  # networks whose every layer has norm 1: Miyato et al. 2018
    ) -> None:
        super().__init__()
        self.latent, self.conditional = latent, conditional
        networks = {"latent": latent, "encoder": encoder, "decoder": decoder}
        self.autoencoder = Autoencoder(spec, **networks, variance=variance, conditional=conditional)
        codes = replace(told(spec, conditional), channels=latent.size, height=None, width=None, padding=0)
        self.discriminator = discriminator(codes)
        normalise_players(self.players, spectral_norm)

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
