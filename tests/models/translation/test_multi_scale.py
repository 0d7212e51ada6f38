"""Multi-scale discriminators: each scale is a PatchGAN, with weights of scales and features of layers."""

import pytest
import torch
from torch import nn
from torch.nn.functional import interpolate

from genlab.core.condition import Classes
from genlab.core.errors import ConfigError
from genlab.core.picture import Picture
from genlab.core.spec import Spec
from genlab.models.layers.resample import halve
from genlab.models.translation.multi_scale import MultiScale
from genlab.models.translation.patchgan import PatchGAN
from tests.conftest import composed


def spec(height, width=None, *, source=1, channels=3, classes=None):
    width = width or height
    return Spec(channels, height, width, 9, condition=Picture(source, height, width, classes) if source else None)


def built(side=32, **options):
    return MultiScale(spec(side), **({"width": 4, "scales": 2, "norm": "none"} | options)).double()


def shown(side=32, count=2):
    draw = torch.Generator().manual_seed(3)
    return (torch.randn(count, channels, side, side, generator=draw, dtype=torch.float64) for channels in (3, 1))


def test_it_is_as_large_as_the_published_one():
    """5.6 million: two scales of 70 x 70, on images beside label maps of 19 classes, as SPADE's code prints it."""
    with torch.device("meta"):
        network = MultiScale(spec(256, classes=19), scales=2, receptive_field=70, norm="none")
    assert f"{sum(parameter.numel() for parameter in network.parameters()) / 1e6:.1f}" == "5.6"


def test_each_scale_is_a_patchgan_of_its_copy():
    network, (images, source) = built(), shown()
    pictures = torch.cat([images, source], 1)
    logits = network(images, source)
    first, second = logits.split([19 * 19, 11 * 11], 1)
    torch.testing.assert_close(first.unflatten(1, (19, 19)), network.scales[0](pictures))
    torch.testing.assert_close(second.unflatten(1, (11, 11)), network.scales[1](halve(pictures)))


def test_maps_of_logits_are_as_large_as_published():
    """19, 11 and 7 a side from images of 128 pixels, in the code of pix2pixHD."""
    with torch.device("meta"):
        network = MultiScale(spec(128), scales=3, receptive_field=70)
        sides = [scale(copy).shape[1:] for scale, copy in zip(network.scales, copies(128), strict=True)]
    assert sides == [(19, 19), (11, 11), (7, 7)]
    assert len(network.patch_weights) == 19**2 + 11**2 + 7**2


def copies(side):
    return [torch.empty(1, 4, side >> level, side >> level) for level in range(3)]


def test_copies_are_means_of_three_by_three_pixels():
    pictures = torch.rand(1, 2, 5, 6)
    found = halve(pictures)
    assert found.shape == (1, 2, 3, 3)
    torch.testing.assert_close(found[..., 1, 1], pictures[..., 1:4, 1:4].mean((2, 3)))
    torch.testing.assert_close(found[..., 0, 0], pictures[..., :2, :2].mean((2, 3)))
    torch.testing.assert_close(found[..., 2, 2], pictures[..., 3:, 3:].mean((2, 3)))


def test_features_hold_every_layer_of_every_scale():
    network, (images, source) = built(scales=2, receptive_field=34), shown()
    features = network.features(images, source)
    torch.testing.assert_close(network.head(features, source), network(images, source))
    for scale, copy, layers in zip(
        network.scales, network.pyramid(images, source), network.by_layer(features), strict=True
    ):
        maps = copy
        for convolution, found in zip([m for m in scale.layers if isinstance(m, nn.Conv2d)], layers, strict=True):
            maps = nn.functional.leaky_relu(convolution(maps), 0.2)
            torch.testing.assert_close(found, maps)


@pytest.mark.parametrize("level", [0, 1, 2])
def test_a_logit_of_a_smaller_copy_covers_more_of_the_image(level):
    """16 pixels of its copy: 16, 33 or 67 of the image, as each pixel of a copy is a mean of three a side."""
    network = built(96, scales=3, receptive_field=16)
    for convolution in network.scales[level].modules():
        if isinstance(convolution, nn.Conv2d):
            nn.init.uniform_(convolution.weight, 0.1, 0.2)  # no slopes cancel
    images, source = (picture[:1].requires_grad_() for picture in shown(96))
    logits = network(images, source).split([shape[-1][1:].numel() for shape in sizes(network)], 1)[level]
    side = int(logits.shape[1] ** 0.5)
    logits[0, side // 2 * side + side // 2].backward()
    for picture in (images, source):
        seen = picture.grad[0].abs().sum(0) > 0
        assert [int(seen.any(axis).sum()) for axis in (0, 1)] == [(16, 33, 67)[level]] * 2


def sizes(network):
    """Shapes of each scale, the last one that of its logits."""
    return [
        [torch.Size(shape) for shape in (*shapes, (1, shapes[-1][1] + 1, shapes[-1][2] + 1))]
        for shapes in network.layer_shapes
    ]


@pytest.mark.parametrize(
    ("side", "scales", "field", "found"),
    [
        (256, 3, None, [70, 70, 70]),
        (256, 3, 34, [34, 34, 34]),
        (64, 2, None, [16, 16]),
        (32, 3, None, [16, 16, 16]),
        (8, 3, None, [16]),  # a copy of 4 pixels leaves no patch
        (32, 3, 34, [34, 34]),
        (17, 2, None, [16, 16]),
    ],
)
def test_all_scales_are_built_alike_and_leave_a_patch(side, scales, field, found):
    with torch.device("meta"):
        network = MultiScale(spec(side), scales=scales, width=2, receptive_field=field)
        one = PatchGAN(spec(side), width=2, receptive_field=found[0])
        images = torch.empty(1, 3, side, side)
        logits = network(images, images[:, :1])
    convolutions = [[m.stride for m in scale.layers if isinstance(m, nn.Conv2d)] for scale in network.scales]
    assert convolutions == [[m.stride for m in one.layers if isinstance(m, nn.Conv2d)]] * len(found)
    assert logits.shape[1] == len(network.patch_weights)


def test_the_discriminator_of_label_maps_learns_no_scales():
    """SPADE's code normalises each instance without parameters of its own."""
    options = composed("model=segmentation_to_image")["model"]["discriminator"]
    network = MultiScale(spec(32), scales=2, width=4, norm=options["norm"])
    norms = [layer for layer in network.modules() if isinstance(layer, nn.InstanceNorm2d)]
    assert norms and not any(list(norm.parameters()) for norm in norms)


@pytest.mark.parametrize("network", [PatchGAN, MultiScale])
def test_classes_are_refused_since_nothing_would_use_them(network):
    with pytest.raises(ConfigError, match=r"no place for.*model.conditional=\[generator\]"):
        network(Spec(3, 32, 32, 9, condition=Classes(10)))


def test_small_images_are_refused():
    with pytest.raises(ConfigError, match="receptive_field=34: images of 8 x 8 pixels leave no patch.*data.size=12"):
        MultiScale(spec(8), receptive_field=34)


def test_a_source_of_another_size_is_resized():
    network = MultiScale(Spec(3, 16, 16, images=9, condition=Picture(3, 4, 4)), width=4, norm="none")
    images, small = torch.rand(2, 3, 16, 16), torch.rand(2, 3, 4, 4)
    large = interpolate(small, size=(16, 16))
    torch.testing.assert_close(network(images, small), network(images, large))
