"""PatchGAN, a discriminator that judges patches of an image: Isola et al. 2017, sections 3.2.2 and 6.1.2."""

from itertools import pairwise
from typing import Literal

from torch import Tensor, nn

from genlab.core.errors import ConfigError
from genlab.core.spec import Spec
from genlab.core.types import Count
from genlab.models.adversarial.dcgan import init_normal_zero_bias
from genlab.models.layers.concatenation import ConcatenatedSource
from genlab.models.layers.norm import norm2d, wants_bias

NormName = Literal["batch", "layer", "instance", "instance_plain", "none"]
Field = Literal[16, 34, 70, 142, 286, "image"]

FIELDS = (16, 34, 70, 142, 286)  # pixels a side, after 1, 2, ... halvings
WIDEST = 8  # largest width, as a multiple of the first map's


class PatchGAN(nn.Module):
    """(images [N, C, H, W], source=None) -> logits [N, h, w], one for each patch of the image and its source.

    With `receptive_field` "image" a logit in the middle covers the whole image. Raises ConfigError for images that are
    too small for the receptive field.
    """

    def __init__(
        self,
        spec: Spec,
        *,
        width: Count = 64,  # channels of the first map; doubled each time the side halves, up to 8 times
        receptive_field: Field | None = None,  # pixels a side; null: at most half the image's (70 of 256), at least 16
        norm: NormName = "batch",  # instance_plain: CycleGAN's, which learns no scales
        padding: Literal[1, 2] = 1,  # pixels around every map; 2: pix2pixHD's and SPADE's, for more patches
    ) -> None:
        super().__init__()
        refuse_labels(spec)
        self.source = ConcatenatedSource(spec)
        halvings = halvings_of(spec, receptive_field)
        sizes = [width * min(WIDEST, 2**level) for level in range(halvings + 1)]
        first = nn.Conv2d(spec.channels + self.source.extra, width, 4, 2, padding)
        self.layers = nn.Sequential(first, nn.LeakyReLU(0.2))
        for level, pair in enumerate(pairwise(sizes), start=1):
            self.layers.extend(block(*pair, norm=norm, stride=2 if level < halvings else 1, padding=padding))
        self.last = nn.Conv2d(sizes[-1], 1, 4, 1, padding)
        self.apply(init_normal_zero_bias)

    def features(self, images: Tensor, source: Tensor | None = None) -> Tensor:
        """Return features [N, F, h', w']."""
        return self.layers(self.source(images, source))

    def layer_maps(self, pictures: Tensor) -> list[Tensor]:
        """Return the maps of every layer for images beside their sources; the last is `features`."""
        found = []
        for layer in self.layers:
            pictures = layer(pictures)
            found += [pictures] if isinstance(layer, nn.LeakyReLU) else []
        return found

    def layer_shapes(self, height: int, width: int) -> list[tuple[int, int, int]]:
        """Return (F, h, w) of the maps of every layer, and last (1, h, w) of the logits, for pictures of this size."""
        found = []
        for layer in (*self.layers, self.last):
            if isinstance(layer, nn.Conv2d):
                height, width = ((side + 2 * layer.padding[0] - 4) // layer.stride[0] + 1 for side in (height, width))
                found.append((layer.out_channels, height, width))
        return found

    def head(self, features: Tensor, source: Tensor | None = None) -> Tensor:
        """Return logits [N, h, w] of features."""
        return self.last(features).squeeze(1)

    def forward(self, images: Tensor, source: Tensor | None = None) -> Tensor:
        return self.head(self.features(images, source))


def block(inputs: int, outputs: int, *, norm: NormName, stride: int, padding: int) -> list[nn.Module]:
    convolution = nn.Conv2d(inputs, outputs, 4, stride, padding, bias=wants_bias(norm))
    return [convolution, *norm2d(norm, outputs), nn.LeakyReLU(0.2)]


def refuse_labels(spec: Spec) -> None:
    """Raise ConfigError for points, and for conditions other than pictures."""
    spec.require_images()
    if not spec.has_source and spec.condition_size:
        raise ConfigError(
            "model.discriminator: judges patches of an image, with or without a source picture, and has no place for "
            "classes, attributes or words. Set model.conditional=[generator] (or false), or choose another "
            "discriminator: model.discriminator._target_=genlab.models.adversarial.dcgan.Discriminator."
        )


def halvings_of(spec: Spec, field: Field | None) -> int:
    """Return how often the side is halved to reach a receptive field. Raises ConfigError if it leaves no patch."""
    side = min(spec.height, spec.width)
    fitting = [pixels for number, pixels in enumerate(FIELDS, start=1) if side >> number > 2]  # one logit is left
    smallest = max(spec.height, spec.width) if field == "image" else field
    if field is None:
        found = max((pixels for pixels in fitting if pixels <= side / 2), default=FIELDS[0])
    else:
        found = next((pixels for pixels in FIELDS if pixels >= smallest), None)
    if found not in fitting:
        raise ConfigError(
            f"model.discriminator.receptive_field={'null' if field is None else field}: of images of {spec.width} x "
            f"{spec.height} pixels no patch is left. Such images go with {' or '.join(map(str, fitting)) or 'none'}; "
            "others with data.size=PIXELS."
        )
    return FIELDS.index(found) + 1
