import torch

from genlab.models.layers.equalised import EqualisedConv2d, EqualisedLinear, PixelNorm


def test_a_layer_keeps_the_variance_whatever_its_width():
    torch.manual_seed(0)
    for inputs in (16, 1024):
        out = EqualisedLinear(inputs, 256)(torch.randn(512, inputs))
        assert abs(out.std().item() - 1) < 0.05
    out = EqualisedConv2d(64, 64, gain=2**0.5, padding=0)(torch.randn(8, 64, 16, 16))
    assert abs(out.std().item() - 2**0.5) < 0.05


def test_a_rate_slows_adam_down_and_changes_nothing_at_the_start():
    """Adam's steps are as large whatever the gradient: the weight in effect moves by `rate` as much."""
    moved = []
    for rate in (1.0, 0.01):
        torch.manual_seed(0)
        layer = EqualisedLinear(8, 8, rate=rate, start=1.0)
        optimizer = torch.optim.Adam(layer.parameters(), lr=1e-3)
        vectors = torch.randn(4, 8)
        before = layer(vectors)
        before.sum().backward()
        optimizer.step()
        moved.append((layer(vectors) - before).abs().mean())
    torch.testing.assert_close(moved[1] / moved[0], torch.tensor(0.01), rtol=0.01, atol=0)


def test_the_bias_starts_at_the_given_value():
    layer = EqualisedLinear(3, 2, start=1.0, rate=0.01)
    torch.testing.assert_close(layer(torch.zeros(1, 3)), torch.ones(1, 2))


def test_pixel_norm():
    maps = torch.randn(2, 8, 3, 3) * 7
    torch.testing.assert_close(PixelNorm()(maps).square().mean(1), torch.ones(2, 3, 3))
