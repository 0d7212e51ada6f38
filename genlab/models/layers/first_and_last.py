"""First and last layers of residual generators."""

from torch import Tensor, nn

from genlab.models.layers.batch_norm import BatchNorm2d


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
