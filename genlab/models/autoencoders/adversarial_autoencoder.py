"""The adversarial autoencoder, whose discriminator compares codes with a prior: Makhzani et al. 2016."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import ClassVar, Literal

from torch import Tensor, nn

from genlab.core.spec import Spec
from genlab.core.types import PlayerName
from genlab.models.autoencoders.autoencoder import Autoencoder, network_spec
from genlab.models.contract import Model
from genlab.models.latent import Normal, Uniform
from genlab.models.layers.spectral import normalise_players


class AdversarialAutoencoder(Model):
    """Three players for the paper's two phases: the autoencoder; the discriminator of codes [N, latent.size]; and the
    encoder as the generator of codes."""

    discriminates_codes: ClassVar[bool] = True

    def __init__(
        self,
        spec: Spec,
        *,
        latent: Normal | Uniform,  # the prior of the codes
        encoder: Callable[[Spec, int], nn.Module],  # (spec, latent size) -> network
        decoder: Callable[[Spec, int], nn.Module],  # (spec, latent size) -> network
        discriminator: Callable[[Spec], nn.Module],  # built for codes, which are points
        variance: Literal["fixed", "learned", "per_pixel"] = "fixed",  # of the decoder, as in `Autoencoder`
        conditional: bool = False,
        spectral_norm: Sequence[PlayerName] = (),  # networks whose every layer has norm 1: Miyato et al. 2018
    ) -> None:
        super().__init__()
        self.latent, self.conditional = latent, conditional
        networks = {"latent": latent, "encoder": encoder, "decoder": decoder}
        self.autoencoder = Autoencoder(spec, **networks, variance=variance, conditional=conditional)
        codes = replace(network_spec(spec, conditional), channels=latent.size, height=None, width=None, padding=0)
        self.discriminator = discriminator(codes)
        normalise_players(self.players, spectral_norm)

    @property
    def encoder(self) -> nn.Module:
        return self.autoencoder.encoder

    @property
    def generator(self) -> nn.Module:
        """Return the decoder, which makes samples from latents."""
        return self.autoencoder.decoder

    @property
    def players(self) -> dict[str, nn.Module]:
        return {"autoencoder": self.autoencoder, "discriminator": self.discriminator, "generator": self.encoder}

    def codes(self, images: Tensor, condition: Tensor | None = None) -> Tensor:
        """Return codes [N, latent.size] of images."""
        return self.encoder(images, condition)
