"""VGG19's maps against torchvision's own network, and errors for unfit weights."""

import pytest
import torch
from torchvision.models.feature_extraction import create_feature_extractor
from torchvision.models.vgg import cfgs, make_layers

from genlab.core.errors import ConfigError
from genlab.models.pretrained_features import MEAN, STD
from genlab.models.translation.vgg import VGG19
from tests.conftest import composed, read

NODES = {"relu1_1": "1", "relu2_2": "8", "relu5_1": "29", "relu5_4": "35"}  # the first is right after the first layer


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """A file as torchvision publishes it, of other weights, and the layers that it is for."""
    features = make_layers(cfgs["E"], batch_norm=False)
    state = {f"features.{name}": value for name, value in features.state_dict().items()}
    path = tmp_path_factory.mktemp("vgg") / "vgg19.pth"
    torch.save(state | {"classifier.0.bias": torch.zeros(3)}, path)
    return features, str(path)


def test_maps_are_those_of_torchvision(published):
    features, path = published
    images = torch.rand(2, 1, 33, 16) * 2 - 1
    shown = ((images + 1) / 2 - torch.tensor(MEAN).view(3, 1, 1)) / torch.tensor(STD).view(3, 1, 1)
    found = VGG19(path, layers=list(NODES))(images)
    expected = create_feature_extractor(features, {node: name for name, node in NODES.items()})(shown)
    for name, maps in zip(NODES, found, strict=True):
        torch.testing.assert_close(maps, expected[name])
    assert found[-1].shape == (2, 512, 2, 1)


def test_pixels_go_in_as_they_are_where_the_authors_do_so(published):
    """pix2pixHD and SPADE show their VGG19 [-1, 1], without ImageNet's moments."""
    features, path = published
    one = torch.rand(2, 1, 32, 32) * 2 - 1
    found = VGG19(path, layers=["relu1_1"], standardise=False)(one)[0]
    torch.testing.assert_close(found, features[:2](one.expand(-1, 3, -1, -1)))
    node = composed("penalty=[perceptual_five]", "model=pix2pix_hd")["penalty"]["perceptual"]["features"]
    assert node["standardise"] is False and "standardise" not in read("penalty", "perceptual")["perceptual"]["features"]


def test_layers_beyond_the_last_requested_are_dropped(published):
    assert len(VGG19(published[1], layers=["relu2_2"]).features) == 9


def test_unfit_weights_are_refused_in_one_message(published, tmp_path):
    key = "penalty.perceptual.features"
    with pytest.raises(ConfigError, match=f"{key}.weights: missing.*vgg19-dcbb9e9d.*download.*random"):
        VGG19(None)
    with pytest.raises(ConfigError, match=f"{key}.weights=nowhere: there is no such file"):
        VGG19("nowhere")
    torch.save({"features.0.bias": torch.zeros(3)}, tmp_path / "other.pth")
    with pytest.raises(ConfigError, match="unfit for vgg19"):
        VGG19(str(tmp_path / "other.pth"))
    with pytest.raises(ConfigError, match=rf"{key}.layers=\['relu5_5'\]: expected one or several of relu1_1"):
        VGG19(published[1], layers=["relu5_5"])
