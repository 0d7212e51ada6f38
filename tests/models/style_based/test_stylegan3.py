"""StyleGAN3: published sizes and bands, tracked magnitudes, and images that follow their input."""

import math

import pytest
import torch

from genlab.core.condition import Classes
from genlab.core.errors import ConfigError
from genlab.core.spec import Spec
from genlab.models.layers.filtered_nonlinearity import FilteredLeakyReLU
from genlab.models.style_based.stylegan3 import Generator, TrackedMagnitude, plan_bands
from tests.conftest import composed, narrow

T = {"kernel": 3, "radial": False}
R = {"kernel": 1, "radial": True}


def spec(side, channels=3, classes=None):
    return Spec(channels, side, side, images=100, condition=Classes(classes) if classes else None)


def parameters(network):
    return sum(param.numel() for param in network.parameters())


@pytest.mark.parametrize(
    ("side", "form", "width", "most", "published"),
    [
        (256, T, 64, 512, "23.3M"),  # Karras et al. 2021, figure 5, right, below
        (256, R, 128, 1024, "15.8M"),
        (1024, T, 32, 512, "22.3M"),  # section 4
        (1024, R, 64, 1024, 15_093_151),  # printed by the authors' code: github.com/NVlabs/stylegan3/issues/181
        (512, R, 128, 1024, 16_665_594),  # issues/229
    ],
)
def test_parameter_counts(side, form, width, most, published):
    with torch.device("meta"):
        count = parameters(Generator(spec(side), 512, width=width, most=most, **form))
    assert count == published or f"{count / 1e6:.1f}M" == published


def test_bands_at_1024_pixels():
    """Ibid., figure 4c and appendix F.1; sizes: layer names in github.com/NVlabs/stylegan3/issues/181 and 194."""
    bands = list(plan_bands(1024, 14, 2, 2**2.1, 10))
    assert [band.size for band in bands] == [36, 36, 52, 52, 84, 148, 148, 276, 276, 532, 1044, 1044, 1044, 1024]
    assert [band.cutoff for band in bands[-2:]] == [512, 512] and bands[0].cutoff == 2
    steps = [after.cutoff / before.cutoff for before, after in zip(bands, bands[1:13], strict=False)]
    assert steps == pytest.approx([256 ** (1 / 12)] * 12)
    for layer, band in enumerate(bands):
        stop = band.cutoff + band.half_width
        assert stop >= 2**2.1 * (512 * 2**0.3 / 2**2.1) ** min(layer / 12, 1) - 1e-9  # the least acceptable
        assert stop <= band.rate / 2 + 1e-9 or band.rate == 1024  # no alias, but in the finest layers
        assert math.log2(band.rate) % 1 == 0


@pytest.mark.parametrize(("side", "layers"), [(8, 4), (16, 6), (32, 8), (128, 12), (256, 14), (1024, 14)])
def test_smaller_images_have_fewer_layers(side, layers):
    with torch.device("meta"):
        network = Generator(spec(side), 8, width=2, most=4)
    assert sum(isinstance(block.finish, FilteredLeakyReLU) for block in network.blocks) == layers
    assert network.layers == layers + 2  # the input and the image take a style, too


@pytest.mark.parametrize("form", [T, R], ids=["T", "R"])
@pytest.mark.parametrize(("side", "channels", "classes"), [(8, 1, None), (16, 3, 10), (32, 4, None)])
def test_shapes(side, channels, classes, form):
    network = Generator(spec(side, channels, classes), 6, width=2, most=4, style_size=8, margin=4, **form)
    condition = None if classes is None else torch.tensor([1, 9])
    images = network(torch.randn(2, 6), condition)
    assert images.shape == (2, channels, side, side) and images.isfinite().all()


def test_only_config_r_has_radial_filters_except_in_the_last_two_layers():
    with torch.device("meta"):
        networks = [Generator(spec(256), 8, width=2, most=4, **form) for form in (T, R)]
    dimensions = [[block.finish.lowering.ndim for block in network.blocks[:-1]] for network in networks]
    assert dimensions == [[1] * 14, [2] * 12 + [1] * 2]


@pytest.mark.parametrize(("height", "width", "wanted"), [(28, 28, 32), (32, 16, 32), (4, 4, 8), (2048, 2048, 1024)])
def test_other_sizes_are_refused(height, width, wanted):
    with pytest.raises(ConfigError, match=f"Set data.size={wanted}"):
        Generator(Spec(1, height, width, images=9), 8)


def test_layers_must_leave_some_that_are_not_critical():
    with pytest.raises(ConfigError, match=r"model.generator.layers=2: .* more than critical=2"):
        Generator(spec(16), 8, layers=2)


def test_the_magnitude_of_maps_is_tracked_in_the_discriminators_turn_only():
    """Half of the way after `halflife` images: ibid., appendix F.1."""
    layer = TrackedMagnitude(halflife=8)
    maps = 3 * torch.ones(8, 2, 4, 4)
    assert layer(maps).item() == 1  # with gradients: the generator's own turn
    with torch.no_grad():
        assert layer(maps).item() == pytest.approx(5**0.5)  # half-way from 1 to 9
    assert layer.eval()(100 * maps).item() == pytest.approx(5**0.5)
    assert "square" in layer.state_dict()


@torch.no_grad()
def test_maps_keep_their_magnitude_over_the_layers():
    torch.manual_seed(0)
    network = Generator(spec(32), 8, width=8, most=16, style_size=16, halflife=1)
    for _ in range(3):
        network(torch.randn(16, 8))
    network.eval()
    sizes = []
    for block in network.blocks:
        block.size.register_forward_hook(lambda _, inputs, out: sizes.append((inputs[0] / out).square().mean().item()))
    network(torch.randn(16, 8))
    assert len(sizes) == 9 and all(0.5 < size < 2 for size in sizes)  # what a convolution is given


@pytest.mark.parametrize("form", ["t", "r"])
def test_recipes_are_those_of_the_authors_code(form):
    """Its train.py, training_loop.py (`ema_rampup`) and networks_stylegan2.py (the label's mapping)."""
    config = composed(f"experiment=stylegan3_{form}_paper")
    assert config["trainer"]["ema"]["halflife"] == 10_000 and config["trainer"]["ema"]["warmup"] == 0.05
    assert (config["model"]["generator"]["depth"], config["model"]["discriminator"]["depth"]) == (2, 8)
    assert config["model"]["generator"].get("halflife", 20_000) == 20_000


def test_images_of_its_own_turn_alone_are_refused(make_trainer):
    with pytest.raises(ConfigError, match="reuse_fakes=true: this generator tracks its means"):
        make_trainer("model=stylegan3_t", *narrow("stylegan3_t"), "trainer.reuse_fakes=true")


def ratio(form, transform, expected, side=32):
    """Decibels, relative to the images' own size, in the middle of them."""
    torch.manual_seed(0)
    network = Generator(spec(side, 1), 8, width=2, most=8, style_size=8, **form).eval()
    z = torch.randn(2, 8)
    plain = network(z)
    network.transform = torch.tensor(transform)
    moved, wanted = (images[..., 6:-6, 6:-6] for images in (network(z), expected(plain)))
    return 10 * math.log10(wanted.var().item() / (moved - wanted).square().mean().item())


UPRIGHT = [[1.0, 0.0, -3 / 32], [0.0, 1.0, 2 / 32], [0.0, 0.0, 1.0]]
QUARTER = [[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]


@torch.no_grad()
@pytest.mark.parametrize("form", [T, R], ids=["T", "R"])
def test_a_translated_input_gives_a_translated_image(form):
    assert ratio(form, UPRIGHT, lambda images: images.roll((-2, 3), (2, 3))) > 45


@torch.no_grad()
def test_a_rotated_input_gives_a_rotated_image_with_1x1_convolutions():
    """By a right angle, which needs no resampling; other angles: metrics=eq_r."""
    assert ratio(R, QUARTER, lambda images: images.rot90(1, (2, 3))) > 45
    assert ratio(T, QUARTER, lambda images: images.rot90(1, (2, 3))) < 20
