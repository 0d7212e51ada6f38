"""Pictures as conditions: what a data set says of them, and that a batch's images and sources move as one."""

import pytest
import torch

from genlab.core.errors import ConfigError
from genlab.core.picture import Picture
from genlab.core.random import Draws
from genlab.data import InMemory, Split
from genlab.data.stream import Stream

CPU = torch.device("cpu")


def numbered(count=6, channels=1, size=6):
    """Images whose every pixel has a value of its own; the source holds the same, from 255 down."""
    pixels = torch.arange(count * size * size).view(count, 1, size, size) % 251
    images = pixels.to(torch.uint8).expand(-1, channels, -1, -1).contiguous()
    return Split(images, 255 - images)


def draws(batch=64, start=0, stop=None, turn=0):
    return Draws((0, "discriminator", turn), batch, start, batch if stop is None else stop, CPU)


def stream(data):
    facts = {"flip": data.flip, "crop": data.crop, "task": data.task, "condition": data.spec.condition}
    return Stream(data.pool, seed=0, device=CPU, **facts)


def both(data, **facts):
    found = stream(data)
    return found.batch("discriminator", 0, draws(**facts)), found.labels("discriminator", 0, draws(**facts))


def test_the_spec_knows_the_source():
    spec = InMemory(Split(numbered().images, numbered(channels=3).labels)).spec
    assert spec.condition == Picture(3, 6, 6) and spec.require_source().input_channels == 3
    assert spec.class_count is None and spec.unconditional.condition is None
    with pytest.raises(ConfigError, match="the condition of these data is a picture"):
        _ = spec.condition_size
    with pytest.raises(ConfigError, match="data.task=edges"):
        spec.unconditional.require_source()


def test_a_task_takes_the_place_of_classes():
    data = InMemory(Split(numbered().images, torch.arange(6)), task="low_resolution_2")
    assert data.spec.condition == Picture(1, 3, 3)
    assert data.train.labels.tolist() == list(range(6))  # scores may look at them


def test_images_and_sources_are_cut_and_mirrored_as_one():
    images, sources = both(InMemory(numbered(), flip=True, crop=4))
    assert images.shape == sources.shape == (64, 1, 4, 4)
    assert torch.allclose(images, -sources, atol=1e-6)


def test_every_cut_and_both_ways_round_come_about():
    """One image of known pixels: the first row of a batch says where it was cut and which way round it is."""
    data = InMemory(Split(torch.arange(36, dtype=torch.uint8).view(1, 1, 6, 6)), flip=True, crop=4)
    pixels = ((stream(data).batch("discriminator", 0, draws(512)) + 1) * 127.5).round().long()[:, 0]
    plain = pixels[:, 0, 0] < pixels[:, 0, 1]
    corners = torch.where(plain, pixels[:, 0, 0], pixels[:, 0, 3])
    assert set(corners.tolist()) == {6 * down + right for down in range(3) for right in range(3)}
    assert 0.4 < plain.float().mean() < 0.6
    steps = torch.arange(4)
    straight = corners[:, None, None] + 6 * steps[:, None] + steps
    assert torch.equal(torch.where(plain[:, None, None], pixels, pixels.flip(2)), straight)


@pytest.mark.parametrize("facts", [{"crop": 4}, {"task": "inpainting"}, {"task": "denoising", "crop": 5, "flip": True}])
def test_micro_batches_see_what_the_whole_batch_sees(facts):
    split = numbered() if "task" not in facts else Split(numbered().images)
    data = InMemory(split, **facts)
    whole = both(data)
    parts = [both(data, start=start, stop=start + 16) for start in range(0, 64, 16)]
    for index in (0, 1):
        assert torch.equal(whole[index], torch.cat([part[index] for part in parts]))


def test_a_source_made_on_the_way_is_that_of_the_batch():
    data = InMemory(Split(numbered(channels=3).images), task="grayscale", flip=True, crop=4)
    images, sources = both(data)
    assert torch.allclose(images.mean(1, keepdim=True), sources, atol=1.5 / 127.5)  # equal channels; 8 bit


def test_without_draws_the_middle_is_shown():
    data = InMemory(numbered(), test=numbered(), crop=4)
    assert data.spec.shape == (1, 4, 4) and data.spec.condition == Picture(1, 4, 4)
    for split in (data.train, data.test):
        assert torch.equal(split.images, numbered().images[..., 1:5, 1:5])
        assert torch.equal(split.labels, numbered().labels[..., 1:5, 1:5])
    assert data.pool.images.shape == (6, 1, 6, 6)
    assert data.reference("train").fingerprint() != InMemory(numbered()).reference("train").fingerprint()
    with pytest.raises(ConfigError, match="data.crop=7: images have 6 x 6 pixels"):
        InMemory(numbered(), crop=7)


@pytest.mark.parametrize("task", [None, "denoising", "inpainting"])
def test_the_source_of_a_row_is_always_the_same(task):
    split = numbered(count=120)
    data = InMemory(split if task is None else Split(split.images), task=task)
    whole = data.conditions(data.examples, 0, 120)
    assert torch.equal(data.conditions(data.examples, 37, 60), whole[37:97])
    assert torch.equal(data.conditions(data.examples, 37, 60), whole[37:97])


def test_sources_are_those_of_the_test_split_and_begin_again_after_it():
    test = numbered(count=4)
    data = InMemory(numbered(count=6), test=Split(test.images.flip(0), test.labels.flip(0)))
    found = data.conditions(data.examples, 2, 5)
    expected = test.labels.flip(0)[[2, 3, 0, 1, 2]].float() / 127.5 - 1
    assert torch.allclose(found, expected, atol=1e-6)
    assert data.examples is data.test and InMemory(numbered()).examples.images.shape[0] == 6


def test_label_maps_are_seen_one_hot():
    maps = torch.tensor([[0, 1], [2, 255]], dtype=torch.uint8).view(1, 1, 2, 2)
    data = InMemory(Split(torch.zeros(1, 3, 2, 2, dtype=torch.uint8), maps), source_classes=3)
    assert data.spec.condition == Picture(1, 2, 2, 3) and data.spec.condition.input_channels == 3
    expected = torch.tensor([[[1, 0], [0, 0]], [[0, 1], [0, 0]], [[0, 0], [1, 0]]]).float()
    assert torch.equal(data.conditions(data.examples, 0, 1)[0], expected)
    assert torch.equal(both(data)[1][0], expected)  # 255 is no class


@pytest.mark.parametrize(
    ("sources", "classes", "words"),
    [
        (torch.zeros(6, 1, 5, 6, dtype=torch.uint8), None, "the height and width of the images"),
        (torch.zeros(6, 1, 6, 6), None, "expected torch.uint8"),
        (torch.zeros(5, 1, 6, 6, dtype=torch.uint8), None, "5 labels for 6 images"),
        (torch.zeros(6, 3, 6, 6, dtype=torch.uint8), 4, "source_classes=4: label maps have one channel"),
    ],
)
def test_sources_that_do_not_fit_are_refused(sources, classes, words):
    with pytest.raises(ConfigError, match=words):
        InMemory(Split(numbered().images, sources), source_classes=classes)
