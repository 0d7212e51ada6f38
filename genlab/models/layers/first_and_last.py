"""First and last layers of generators: from vectors to maps, from maps to images."""

from torch import Tensor, nn

from genlab.models.layers.batch_norm import BatchNorm2d


class FromVector(nn.ConvTranspose2d):
    """A transposed convolution of 1x1 maps, [N, in, 1, 1] -> [N, out, H, W], run as a matrix product."""

    def forward(self, maps: Tensor) -> Tensor:
        weight = self.weight.permute(0, 2, 3, 1)  # [in, H, W, out]: no copy in channels_last
        rows = maps.flatten(1) @ weight.flatten(1)
        return rows.unflatten(1, weight.shape[1:]).permute(0, 3, 1, 2)


class VectorToMap(nn.Linear):
    """A linear layer from vectors to maps: [N, F] -> [N, C, H, W]."""

    def __init__(self, features: int, channels: int, size: tuple[int, int]) -> None:
        super().__init__(features, channels * size[0] * size[1])
        self.shape = (*size, channels)

    def forward(self, vectors: Tensor) -> Tensor:
        return super().forward(vectors).unflatten(1, self.shape).permute(0, 3, 1, 2)  # channels_last in memory


class MapToImage(nn.Sequential):
    """Batch normalisation, ReLU, convolution and tanh: [N, C, H, W] -> images [N, channels, H, W] in [-1, 1]."""

    def __init__(self, inputs: int, channels: int) -> None:
        last = nn.Conv2d(inputs, channels, 3, padding=1)
        super().__init__(BatchNorm2d(inputs), nn.ReLU(), last, nn.Tanh())
        nn.init.xavier_uniform_(last.weight)
        nn.init.zeros_(last.bias)
