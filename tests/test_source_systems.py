"""Systems whose condition is a picture: what goes together, and what is refused in one message."""

import pytest
import torch

from genlab.data import InMemory, Split
from genlab.errors import ConfigError
from tests.conftest import narrow, tiny_data


def pairs(size=8, images=64, **facts):
    """Random pictures, each with another one as its source; a test split of 16."""
    source = torch.Generator().manual_seed(3)
    pixels = torch.randint(0, 256, (2, images + 16, 1, size, size), generator=source, dtype=torch.uint8)
    train, test = (Split(*pixels[:, part]) for part in (slice(images), slice(images, None)))
    return InMemory(train, test=test, name="pairs", **facts)


@pytest.mark.parametrize("model", ["cgan", "cgan_conv", "cvae"])
def test_networks_that_are_told_classes_refuse_pictures(make_trainer, model):
    with pytest.raises(ConfigError, match="the condition of these data is a picture"):
        make_trainer(f"model={model}", *narrow(model), data=pairs())


def test_a_model_with_its_classes_needs_classes(make_trainer):
    with pytest.raises(ConfigError, match="data.task=null"):
        make_trainer("model=acgan", *narrow("acgan"), data=InMemory(tiny_data().train, task="edges"))


def test_an_unconditional_model_does_not_look_at_sources(make_trainer):
    trainer = make_trainer("model=dcgan", *narrow("dcgan"), data=pairs())
    trainer.take_step()
    assert trainer.sample_conditions(0, 3) is None
