"""A mixture of several generators in place of one."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from genlab.core.errors import ConfigError
from genlab.core.spec import Spec
from genlab.core.types import Count
from genlab.models.layers.virtual_norm import virtual_layers


class Mixture(nn.Module):
    """(z [N, latent + 1], condition=None) -> images [N, C, H, W]; z's last column is the number of the generator.

    The uniform mixture of generators of Arora et al. 2017, section 4, against one discriminator. Hoang et al. 2018
    (MGAN) and Ghosh et al. 2018 (MAD-GAN) add a classifier that tells the generators apart, which is not done here.
    Each generator sees only its own rows of a batch. In training the sorted batch is cut into equal parts, which avoids
    a synchronisation and is exact for batches that the generators divide, as `NormalWithGenerator` numbers them.

    Raises ConfigError for generators with a reference batch, of which each would see only a part, and for latents
    without a number.
    """

    def __init__(
        self,
        spec: Spec,
        latent_size: Count,
        *,
        network: Callable[[Spec, int], nn.Module],  # (spec, latent size) -> generator
        generators: Count = 4,
    ) -> None:
        super().__init__()
        self.latent_size = latent_size
        self.generators = nn.ModuleList(network(spec, latent_size) for _ in range(generators))
        if virtual_layers(self):
            raise ConfigError("model.generator.network.norm=virtual: not in a mixture. Choose batch, layer or none.")

    def forward(self, z: Tensor, condition: Tensor | None = None) -> Tensor:
        if z.shape[1] != self.latent_size + 1:
            raise ConfigError(
                "model.latent: its latents name no generator, and model.generator is a mixture. "
                "Set model.latent._target_=genlab.models.NormalWithGenerator."
            )
        z, number = z[:, :-1], z[:, -1].round().long().clamp(0, len(self.generators) - 1)
        if torch.jit.is_tracing() or torch.compiler.is_compiling():
            return self.generate_all_and_choose(z, condition, number)
        order = number.argsort(stable=True)
        given = None if condition is None else condition[order]
        return self.generate_sorted(z[order], given, self.rows_per_generator(number))[order.argsort()]

    def rows_per_generator(self, number: Tensor) -> list[int]:
        count = len(self.generators)
        if self.training:
            return [len(number) // count + (index < len(number) % count) for index in range(count)]
        return torch.bincount(number, minlength=count).tolist()

    def generate_sorted(self, z: Tensor, condition: Tensor | None, shares: list[int]) -> Tensor:
        """Return images of rows that are sorted by generator."""
        given = [None] * len(shares) if condition is None else condition.split(shares)
        parts = zip(self.generators, z.split(shares), given, strict=True)
        return torch.cat([generator(part, condition_part) for generator, part, condition_part in parts if len(part)])

    def generate_all_and_choose(self, z: Tensor, condition: Tensor | None, number: Tensor) -> Tensor:
        """Return images chosen from those of all generators: no shape depends on data, as tracing demands."""
        images = torch.stack([generator(z, condition) for generator in self.generators], 1)
        return images[torch.arange(z.shape[0], device=z.device), number]  # `len` would fix the batch
