"""A small file whose config describes huge networks is refused before they take memory."""

import hashlib
import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import nn

import genlab
from genlab.build import instantiate as build
from genlab.build.runs import open_run
from genlab.core import checkpoint
from genlab.core.errors import ConfigError
from genlab.core.network_limit import Limit, limited_networks
from genlab.core.spec import Spec
from genlab.core.tensor_file import read_tensors
from genlab.exporting import load
from tests.conftest import NARROW_MLP, TINY, composed, tiny_data

OLD_RUN = Path(__file__).with_name("old_run")
DEEP = {"_target_": "genlab.models.adversarial.began.Decoder", "_partial_": True, "width": 1, "blocks": 10**9}
HUGE = {
    "width": lambda model: model["generator"].update(width=10**7),
    "depth": lambda model: model.update(generator=DEEP),
    "discriminator": lambda model: model["discriminator"].update(width=10**9),
    "latent": lambda model: model["latent"].update(size=10**9),
}


@pytest.fixture
def run(tmp_path):
    return shutil.copytree(OLD_RUN, tmp_path / "run")


def change_checkpoints(run: Path, change) -> None:
    for path in (run / "checkpoints").glob("*.pt"):
        state = torch.load(path, weights_only=True)
        change(state)
        torch.save(state, path)
        checkpoint.checksum_path(path).write_text(hashlib.sha256(path.read_bytes()).hexdigest())


@pytest.mark.parametrize("name", HUGE)
def test_a_checkpoint_of_huge_networks(run, name):
    change_checkpoints(run, lambda state: HUGE[name](state["config"]["model"]))
    with pytest.raises(ConfigError, match=r"made to fill memory"):
        genlab.load(run, device="cpu")


@pytest.mark.parametrize("name", ["width", "discriminator", "latent"])
def test_an_exported_file_of_huge_networks(run, tmp_path, name):
    with safe_open(run / "generator.safetensors", "pt") as file:
        facts, weights = json.loads(file.metadata()["genlab"]), {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    HUGE[name](facts["config"]["model"])
    save_file(weights, tmp_path / "a.safetensors", metadata={"genlab": json.dumps(facts)})
    with pytest.raises(ConfigError, match=r"made to fill memory"):
        load(tmp_path / "a.safetensors")


@pytest.mark.parametrize(
    "facts",
    [{"channels": 10**9}, {"height": 10**6, "width": 10**6}, {"height": "28"}, {"channels": -1}, {"classes": 10**9}],
)
def test_facts_of_the_data_that_would_fill_memory(facts):
    with pytest.raises(ConfigError, match="which no data set has"):
        Spec.of({"channels": 1, "height": 28, "width": 28, "images": 9} | facts)


@pytest.mark.parametrize(
    "tensor",
    [torch.zeros(1).expand(10**6, 10**6), torch.zeros(10**9, device="meta"), torch.zeros(9, 9).to_sparse()],
    ids=["expanded", "meta", "sparse"],
)
def test_tensors_of_more_values_than_are_stored(tmp_path, tensor):
    torch.save({"a": [tensor]}, tmp_path / "a.pt")
    with pytest.raises(ValueError, match="more values than are stored"):
        read_tensors(tmp_path / "a.pt")


def test_what_fits_is_built_and_the_limit_ends():
    with limited_networks(Limit(10_000, "RUN")):
        nn.Sequential(nn.Linear(9, 9), nn.BatchNorm1d(9))
        with pytest.raises(ConfigError, match="far larger"):
            torch.zeros(100, 101)
        with pytest.raises(ConfigError, match="far larger"):
            torch.randn(size=(9, 9, 999))
        with pytest.raises(ConfigError, match="far larger"):
            nn.Sequential(*(nn.Linear(9, 99) for _ in range(9)))
    nn.Linear(99, 999)


def test_a_trainer_of_huge_networks(tmp_path):
    config = composed("model=gan", *NARROW_MLP, *TINY, "model.generator.widths=[100000000]")
    with pytest.raises(ConfigError, match="RUN: names a model that is far larger"):
        build.trainer(config, tmp_path, tiny_data(), limit=Limit(10**6, "RUN"))


def test_data_of_more_pixels_than_the_run_was_trained_with(run):
    change_checkpoints(run, lambda state: state["config"]["data"].update(size=4096))
    with pytest.raises(ConfigError, match=r"data\.size=4096: .* made to fill memory"):
        open_run(run, device="cpu", real=True)
