"""Several generators in place of one."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn

from genlab.errors import ConfigError
from genlab.models.layers.virtual_norm import virtual_layers
from genlab.spec import Spec
from genlab.types import Count


class Mixture(nn.Module):
    """(z [N, latent], condition=None) -> images [N, C, H, W]: image i comes from generator i mod k.

    The uniform mixture of generators of Arora et al. 2017, section 4, against one discriminator. Hoang et al. 2018
    (MGAN) and Ghosh et al. 2018 (MAD-GAN) add a classifier that tells the generators apart, which is not done here.
    Each generator sees its own share of a batch alone; batches that k divides are shared evenly.

    Raises ConfigError for generators with a reference batch, of which each would see but a share.
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
        self.generators = nn.ModuleList(network(spec, latent_size) for _ in range(generators))
        if virtual_layers(self):
            raise ConfigError("model.generator.network.norm=virtual: not in a mixture. Choose batch, layer or none.")

    def forward(self, z: Tensor, condition: Tensor | None = None) -> Tensor:
        count, used = len(self.generators), self.generators[: len(z)]
        shares = [slice(index, None, count) for index in range(len(used))]
        conditions = [None if condition is None else condition[share] for share in shares]
        parts = [generator(z[share], given) for generator, share, given in zip(used, shares, conditions, strict=True)]
        images = parts[0].new_empty(len(z), *parts[0].shape[1:])
        for share, part in zip(shares, parts, strict=True):
            images[share] = part
        return images
