"""A plain FastGAN generator, which earlier runs of projected_gan have: Liu et al. 2021, section 3.1."""

from itertools import pairwise

from torch import Tensor, nn
from torch.nn.functional import avg_pool2d

from genlab.core.spec import Spec
from genlab.core.types import Count
from genlab.models.adversarial.dcgan import init_normal
from genlab.models.layers.concatenation import Concatenation
from genlab.models.layers.first_and_last import FromVector
from genlab.models.layers.resample import UpsampleConv2d
from genlab.models.map_sizes import innermost_map


class Generator(nn.Module):
    """(z [N, latent], condition=None) -> images [N, C, H, W] in [-1, 1]: doubles the side until it is the data's.

    Each size has one convolution, batch normalisation and a gated linear unit; small maps scale the channels of large
    ones. An embedded condition is appended to z. The authors' second convolutions and noise are left out.
    """

    def __init__(
        self,
        spec: Spec,
        latent_size: Count,
        *,
        width: Count = 64,  # channels of the largest map; doubled each time the side halves
        most: Count = 512,  # channels of any map
        skip: Count = 4,  # doublings between a map and the one that it scales; at most all
    ) -> None:
        super().__init__()
        innermost, halvings = innermost_map(spec)
        widths = [min(width << level, most) for level in reversed(range(halvings + 1))]
        self.condition = Concatenation(spec)
        first = FromVector(latent_size + self.condition.extra, 2 * widths[0], innermost, bias=False)
        self.first = gated_layer(first, widths[0])
        self.blocks = nn.ModuleList(
            gated_layer(UpsampleConv2d(inputs, 2 * outs, bias=False), outs) for inputs, outs in pairwise(widths)
        )
        self.skip = min(skip, halvings)
        self.excitations = nn.ModuleList(
            Excitation(low, high, innermost) for low, high in zip(widths, widths[self.skip :], strict=False)
        )
        self.last = nn.Sequential(nn.Conv2d(widths[-1], spec.channels, 3, padding=1), nn.Tanh())
        self.apply(init_normal)

    def forward(self, z: Tensor, condition: Tensor | None = None) -> Tensor:
        maps = [self.first(self.condition(z, condition)[:, :, None, None])]
        for block in self.blocks:
            maps.append(self.excite(block(maps[-1]), maps))
        return self.last(maps[-1])

    def excite(self, high: Tensor, lower: list[Tensor]) -> Tensor:
        """Scale the channels of `high` by the map `skip` doublings below it, where there is one."""
        level = len(lower) - self.skip
        return high * self.excitations[level](lower[level]) if level >= 0 else high


def gated_layer(layer: nn.Module, outputs: int) -> nn.Sequential:
    """Return `layer`, of 2 x `outputs` channels, with batch normalisation and a gated linear unit after it."""
    return nn.Sequential(layer, nn.BatchNorm2d(2 * outputs), nn.GLU(dim=1))


class Excitation(nn.Sequential):
    """[N, low, h, w] -> a factor [N, high, 1, 1] for each channel of larger maps: equation 1 and figure 3."""

    def __init__(self, low: int, high: int, innermost: tuple[int, int]) -> None:
        squeeze = nn.Conv2d(low, high, innermost)
        super().__init__(squeeze, nn.LeakyReLU(0.1), nn.Conv2d(high, high, 1), nn.Sigmoid())
        self.side = innermost[0]

    def forward(self, maps: Tensor) -> Tensor:
        return super().forward(avg_pool2d(maps, maps.shape[2] // self.side))
