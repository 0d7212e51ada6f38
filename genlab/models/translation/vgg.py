"""VGG19's feature maps, for perceptual losses: Simonyan and Zisserman 2015, configuration E."""

from collections.abc import Sequence
from itertools import pairwise

from torch import Tensor, nn
from torchvision.models import vgg19

from genlab.core.errors import ConfigError
from genlab.core.types import PretrainedWeights
from genlab.models.pretrained_features import ImageNetNormalisation, composite_over_white
from genlab.models.pretrained_weights import load_weights

WIDTHS = (64, 64), (128, 128), (256,) * 4, (512,) * 4, (512,) * 4  # of the convolutions before each pooling
KEY = "penalty.perceptual.features"


class VGG19(nn.Module):
    """Images [N, 1, 3 or 4, H, W] in [-1, 1] -> a map [N, F, h, w] for each of `layers`.

    Layer "reluI_J" is the J-th convolution, after its ReLU, before the I-th pooling: phi_IJ of Ledig et al. 2017,
    section 2.2.1. Grey becomes three equal channels; alpha is composited over white.

    Raises ConfigError for an unknown layer, without weights, and for weights that do not fit.
    """

    def __init__(
        self,
        weights: PretrainedWeights
        | None,  # a file, torchvision's vgg19-dcbb9e9d.pth; `download`; or `random` initial ones
        *,
        layers: Sequence[str] = ("relu5_4",),
        standardise: bool = True,  # by ImageNet's moments, as it was trained; false: it sees [-1, 1], as in pix2pixHD
    ) -> None:
        super().__init__()
        indices = relu_indices()
        if not layers or not set(layers) <= indices.keys():
            raise ConfigError(f"{KEY}.layers={list(layers)}: expected one or several of {', '.join(indices)}.")
        self.to_input = ImageNetNormalisation() if standardise else repeat_grey
        self.features = convolutional_layers()
        self.wanted = [indices[layer] for layer in layers]
        if weights != "random":
            load_weights(self, weights, vgg19, KEY, part="features.")
        self.features = self.features[: max(self.wanted) + 1]

    def forward(self, images: Tensor) -> list[Tensor]:
        maps, found = self.to_input(composite_over_white(images)), {}
        for number, layer in enumerate(self.features):
            maps = layer(maps)
            if number in self.wanted:
                found[number] = maps
        return [found[number] for number in self.wanted]


def repeat_grey(images: Tensor) -> Tensor:
    """Return grey images [N, 1, H, W] as three equal channels, others as they are."""
    return images.expand(-1, 3, -1, -1)


def convolutional_layers() -> nn.Sequential:
    """Return the layers before the classifier, with torchvision's names."""
    layers, sizes = nn.Sequential(), [3, *(width for block in WIDTHS for width in block)]
    convolutions = iter([nn.Conv2d(*pair, 3, padding=1) for pair in pairwise(sizes)])
    for block in WIDTHS:
        for _ in block:
            layers.extend([next(convolutions), nn.ReLU()])
        layers.append(nn.MaxPool2d(2))
    return layers


def relu_indices() -> dict[str, int]:
    """Return for each layer's name the index of its ReLU in the trunk."""
    found, number = {}, 0
    for i, block in enumerate(WIDTHS, start=1):
        for j in range(1, len(block) + 1):
            found[f"relu{i}_{j}"], number = number + 1, number + 2
        number += 1
    return found
