"""BigGAN-deep's networks: Brock et al. 2019, appendix B. Two bottleneck blocks a size."""

from __future__ import annotations

from functools import partial
from itertools import pairwise

from torch import Tensor, nn
from torch.nn.functional import relu

from genlab.core.spec import Spec
from genlab.core.types import Count, Whole
from genlab.models.adversarial import discriminator as base
from genlab.models.adversarial.biggan import SharedEmbedding
from genlab.models.layers.attention import attending
from genlab.models.layers.bottleneck import DownBottleneck, UpBottleneck
from genlab.models.layers.first_and_last import MapToImage, VectorToMap
from genlab.models.layers.minibatch import MinibatchName
from genlab.models.layers.weights import initialise
from genlab.models.map_sizes import Growth, attended, halvings, innermost_map, map_sides, widths


class Generator(nn.Module):
    """(z [N, latent], condition=None) -> images [N, C, H, W] in [-1, 1]: doubles the side until it is the data's.

    z and the embedded condition together become the innermost map, and choose scale and shift in every block.
    """

    def __init__(
        self,
        spec: Spec,
        latent_size: Count,
        *,
        width: Count = 128,  # channels of the largest map
        growth: Growth = "doubling",
        attention: Whole = 64,  # pixels a side of the largest map that may attend to itself; 0: none does
        embedding_size: Count = 128,  # of the condition
    ) -> None:
        super().__init__()
        innermost, levels = innermost_map(spec)
        sizes = widths(width, levels, growth)
        self.shared = SharedEmbedding(spec, embedding_size)
        told = latent_size + self.shared.extra
        embed = partial(nn.Linear, told, bias=False)
        self.first = VectorToMap(told, sizes[0], innermost)
        place = attended(map_sides(spec, levels)[::-1], attention)
        self.blocks = nn.ModuleList()
        for index, (inputs, outputs) in enumerate(pairwise(sizes)):
            same = UpBottleneck(inputs, inputs, embed, up=False)
            self.blocks += [attending(same, inputs, index == place), UpBottleneck(inputs, outputs, embed)]
        self.last = MapToImage(sizes[-1], spec.channels)
        initialise("orthogonal", self)

    def forward(self, z: Tensor, condition: Tensor | None = None) -> Tensor:
        told = self.shared(z, condition)
        maps = self.first(told)
        for block in self.blocks:
            maps = block(maps, told)
        return self.last(maps)


class Discriminator(base.Discriminator):
    """(images [N, C, H, W], condition=None) -> logits [N]. Features are the last maps, summed over all places."""

    def __init__(
        self,
        spec: Spec,
        *,
        width: Count = 128,  # channels of the largest map
        growth: Growth = "doubling",
        attention: Whole = 64,  # pixels a side of the largest map that may attend to itself; 0: none does
        minibatch: MinibatchName = "none",
        outputs: Count = 1,
    ) -> None:
        downs = halvings(spec, smallest=4)
        sizes = widths(width, downs, growth)[::-1]
        super().__init__(spec, sizes[-1], minibatch=minibatch, outputs=outputs)
        self.first = nn.Conv2d(spec.channels, sizes[0], 3, padding=1)
        place = attended(map_sides(spec, downs), attention)
        self.blocks = nn.Sequential()
        for index, (inputs, outs) in enumerate(pairwise(sizes)):
            self.blocks.append(attending(DownBottleneck(inputs, outs), inputs, index == place))
            self.blocks.append(DownBottleneck(outs, outs, down=False))
        initialise("orthogonal", self)

    def features(self, images: Tensor, condition: Tensor | None = None) -> Tensor:
        return relu(self.blocks(self.first(images))).sum((2, 3))
