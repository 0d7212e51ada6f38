"""Against a plain reference: zeros inserted, padded, every output a sum over the kernel, in scipy and loops."""

import pytest
import torch
from scipy.signal import convolve2d
from torch.autograd import grad, gradcheck, gradgradcheck

from genlab.models.layers.upfirdn import binomial, binomial2d, blur2d, downsample2d, upfirdn2d, upsample2d

CASES = [
    {},
    {"up": 2, "padding": (2, 1, 2, 1)},
    {"down": 2, "padding": (1, 1, 1, 1)},
    {"up": 2, "down": 3, "padding": (3, 2, 1, 4)},
    {"up": 3, "padding": (-1, 2, 0, -2)},
    {"up": 4, "down": 2, "padding": (0, 5, -1, 3), "flip": True},
    {"padding": (-1, 3, 2, -1), "flip": True, "gain": -2.5},
]
KERNELS = [torch.tensor([1.0, 3.0, 3.0, 1.0]), torch.tensor([1.0, -2.0, 4.0]), torch.arange(6.0).view(2, 3) - 1]


def reference(maps, kernel, *, up=1, down=1, padding=(0, 0, 0, 0), flip=False, gain=1.0):
    kernel = torch.outer(kernel, kernel) if kernel.ndim == 1 else kernel
    kernel = kernel.flip(0, 1) if flip else kernel
    zeros = maps.new_zeros(*maps.shape[:2], maps.shape[2] * up, maps.shape[3] * up)
    zeros[:, :, ::up, ::up] = maps
    padded = torch.nn.functional.pad(zeros, padding)
    planes = [convolve2d(plane.numpy(), kernel.double().numpy(), mode="valid") for plane in padded.flatten(0, 1)]
    full = torch.stack([torch.from_numpy(plane) for plane in planes]).unflatten(0, maps.shape[:2])
    return full[:, :, ::down, ::down] * gain


@pytest.fixture
def maps():
    return torch.randn(2, 3, 7, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("kernel", KERNELS, ids=["even", "odd", "plane"])
@pytest.mark.parametrize("options", CASES)
def test_equals_the_definition(maps, kernel, options):
    torch.testing.assert_close(upfirdn2d(maps, kernel, **options), reference(maps, kernel, **options))


@pytest.mark.parametrize("options", CASES)
def test_gradients_of_both_orders(maps, options):
    maps = maps[:1, :2, :4, :5].clone().requires_grad_()

    def call(maps):
        return upfirdn2d(maps, KERNELS[1], **options).sin()

    assert gradcheck(call, maps) and gradgradcheck(call, maps)


def test_the_gradient_is_the_transposed_operation(maps):
    """<A x, y> = <x, A' y>, with A' from autograd."""
    maps.requires_grad_()
    out = upfirdn2d(maps, KERNELS[0], up=2, down=3, padding=(3, 2, 1, 4))
    other = torch.randn_like(out)
    (back,) = grad(out, maps, other)
    torch.testing.assert_close((out * other).sum(), (maps * back).sum())


@pytest.mark.parametrize("taps", [(1, 1), (1, 2, 1), (1, 3, 3, 1), (1, 5, 10, 10, 5, 1)])
def test_sizes_and_constants(taps):
    kernel, ones = binomial(taps), torch.ones(1, 1, 12, 16)
    for change, size in ((upsample2d, (24, 32)), (downsample2d, (6, 8)), (blur2d, (12, 16))):
        found = change(ones, kernel)
        assert found.shape[2:] == size
        torch.testing.assert_close(found[..., 3:-3, 3:-3], torch.ones_like(found[..., 3:-3, 3:-3]))


def test_the_picture_stays_where_it_is():
    """A ramp, doubled and halved again: the same ramp, in pixels whose centres lie at (i + 1/2) / size."""
    ramp = (torch.arange(16.0) + 0.5).expand(1, 1, 16, 16)
    doubled = upsample2d(ramp, binomial())
    torch.testing.assert_close(doubled[0, 0, 16, 4:-4], ((torch.arange(32.0) + 0.5) / 2)[4:-4])
    torch.testing.assert_close(downsample2d(doubled, binomial())[0, 0, 8, 3:-3], ramp[0, 0, 8, 3:-3])


def test_one_pass_equals_two(maps):
    for change in (upsample2d, downsample2d, blur2d):
        torch.testing.assert_close(change(maps, binomial2d()), change(maps, binomial()), rtol=0, atol=1e-6)
