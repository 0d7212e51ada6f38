"""LPIPS against torch-fidelity's, with random weights."""

from types import SimpleNamespace

import pytest
import torch

from genlab.core.errors import ConfigError
from genlab.data import InMemory, Split
from genlab.metrics import Evaluation, Pixels
from genlab.metrics.scores.lpips import LPIPS

CHANNELS = (64, 128, 256, 512, 512)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Random weights in the published files' form."""
    from torchvision.models import vgg16

    torch.manual_seed(3)
    folder = tmp_path_factory.mktemp("weights")
    linear = {f"lin{level}.model.1.weight": torch.rand(1, count, 1, 1) for level, count in enumerate(CHANNELS)}
    torch.save(linear, folder / "lpips.pth")
    network = vgg16(weights=None)
    network.classifier = torch.nn.Identity()  # the file is a fifth as large
    torch.save(network.state_dict(), folder / "vgg.pth")
    return {"weights": str(folder / "lpips.pth"), "vgg": str(folder / "vgg.pth")}


def theirs(files, monkeypatch):
    from torch_fidelity import sample_similarity_lpips as module
    from torchvision.models import vgg16

    def network():
        found = vgg16(weights=None)
        found.classifier = torch.nn.Identity()
        found.load_state_dict(torch.load(files["vgg"], weights_only=True))
        return found

    linear = torch.load(files["weights"], weights_only=True)
    monkeypatch.setattr(module, "torchvision_load_pretrained_vgg16", network)
    monkeypatch.setattr(module, "load_state_dict_from_url", lambda *_, **__: linear)
    monkeypatch.setattr(  # the linear layers are loaded before VGG16 is there
        module.SampleSimilarityLPIPS,
        "load_state_dict",
        lambda self, state: torch.nn.Module.load_state_dict(self, state),
    )
    return module.SampleSimilarityLPIPS("lpips")


def test_the_distance_is_torch_fidelitys(files, monkeypatch):
    a, b = torch.randint(0, 256, (2, 3, 3, 32, 24), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    expected = theirs(files, monkeypatch)(a, b)
    found = LPIPS(**files).distance(a.float() / 127.5 - 1, b.float() / 127.5 - 1)
    assert torch.allclose(found, expected.flatten(), rtol=1e-4) and (found > 0).all()
    assert LPIPS(**files).distance(*[a.float() / 127.5 - 1] * 2).abs().max() == 0


def check(**files):
    images = torch.zeros(4, 1, 16, 16, dtype=torch.uint8)
    data = InMemory(Split(images, images))
    evaluation = Evaluation(Pixels(), {"lpips": LPIPS(**files)}, split="train")
    evaluation.check(data, SimpleNamespace())


def test_files_of_weights_are_needed(files, tmp_path):
    check(**files)
    (tmp_path / "words.pth").write_text("no weights")
    for given, words in (
        ({}, r"lpips.vgg=null: no file is given. Give the published files: metrics.metrics.lpips.weights=FILE"),
        ({"vgg": files["vgg"]}, "lpips.weights=null: no file is given"),
        ({"vgg": "nowhere.pth"}, "there is no such file"),
        ({"vgg": files["weights"]}, "not the weights of VGG16"),
        ({"vgg": files["vgg"], "weights": files["vgg"]}, "not the weights of LPIPS"),
        ({"vgg": str(tmp_path / "words.pth")}, "not a file of PyTorch weights"),
    ):
        with pytest.raises(ConfigError, match=words):
            check(**given)
