"""pix2pixHD's coarse-to-fine generator: Wang et al. 2018, section 3.1."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from genlab.core.errors import ConfigError
from genlab.core.spec import Spec
from genlab.core.types import Count, Whole
from genlab.models.adversarial.dcgan import init_normal
from genlab.models.latent import no_latent
from genlab.models.layers.downsample import halve
from genlab.models.translation.resnet_translator import Block, Down, NormName, Trunk, Up, conv_norm

SMALLEST = 4  # fewest pixels a side of the global network's source, padded by reflecting 3, and of its maps
HALVINGS = 4  # most halvings of the global network: the paper's


class Generator(nn.Module):
    """(z [N, 0], source [N, S, H, W]) -> images [N, C, H, W] in [-1, 1].

    Sources of other sizes are accepted if both sides are multiples of `side_multiple`.

    A global network makes maps from the source, halved once for each enhancer; every enhancer then doubles their size.
    The weights of a generator with fewer enhancers, trained at a smaller size, can be loaded (`init_from`), so that the
    global network is trained first: new enhancers and the last layer then keep their initial weights.

    Raises ConfigError for data without sources, sources of another size than images, and images that are too small.
    """

    def __init__(
        self,
        spec: Spec,
        latent_size: int | None = None,  # there is no noise
        *,
        width: Count = 64,  # channels of the global network's largest map; doubled each time the side halves
        blocks: Whole = 9,  # residual ones, in its middle
        halvings: Whole | None = None,  # of its source's side; null: as many as leave 4 pixels, at most 4
        enhancers: Whole = 1,  # each has half the channels of the one before
        enhancer_blocks: Whole = 3,  # residual ones, in the middle of each
        norm: NormName = "instance_plain",
    ) -> None:
        super().__init__()
        self.latent = no_latent(latent_size)
        halvings, source = halvings_of(spec, enhancers, halvings), spec.require_source().input_channels
        self.side_multiple = max(SMALLEST, 2 << halvings) << enhancers  # large enough for every map
        widths = [max(1, width >> number) for number in range(enhancers + 1)]
        self.coarse = Trunk(source, width=width, blocks=blocks, halvings=halvings, norm=norm)
        self.enhancers = nn.ModuleList(
            Enhancer(source, *pair, blocks=enhancer_blocks, norm=norm) for pair in zip(widths, widths[1:], strict=False)
        )
        self.last = nn.Sequential(*conv_norm(widths[-1], spec.channels, 7, "none"), nn.Tanh())
        self.apply(init_normal)

    def forward(self, z: Tensor, source: Tensor) -> Tensor:
        sources = [source]
        for _ in self.enhancers:
            sources.append(halve(sources[-1]))
        maps = self.coarse(sources.pop())
        for enhancer in self.enhancers:
            maps = enhancer(maps, sources.pop())
        return self.last(maps)

    def load_state_dict(self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False) -> Any:
        """Load a state dict, also that of a generator with fewer enhancers."""
        own = self.state_dict()
        missing = own.keys() - state_dict.keys()
        if missing and all(name.startswith("enhancers.") for name in missing):
            state_dict = own | {name: value for name, value in state_dict.items() if not name.startswith("last.")}
        return super().load_state_dict(state_dict, strict, assign)


class Enhancer(nn.Module):
    """(maps [N, in, h, w], source [N, S, H, W]) -> [N, out, H, W], of twice the size: G2 of figure 3."""

    def __init__(self, source: int, inputs: int, outputs: int, *, blocks: int, norm: NormName) -> None:
        super().__init__()
        self.first = nn.Sequential(*conv_norm(source, outputs, 7, norm), nn.ReLU())
        self.down, self.up = Down(outputs, inputs, norm), Up(inputs, outputs, norm)
        self.blocks = nn.Sequential(*(Block(inputs, norm) for _ in range(blocks)))

    def forward(self, maps: Tensor, source: Tensor) -> Tensor:
        return self.up(self.blocks(maps + self.down(self.first(source))), source.shape[2:])


def halvings_of(spec: Spec, enhancers: int, asked: int | None) -> int:
    """Return how often the global network halves its source's side, rounding up."""
    spec.require_images()
    spec.require_source_of_its_size()
    side = -(-min(spec.height, spec.width) >> enhancers)
    fitting = [number for number in range(HALVINGS + 1) if -(-side >> number) >= SMALLEST]
    if not fitting or (asked is not None and -(-side >> asked) < 2):
        raise ConfigError(
            f"model.generator.enhancers={enhancers} halvings={'null' if asked is None else asked}: of images of "
            f"{spec.width} x {spec.height} pixels the global network sees {side} a side; it needs {SMALLEST}, and 2 "
            "where they are halved most. Set fewer of either, or a larger data.size."
        )
    return fitting[-1] if asked is None else asked
