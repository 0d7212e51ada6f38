"""Instance normalisation with correct gradients for a single image."""

from torch import Tensor, nn


class InstanceNorm2d(nn.InstanceNorm2d):
    """`nn.InstanceNorm2d` whose gradients are correct for a single image too."""

    def forward(self, maps: Tensor) -> Tensor:
        return with_ordered_gradient(super().forward(maps))


def with_ordered_gradient(maps: Tensor) -> Tensor:
    """Return the output [N, C, H, W] of an instance normalisation; a single image's gradient gets channels first.

    On a CPU, PyTorch's backward pass misreads the gradient of one image whose channels come last in memory, without
    an error. The layout of larger batches is converted by PyTorch itself.
    """
    if maps.requires_grad and len(maps) == 1:
        maps.register_hook(Tensor.contiguous)
    return maps
