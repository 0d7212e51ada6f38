"""A transposed convolution from vectors to maps, run as a matrix product."""

from torch import Tensor, nn


class FromVector(nn.ConvTranspose2d):
    """A transposed convolution of 1x1 maps: [N, in, 1, 1] -> [N, out, H, W] with a kernel of H x W."""

    def forward(self, maps: Tensor) -> Tensor:
        weight = self.weight.permute(0, 2, 3, 1)  # [in, H, W, out]: no copy in channels_last
        rows = maps.flatten(1) @ weight.flatten(1)
        return rows.unflatten(1, weight.shape[1:]).permute(0, 3, 1, 2)
