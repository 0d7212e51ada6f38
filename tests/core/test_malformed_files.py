"""Malformed checkpoints and files of weights: one message that names the file, and the older checkpoint is taken."""

import hashlib

import pytest
import torch

from genlab.build import instantiate as build
from genlab.core import checkpoint
from genlab.core.errors import ConfigError, RunError
from genlab.core.weights import describe_misfit, read_weights
from tests.conftest import NARROW_MLP, TINY, composed, tiny_data

BROKEN = {
    "empty": lambda state: {},
    "a list": lambda state: [1, 2],
    "no parts": lambda state: {name: value for name, value in state.items() if name != "parts"},
    "parts are a list": lambda state: state | {"parts": [1]},
    "a part is a tensor": lambda state: state | {"parts": state["parts"] | {"network/generator": torch.zeros(2)}},
    "no position": lambda state: state | {"parts": {k: v for k, v in state["parts"].items() if k != "position"}},
    "position of texts": lambda state: state | {"parts": state["parts"] | {"position": {"images": "many", "step": 1}}},
    "position is negative": lambda state: state | {
        "parts": state["parts"] | {"position": state["parts"]["position"] | {"images": -5}}
    },
    "config is a text": lambda state: state | {"config": "model=gan"},
    "config without a model": lambda state: state | {"config": {"seed": 0, "trainer": {}}},
    "seed is a text": lambda state: state | {"config": state["config"] | {"seed": "0"}},
    "fingerprint is a number": lambda state: state | {"fingerprint": 3},
    "splits are a list": lambda state: state | {"splits": [1]},
    "spec is a text": lambda state: state | {"spec": "28 x 28"},
    "format is a text": lambda state: state | {"format": "2"},
}  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two checkpoints of a run."""
    run = tmp_path_factory.mktemp("run")
    trainer = build.trainer(composed(*TINY, "model=gan", *NARROW_MLP), run, tiny_data())
    for images in (0, 8):
        trainer.images = images
        options = {"config": trainer.config, "fingerprint": "", "spec": trainer.spec}
        checkpoint.save(run / "checkpoints" / f"{images:010d}.pt", trainer.parts, **options)
    return run / "checkpoints"


def write(path, state):
    torch.save(state, path)
    checkpoint.checksum_path(path).write_text(hashlib.sha256(path.read_bytes()).hexdigest())


@pytest.mark.parametrize("kind", BROKEN)
def test_a_malformed_checkpoint_is_passed_over_for_the_older_one(folder, kind, caplog):
    newest, state = checkpoint.newest_good(folder)
    write(newest, BROKEN[kind](state))
    try:
        found = checkpoint.newest_good(folder)
        assert found is not None and found[0].name == "0000000000.pt"
        assert str(newest) in caplog.text and "Falling back" in caplog.text
        with pytest.raises(ConfigError, match="init_from=") as caught:
            checkpoint.load_weights({}, str(newest))
        assert str(newest) in str(caught.value) and "state_dict" not in str(caught.value)
    finally:
        write(newest, state)


@pytest.mark.parametrize("content", [b"", b"junk", b"PK\x03\x04 half a zip", b"\x80\x04."])
def test_a_file_that_is_no_checkpoint_is_refused(folder, tmp_path, content):
    path = tmp_path / "checkpoints" / "0000000003.pt"
    path.parent.mkdir()
    path.write_bytes(content)
    checkpoint.checksum_path(path).write_text(hashlib.sha256(content).hexdigest())
    with pytest.raises(RunError, match="none of its 1 checkpoints can be read"):
        checkpoint.newest_good(path.parent)


@pytest.mark.parametrize("content", [b"", b"junk", b"PK\x03\x04 half a zip", b"\x80\x04."])
def test_a_file_that_holds_no_weights_is_refused(tmp_path, content):
    path = tmp_path / "weights.pth"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match="weights: not a file of PyTorch weights"):
        read_weights(path, "weights", "Hint.")


@pytest.mark.parametrize("content", [[1], {"a": 1}, {1: torch.zeros(1)}, torch.zeros(3), "text"])
def test_another_object_than_weights_is_refused(tmp_path, content):
    torch.save(content, tmp_path / "weights.pth")
    with pytest.raises(ConfigError, match="weights: not a file of PyTorch weights"):
        read_weights(tmp_path / "weights.pth", "weights", "Hint.")


def test_a_misfit_is_told_in_words():
    expected = {"a": torch.zeros(2), "b": torch.zeros(3), "steps": 3}
    assert describe_misfit(expected, {"a": torch.zeros(2), "b": torch.zeros(3)}) == ""
    found = describe_misfit(expected, {"a": torch.zeros(4), "c": torch.zeros(1)})
    assert found == "it lacks b; it has besides c; of another shape: a is [4], and [2] here"
    assert describe_misfit(expected, [1]) == "it holds no weights"


def test_a_state_of_another_shape_is_one_message(folder):
    _, state = checkpoint.newest_good(folder)
    part = torch.nn.Linear(2, 3)
    parts = {"position": torch.nn.Identity(), "network": part}
    with pytest.raises(ConfigError, match="the checkpoint's network does not fit: it lacks weight, bias") as caught:
        checkpoint.load(parts, {"position": {}, "network": {"other": torch.zeros(2)}})
    assert "state_dict" not in str(caught.value)
