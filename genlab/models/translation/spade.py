"""SPADE's generator: Park et al. 2019, figures 4 and 11."""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor, nn
from torch.nn.functional import leaky_relu

from genlab.core.spec import Spec
from genlab.core.types import Count
from genlab.models.latent import Nothing
from genlab.models.layers.first_and_last import VectorToMap
from genlab.models.layers.residual import double
from genlab.models.layers.spatial_norm import NormName, SPADEBlock, nearest
from genlab.models.layers.weights import initialise
from genlab.models.map_sizes import halvings

WIDEST = 16  # times the largest map's width
SMALLEST = 4  # pixels a side of the first map


class Generator(nn.Module):
    """(z [N, latent], source [N, S, H, W]) -> images [N, C, H, W] in [-1, 1].

    The side is doubled until it is the image's, from 4 pixels or fewer, or an odd number of them; every normalisation
    looks at the source. The first map is made of the latent, or, where there is none, of the source at that size: then
    sources of other sizes will do, if both sides are multiples of `side_multiple`.

    Raises ConfigError for data without sources, and sources of another size than images.
    """

    def __init__(
        self,
        spec: Spec,
        latent_size: int | None = None,
        *,
        width: Count = 64,  # channels of the largest map; doubled each time the side halves, up to 16 times
        norm: NormName = "batch",
    ) -> None:
        super().__init__()
        spec.require_images()
        spec.require_source_of_its_size()
        levels, source = halvings(spec, SMALLEST), spec.source_channels
        sizes = [width * min(WIDEST, 2**level) for level in reversed(range(levels + 1))]
        self.shrink = 2**levels
        self.noisy, self.latent = bool(latent_size), Nothing()
        self.side_multiple = None if self.noisy else self.shrink
        innermost = spec.height // self.shrink, spec.width // self.shrink
        first = VectorToMap(latent_size, sizes[0], innermost) if latent_size else None
        self.first = first or nn.Conv2d(source, sizes[0], 3, padding=1)
        self.blocks = nn.ModuleList(
            SPADEBlock(*pair, source, hidden=2 * width, norm=norm) for pair in pairwise([sizes[0], *sizes])
        )
        self.last = nn.Conv2d(width, spec.channels, 3, padding=1)
        initialise("xavier", self)

    def forward(self, z: Tensor, source: Tensor) -> Tensor:
        maps = self.start(z, source)
        for number, block in enumerate(self.blocks):
            maps = block(double(maps) if number else maps, source)
        return self.last(leaky_relu(maps, 0.2)).tanh()

    def start(self, z: Tensor, source: Tensor) -> Tensor:
        if self.noisy:
            return self.first(z)
        return self.first(nearest(source, tuple(side // self.shrink for side in source.shape[2:])))
