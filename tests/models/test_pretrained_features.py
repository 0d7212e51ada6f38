"""Frozen features against torchvision's own, and errors for unfit weights and networks."""

import pytest
import torch
from torch import nn
from torchvision import models
from torchvision.models.feature_extraction import create_feature_extractor
from torchvision.transforms.functional import normalize

from genlab.core.errors import ConfigError
from genlab.models.pretrained_features import MEAN, STD, PretrainedFeatures
from genlab.models.pretrained_weights import hint, name_of

SMALL = models.shufflenet_v2_x0_5
LAST = {  # the last node of each resolution
    SMALL: ["maxpool", "stage2", "stage3", "conv5"],
    models.resnet18: ["layer1", "layer2", "layer3", "layer4"],
    models.efficientnet_b0: ["features.2", "features.3", "features.5", "features.8"],
}


def trained(build, seed=0):
    """Weights and statistics unlike those that it starts with."""
    source = torch.Generator().manual_seed(seed)
    network = build()
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.running_mean.normal_(std=0.1, generator=source)
            layer.running_var.uniform_(0.5, 2, generator=source)
            nn.init.uniform_(layer.weight, 0.5, 2, generator=source)
    return network.eval()


def images(channels=3, side=20):
    return torch.rand(2, channels, side, side, generator=torch.Generator().manual_seed(1)) * 2 - 1


@pytest.fixture
def file(tmp_path):
    def save(build, content=None):
        network = trained(build)
        torch.save(network.state_dict() if content is None else content, tmp_path / "weights.pth")
        return network, str(tmp_path / "weights.pth")

    return save


@pytest.mark.parametrize("build", LAST, ids=lambda build: build.__name__)
def test_maps_are_the_last_of_each_resolution(build, file):
    network, path = file(build)
    found = PretrainedFeatures(build, path, 64)
    shown = normalize((nn.functional.interpolate(images(), (64, 64), mode="bilinear") + 1) / 2, MEAN, STD)
    expected = create_feature_extractor(network, {node: node for node in LAST[build]})(shown)
    maps = found(images())
    assert [m.shape[2] for m in maps] == [16, 8, 4, 2] and [m.shape[1] for m in maps] == found.channels
    for one, node in zip(maps, LAST[build], strict=True):
        torch.testing.assert_close(one, expected[node], rtol=1e-4, atol=1e-4)


def test_input_is_normalised_as_torchvision_does():
    transforms = models.EfficientNet_B0_Weights.DEFAULT.transforms()
    assert tuple(transforms.mean) == MEAN and tuple(transforms.std) == STD


def test_grey_is_three_equal_channels_and_alpha_lies_over_white():
    network = PretrainedFeatures(SMALL, "random", 32)
    grey = images(1)
    torch.testing.assert_close(network.to_input(grey), network.to_input(grey.expand(-1, 3, -1, -1)))
    colour = images()
    alpha = torch.full_like(colour[:, :1], -1)
    torch.testing.assert_close(network.to_input(torch.cat([colour, -alpha], 1)), network.to_input(colour))
    white = torch.ones_like(colour)
    torch.testing.assert_close(network.to_input(torch.cat([colour, alpha], 1)), network.to_input(white))


def test_weights_are_saved_buffers_and_never_trained(file):
    """Gradients with respect to the images pass."""
    original, path = file(SMALL)
    network = PretrainedFeatures(SMALL, path, 32)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    x = images().requires_grad_()
    first = network.train()(x)
    sum(maps.sum() for maps in first).backward()
    assert not list(network.parameters()) and x.grad.abs().sum() > 0
    assert not any(layer.training for layer in network.modules())
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    kept = sum(value.numel() for value in network.state_dict().values())
    conv5 = original.conv5[0].weight
    assert kept > 300_000 and any(torch.equal(value, conv5) for value in before.values())


class Code:
    def __reduce__(self):
        return print, ("run",)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (models.resnet18().state_dict(), "unfit for shufflenet_v2_x0_5"),
        ([1, 2], "not a file of PyTorch weights"),
        (Code(), "not a file of PyTorch weights"),
    ],
)
def test_unfit_weights_are_refused_in_one_message(file, content, words, capsys):
    _, path = file(SMALL, content)
    with pytest.raises(ConfigError, match=f"model.discriminator.weights={path}: {words}") as error:
        PretrainedFeatures(SMALL, path, 32)
    assert "https://download.pytorch.org/models/shufflenetv2_x0.5" in str(error.value)
    assert "run" not in capsys.readouterr().out


def test_missing_weights_are_refused():
    with pytest.raises(ConfigError, match="weights: missing.*weights=FILE.*efficientnet_b0.*download.*random"):
        PretrainedFeatures(models.efficientnet_b0, None, 32)
    with pytest.raises(ConfigError, match="nowhere.pth: there is no such file"):
        PretrainedFeatures(SMALL, "nowhere.pth", 32)


def test_a_download_that_fails_says_so(monkeypatch):
    def refuse(url, **options):
        assert options["weights_only"] and options["check_hash"] and "shufflenetv2_x0.5" in url
        raise OSError("no route to host")

    monkeypatch.setattr(torch.hub, "load_state_dict_from_url", refuse)
    with pytest.raises(ConfigError, match="download: failed .no route to host"):
        PretrainedFeatures(SMALL, "download", 32)


def test_unpublished_weights_are_not_downloaded():
    def own():
        return SMALL()

    with pytest.raises(ConfigError, match="publishes none of own"):
        PretrainedFeatures(own, "download", 32)
    assert "https" not in hint(own, "model") and name_of(own) == "own"


@pytest.mark.parametrize("build", [models.squeezenet1_1, lambda: nn.Sequential(nn.Conv2d(3, 4, 3)), nn.Bilinear])
def test_networks_of_another_kind_are_refused(build):
    build = (lambda: nn.ModuleList([nn.Bilinear(3, 3, 3)])) if build is nn.Bilinear else build
    with pytest.raises(ConfigError, match="model.discriminator.network.*Choose an EfficientNet"):
        PretrainedFeatures(build, "random", 64)
