"""BigGAN-deep's networks: Brock et al. 2019, appendix B. Two bottleneck blocks a size."""

from functools import partial
from itertools import pairwise
from typing import ClassVar

from torch import Tensor, nn
from torch.nn.functional import relu

from genlab.core.spec import Spec
from genlab.core.types import Count, Whole
from genlab.models import map_sizes
from genlab.models.adversarial import discriminator as base
from genlab.models.adversarial.biggan import SharedEmbedding
from genlab.models.layers.attention import with_attention
from genlab.models.layers.bottleneck import DownBottleneck, UpBottleneck
from genlab.models.layers.first_and_last import MapToImage, VectorToMap
from genlab.models.layers.minibatch import MinibatchName
from genlab.models.layers.weights import initialise


class Generator(nn.Module):
    """(z [N, latent], condition=None) -> images [N, C, H, W] in [-1, 1]: doubles the side until it is the data's.

    z with the embedded condition becomes the innermost map, and sets scale and shift in every block.
    """

    standing_statistics: ClassVar[bool] = True  # gathered anew for truncated latents

    def __init__(
        self,
        spec: Spec,
        latent_size: Count,
        *,
        width: Count = 128,  # channels of the largest map
        growth: map_sizes.Growth = "doubling",
        attention: Whole = 64,  # pixels a side of the largest map that may attend to itself; 0: none does
        embedding_size: Count = 128,  # of the condition
    ) -> None:
        super().__init__()
        innermost, levels = map_sizes.innermost_map(spec)
        sizes = map_sizes.widths(width, levels, growth)
        self.shared = SharedEmbedding(spec, embedding_size)
        inputs = latent_size + self.shared.extra
        embed = partial(nn.Linear, inputs, bias=False)
        self.first = VectorToMap(inputs, sizes[0], innermost)
        level = map_sizes.attention_level(map_sizes.map_sides(spec, levels)[::-1], attention)
        self.blocks = nn.ModuleList()
        for index, (wide, narrow) in enumerate(pairwise(sizes)):
            same = UpBottleneck(wide, wide, embed, up=False)
            self.blocks += [with_attention(same, wide, index == level), UpBottleneck(wide, narrow, embed)]
        self.last = MapToImage(sizes[-1], spec.channels)
        initialise("orthogonal", self)

    def forward(self, z: Tensor, condition: Tensor | None = None) -> Tensor:
        conditioned = self.shared(z, condition)
        maps = self.first(conditioned)
        for block in self.blocks:
            maps = block(maps, conditioned)
        return self.last(maps)


class Discriminator(base.Discriminator):
    """(images [N, C, H, W], condition=None) -> logits [N]. Features are the last maps, summed over all positions.

    The side is halved down to 4 pixels; with equally wide maps to 8, and two blocks of that size follow.
    """

    def __init__(
        self,
        spec: Spec,
        *,
        width: Count = 128,  # channels of the largest map
        growth: map_sizes.Growth = "doubling",
        attention: Whole = 64,  # pixels a side of the largest map that may attend to itself; 0: none does
        minibatch: MinibatchName = "none",
        outputs: Count = 1,
    ) -> None:
        flat = map_sizes.is_flat(spec, growth)
        downs = map_sizes.halvings(spec, smallest=8 if flat else 4)
        sizes = map_sizes.discriminator_widths(width, downs + flat, growth, flat=flat)
        super().__init__(spec, sizes[-1], minibatch=minibatch, outputs=outputs)
        self.first = nn.Conv2d(spec.channels, sizes[0], 3, padding=1)
        level = map_sizes.attention_level(map_sizes.map_sides(spec, downs), attention)
        self.blocks = nn.Sequential()
        for index, (inputs, outs) in enumerate(pairwise(sizes)):
            halved = DownBottleneck(inputs, outs, down=index < downs)
            self.blocks.append(with_attention(halved, inputs, index == level))
            self.blocks.append(DownBottleneck(outs, outs, down=False))
        initialise("orthogonal", self)

    def features(self, images: Tensor, condition: Tensor | None = None) -> Tensor:
        return relu(self.blocks(self.first(images))).sum((2, 3))
