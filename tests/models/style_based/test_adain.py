import pytest
import torch
from torch import nn
from torch.nn.functional import instance_norm

from genlab.models.style_based.stylegan import AdaIN


def maps():
    return 3 * torch.randn(4, 5, 6, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(0)) + 7


def style():
    return torch.randn(4, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


def test_it_is_an_instance_norm_whose_scale_and_shift_are_affine_in_the_style():
    """Karras et al. 2019, equation 1; the scale's offset of 1 is section 2's."""
    layer = AdaIN(3, 5).double()
    rows = style() @ layer.affine.weight.T / 3**0.5 + layer.affine.bias
    scale, shift = (part[:, :, None, None] for part in (1 + rows[:, :5], rows[:, 5:]))
    torch.testing.assert_close(layer(maps(), style()), instance_norm(maps(), eps=1e-8) * scale + shift)


@pytest.mark.parametrize("alpha", [0.0, 0.25])
def test_alpha_interpolates_from_the_unchanged_maps(alpha):
    """Huang and Belongie 2017, equation 14."""
    whole, part = AdaIN(3, 5).double(), AdaIN(3, 5, alpha=alpha).double()
    part.load_state_dict(whole.state_dict())
    expected = (1 - alpha) * maps() + alpha * whole(maps(), style())
    torch.testing.assert_close(part(maps(), style()), expected)


def test_maps_without_any_variance_have_a_finite_gradient():
    """As the learned constant is at the start, before noise has a strength."""
    layer, constant = AdaIN(3, 5), nn.Parameter(torch.ones(1, 5, 4, 4))
    layer(constant.expand(4, -1, -1, -1), style().float()).square().sum().backward()
    assert constant.grad.isfinite().all()
