"""Residual generator and discriminator: Miyato et al. 2018, appendix B.4; with self-attention, Zhang et al. 2019."""

from collections.abc import Callable
from itertools import pairwise

from torch import Tensor, nn
from torch.nn.functional import relu

from genlab.core.spec import Spec
from genlab.core.types import Count, Whole
from genlab.models import map_sizes
from genlab.models.adversarial import discriminator as base
from genlab.models.layers.attention import with_attention
from genlab.models.layers.first_and_last import MapToImage, VectorToMap
from genlab.models.layers.minibatch import MinibatchName
from genlab.models.layers.residual import DownBlock, UpBlock
from genlab.models.layers.weights import WeightsName, initialise, set_apart


class Generator(nn.Module):
    """(z [N, latent], condition=None) -> images [N, C, H, W] in [-1, 1]: doubles the side until it is the data's.

    A condition sets scale and shift of every batch normalisation but the last.
    """

    def __init__(
        self,
        spec: Spec,
        latent_size: Count,
        *,
        width: Count = 64,  # channels of the largest map
        growth: map_sizes.Growth = "doubling",
        attention: Whole = 0,  # pixels a side of the largest map that may attend to itself; 0: none does
    ) -> None:
        super().__init__()
        innermost, levels = map_sizes.innermost_map(spec)
        sizes = map_sizes.widths(width, levels, growth)
        self.first = VectorToMap(latent_size, sizes[0], innermost)
        level = map_sizes.attention_level(map_sizes.map_sides(spec, levels)[::-1], attention)
        self.blocks = nn.ModuleList(
            with_attention(UpBlock(*pair, zero_embedding(spec)), pair[0], index == level)
            for index, pair in enumerate(pairwise(sizes))
        )
        self.last = MapToImage(sizes[-1], spec.channels)
        initialise("xavier", self.first, self.blocks)

    def forward(self, z: Tensor, condition: Tensor | None = None) -> Tensor:
        maps = self.first(z)
        for block in self.blocks:
            maps = block(maps, condition)
        return self.last(maps)


class Discriminator(base.Discriminator):
    """(images [N, C, H, W], condition=None) -> logits [N]. Features are the last maps, summed over all positions.

    With equally wide maps the side is halved down to 8 pixels and two blocks follow; otherwise to 4, and one follows.
    """

    def __init__(
        self,
        spec: Spec,
        *,
        width: Count = 64,  # channels of the largest map
        growth: map_sizes.Growth = "doubling",
        attention: Whole = 0,  # pixels a side of the largest map that may attend to itself; 0: none does
        weights: WeightsName = "xavier",
        minibatch: MinibatchName = "none",
        outputs: Count = 1,
    ) -> None:
        flat = map_sizes.is_flat(spec, growth)
        smallest, plain = (8, 2) if flat or growth == "constant" else (4, 1)
        downs = map_sizes.halvings(spec, smallest)
        sizes = [spec.channels, *map_sizes.discriminator_widths(width, downs + plain - 1, growth, flat=flat)]
        super().__init__(spec, sizes[-1], minibatch=minibatch, outputs=outputs)
        level = map_sizes.attention_level(map_sizes.map_sides(spec, downs), attention)
        self.blocks = nn.Sequential(
            *(
                with_attention(DownBlock(*pair, down=index < downs, first=index == 0), pair[0], index == level)
                for index, pair in enumerate(pairwise(sizes))
            )
        )
        initialise(weights, self)

    def features(self, images: Tensor, condition: Tensor | None = None) -> Tensor:
        return relu(self.blocks(images)).sum((2, 3))


def zero_embedding(spec: Spec) -> Callable[[int], nn.Module] | None:
    """Return a function: width -> embedding of the condition that starts at zero; None without a condition."""

    def make(width: int) -> nn.Module:
        layer = spec.condition.embedding(width)
        nn.init.zeros_(layer.weight)
        return set_apart(layer)

    return make if spec.condition_size else None
