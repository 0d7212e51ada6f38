"""SPADE's generator: Park et al. 2019, figures 4 and 11."""

from itertools import pairwise

from torch import Tensor, nn
from torch.nn.functional import leaky_relu

from genlab.core.spec import Spec
from genlab.core.types import Count
from genlab.models.latent import EmptyLatent
from genlab.models.layers.first_and_last import VectorToMap
from genlab.models.layers.residual import upsample_nearest
from genlab.models.layers.spatial_norm import NormName, SPADEBlock, resize_nearest
from genlab.models.layers.weights import initialise
from genlab.models.map_sizes import halvings

WIDEST = 16  # most channels, as a multiple of the largest map's
SMALLEST = 4  # pixels a side of the first map


class Generator(nn.Module):
    """(z [N, latent], source [N, S, H, W]) -> images [N, C, H, W] in [-1, 1].

    The side is doubled from at most 4 pixels, or an odd number, to the image's; every normalisation uses the source.
    The first map is made from the latent or, without one, from the source at that size; then sources of other sizes
    are accepted if both sides are multiples of `side_multiple`.

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
        source = spec.require_source_of_its_size().input_channels
        levels = halvings(spec, SMALLEST)
        sizes = [width * min(WIDEST, 2**level) for level in reversed(range(levels + 1))]
        self.shrink = 2**levels
        self.noisy, self.latent = bool(latent_size), EmptyLatent()
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
        maps = self.first_maps(z, source)
        for number, block in enumerate(self.blocks):
            maps = block(upsample_nearest(maps) if number else maps, source)
        return self.last(leaky_relu(maps, 0.2)).tanh()

    def first_maps(self, z: Tensor, source: Tensor) -> Tensor:
        if self.noisy:
            return self.first(z)
        return self.first(resize_nearest(source, tuple(side // self.shrink for side in source.shape[2:])))
