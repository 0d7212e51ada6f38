"""VQ-VAE, an autoencoder with discrete codes: van den Oord, Vinyals and Kavukcuoglu 2017."""

from collections.abc import Callable
from itertools import pairwise
from typing import ClassVar

from torch import Tensor, nn

from genlab.core.spec import Spec
from genlab.core.types import Count, ProperShare, Share
from genlab.models.autoencoders.codebook import Codebook, UniformCodes
from genlab.models.contract import Model, Quantised
from genlab.models.map_sizes import halvings

HALVINGS = 2  # most halvings of the side: section 4.1


class VQVAE(Model):
    """One player: encoder to [N, D, h, w], quantisation, decoder. Samples are decoded from code indices [N, h, w].

    The paper's prior over codes is a PixelCNN, trained afterwards; here, without one, all codes are equally likely.
    """

    caption: ClassVar[str] = "codes drawn uniformly, no prior was trained"

    def __init__(
        self,
        spec: Spec,
        *,
        encoder: Callable[[Spec, int], nn.Module],  # (spec, code size) -> network
        decoder: Callable[[Spec, int], nn.Module],
        number: Count = 512,  # of codes
        size: Count = 64,  # of a code
        decay: ProperShare = 0.99,  # of the codebook's moving averages, per turn
        restart_below: Share = 0.1,  # share of an equal use of all codes below which a code restarts
    ) -> None:
        super().__init__()
        spec.require_images()
        self.encoder, self.decoder = encoder(spec, size), decoder(spec, size)
        self.codebook = Codebook(number, size, decay=decay, restart_below=restart_below)
        self.latent = UniformCodes(number, grid(spec))

    @property
    def generator(self) -> nn.Module:
        return CodeDecoder(self.codebook, self.decoder)

    @property
    def players(self) -> dict[str, nn.Module]:
        return {"autoencoder": self}

    def codes(self, images: Tensor, condition: Tensor | None = None) -> Tensor:
        """Return code indices int64 [N, h, w] of images."""
        return self.codebook.nearest(self.encoder(images))

    def quantise(self, images: Tensor) -> Quantised:
        """Encode images and replace their latents [N, size, h, w] by the nearest codes."""
        return self.codebook(self.encoder(images))

    def update_codebook(self) -> None:
        """Move the codes to what the turn has shown, on all ranks alike."""
        self.codebook.update_entries()


class CodeDecoder(nn.Module):
    """(indices [N, h, w]) -> the decoder's output for their codes."""

    def __init__(self, codebook: Codebook, decoder: nn.Module) -> None:
        super().__init__()
        self.codebook, self.decoder = codebook, decoder
        self.training = decoder.training

    def forward(self, indices: Tensor, condition: Tensor | None = None) -> Tensor:
        return self.decoder(self.codebook.look_up(indices))


class Encoder(nn.Sequential):
    """Images [N, C, H, W] -> [N, size, h, w]: strided convolutions, then residual blocks (section 4.1)."""

    def __init__(
        self,
        spec: Spec,
        size: Count,
        *,
        width: Count = 256,  # channels of every map
        blocks: Count = 2,
    ) -> None:
        super().__init__()
        sizes = [spec.channels, *[width] * levels_of(spec)]
        for inputs, outputs in pairwise(sizes):
            self.extend([nn.Conv2d(inputs, outputs, 4, stride=2, padding=1), nn.ReLU()])
        self.append(nn.Conv2d(sizes[-1], width, 3, padding=1))
        self.extend([Residual(width) for _ in range(blocks)])
        self.extend([nn.ReLU(), nn.Conv2d(width, size, 1)])


class Decoder(nn.Module):
    """Codes [N, size, h, w] -> [N, C, H, W], unbounded: residual blocks, then transposed convolutions."""

    def __init__(self, spec: Spec, size: Count, *, width: Count = 256, blocks: Count = 2) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(size, width, 3, padding=1), *[Residual(width) for _ in range(blocks)])
        sizes = [*[width] * levels_of(spec), spec.channels]
        if len(sizes) == 1:
            self.layers.extend([nn.ReLU(), nn.Conv2d(width, spec.channels, 3, padding=1)])
        for inputs, outputs in pairwise(sizes):
            self.layers.extend([nn.ReLU(), nn.ConvTranspose2d(inputs, outputs, 4, stride=2, padding=1)])

    def forward(self, codes: Tensor, condition: Tensor | None = None) -> Tensor:
        return self.layers(codes)


class Residual(nn.Sequential):
    """[N, C, H, W] -> the same shape: x + conv1(relu(conv3(relu(x))))."""

    def __init__(self, width: int) -> None:
        super().__init__(nn.ReLU(), nn.Conv2d(width, width, 3, padding=1), nn.ReLU(), nn.Conv2d(width, width, 1))

    def forward(self, maps: Tensor) -> Tensor:
        return maps + super().forward(maps)


def levels_of(spec: Spec) -> int:
    """Return how often both sides can be halved, at most HALVINGS times."""
    return min(HALVINGS, halvings(spec, 0))


def grid(spec: Spec) -> tuple[int, int]:
    """Return (h, w) of the codes of an image."""
    return spec.height >> levels_of(spec), spec.width >> levels_of(spec)
