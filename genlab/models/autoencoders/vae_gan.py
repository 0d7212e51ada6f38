"""A VAE whose decoder is the generator of a GAN: Larsen et al. 2016."""

from collections.abc import Callable, Sequence

from torch import Tensor, nn

from genlab.core.errors import ConfigError
from genlab.core.spec import Spec
from genlab.core.types import PlayerName
from genlab.models.autoencoders.autoencoder import network_spec
from genlab.models.autoencoders.posterior import DiagonalNormal
from genlab.models.contract import HasFeatures, Model
from genlab.models.latent import Normal
from genlab.models.layers.spectral import normalise_players


class VAEGAN(Model):
    """Three players: encoder, generator (the decoder) and discriminator, whose features measure similarity."""

    def __init__(
        self,
        spec: Spec,
        *,
        latent: Normal,
        encoder: Callable[[Spec, int], nn.Module],  # (spec, outputs) -> network
        generator: Callable[[Spec, int], nn.Module],  # (spec, latent size) -> network; its images are in [-1, 1]
        discriminator: Callable[[Spec], nn.Module],
        conditional: bool = False,
        spectral_norm: Sequence[PlayerName] = (),  # networks whose every layer has norm 1: Miyato et al. 2018
    ) -> None:
        super().__init__()
        spec = network_spec(spec, conditional)
        self.latent, self.conditional = latent, conditional
        self.encoder = encoder(spec, 2 * latent.size)
        self.generator = generator(spec, latent.size)
        self.discriminator = discriminator(spec)
        normalise_players(self.players, spectral_norm)
        if not isinstance(self.discriminator, HasFeatures):
            raise ConfigError("model.discriminator: it needs `features`, in which this model compares images.")

    @property
    def players(self) -> dict[str, nn.Module]:
        return {"encoder": self.encoder, "generator": self.generator, "discriminator": self.discriminator}

    def posterior(self, images: Tensor, condition: Tensor | None = None) -> DiagonalNormal:
        return DiagonalNormal.of(self.encoder(images, condition).to(images.dtype))

    def codes(self, images: Tensor, condition: Tensor | None = None) -> Tensor:
        """Return the posterior's means [N, latent.size]."""
        return self.posterior(images, condition).mean
