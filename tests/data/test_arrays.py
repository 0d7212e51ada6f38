"""Data from Python: what is read, in which way, and what each unfit array says."""

import numpy as np
import pytest
import torch

import genlab
from genlab.core.condition import Attributes, Classes
from genlab.core.errors import ConfigError
from genlab.data import InMemory, Split
from genlab.data.arrays import refuse_one_value

PIXELS = torch.arange(6 * 3 * 8 * 8).view(6, 3, 8, 8).remainder(256).to(torch.uint8)
POINTS = torch.randn(6, 2, generator=torch.Generator().manual_seed(1))


def holed(value):
    points = POINTS.clone()
    points[[1, 4], 0] = value
    return points


@pytest.mark.parametrize("shape", [(3, 8, 8), (1, 4, 4), (4, 8, 8), (2, 8, 8), (2, 8, 10), (32, 8, 8), (3, 20, 12)])
def test_channels_first_stay_as_they_are(shape):
    images = torch.randint(0, 256, (5, *shape), dtype=torch.uint8)
    assert InMemory(Split(images)).train.images is images


@pytest.mark.parametrize("shape", [(8, 8, 3), (28, 28, 1), (8, 8, 4), (20, 12, 3), (4, 4, 3)])
def test_channels_last_are_turned_and_it_is_said(shape, caplog):
    images = torch.randint(0, 256, (5, *shape), dtype=torch.uint8)
    data = InMemory(Split(images), test=Split(images.numpy()))
    assert data.spec.shape == (shape[2], *shape[:2]) and data.test.images.shape[1:] == data.spec.shape
    assert torch.equal(data.train.images[3, :, 1, 2], images[3, 1, 2])
    assert f"read as [N, H, W, C], {shape[1]} x {shape[0]} pixels with {shape[2]} channels" in caplog.text


@pytest.mark.parametrize("shape", [(4, 4, 4), (3, 32, 3), (32, 32, 2), (8, 8, 8), (28, 30, 5)])
def test_shapes_that_do_not_tell_are_refused_with_both_readings(shape):
    images = torch.zeros(5, *shape, dtype=torch.uint8)
    first, middle, last = shape
    both = f"{first} channels of {last} x {middle} pixels as .* {last} channels of {middle} x {first} pixels as"
    with pytest.raises(ConfigError, match=both):
        InMemory(Split(images))
    assert InMemory(Split(images), layout="NCHW").spec.shape == shape
    assert InMemory(Split(images), layout="NHWC").spec.shape == (last, first, middle)


def test_label_maps_and_sources_turn_with_their_images():
    data = InMemory(Split(PIXELS.permute(0, 2, 3, 1), PIXELS.permute(0, 2, 3, 1)))
    assert torch.equal(data.train.images, PIXELS) and torch.equal(data.train.labels, PIXELS)


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (PIXELS / 255, r"0 and 1: \(images \* 255\).round"),
        (PIXELS / 127.5 - 1, r"-1 and 1: \(\(images \+ 1\) \* 127.5\).round"),
        (PIXELS.float(), r"0 and 255: images.round\(\).to\(torch.uint8\)"),
        (PIXELS.long(), r"0 and 255: images.round\(\)"),
        (PIXELS.long() * 257, "0 and 65535: scale them to 0 ... 255"),
        (PIXELS > 9, r"True becomes white by images.to\(torch.uint8\) \* 255"),
        (PIXELS / 0, "not finite: remove those images"),
        (PIXELS[:, 0], r"images\[:, None\]"),
        (PIXELS.flatten(1), r"images.view\(N, C, H, W\)"),
        (PIXELS[:0], "with N > 0"),
        (PIXELS[:, :, :0], "with N > 0"),
        (POINTS.double(), r"points.float\(\)"),
        (holed(torch.nan), "points: 2 of 6 rows hold numbers that are not finite, the first of them row 1, 4"),
        (holed(torch.inf), "2 of 6 rows"),
        (np.array([None, 3]), "an array of object: expected one tensor, or one NumPy array"),
        ([PIXELS[0], PIXELS[1]], "of type list: .* torch.stack"),
    ],
)
def test_unfit_images_are_one_readable_mistake(images, message):
    with pytest.raises(ConfigError, match=message):
        InMemory(Split(images))


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (torch.tensor([0.0, 1, 0, 1, 0, 1]), r"labels.long\(\)"),
        (torch.tensor([0, 7, 0, 7, 0, 7]), r"the numbers 0, 7: expected all of 0, 1, 2.*condition=Classes\(COUNT\)"),
        (torch.tensor([0, -2, 1, 0, 1, 0]), "the numbers -2, 0, 1"),
        (torch.full((6,), -1), "no class is known: leave the labels out"),
        (torch.arange(5), "5 labels for 6 images"),
        (torch.tensor(3), "1 labels for 6 images"),
        (torch.arange(6) > 2, r"torch.bool of shape \[6\].*labels.long\(\)"),
        (torch.eye(6).long(), r"labels.argmax\(1\)"),
        (torch.full((6, 2), torch.nan), "6 of 6 rows hold numbers that are not finite"),
        (torch.zeros(6, 8, 8, dtype=torch.uint8), r"labels\[:, None\]"),
        (np.array(["cat"] * 6), "an array of <U3"),
    ],
)
def test_unfit_labels_are_one_readable_mistake(labels, message):
    with pytest.raises(ConfigError, match=message):
        InMemory(Split(PIXELS, labels))


@pytest.mark.parametrize("names", ["cat", ["cat", 1], ["cat", ""], ["cat", "cat"], [None], 3])
def test_names_that_are_none(names):
    with pytest.raises(ConfigError, match="class_names=.*expected a list of texts"):
        InMemory(Split(PIXELS, torch.arange(len(PIXELS)) % 2), class_names=names)
    with pytest.raises(ConfigError, match="no labels"):
        InMemory(Split(PIXELS), class_names=["cat", "dog"])


def test_classes_that_have_no_image_are_given_by_a_condition_or_by_names():
    labels = torch.tensor([0, 2, 0, 2, 0, -1])
    assert InMemory(Split(PIXELS, labels), condition=Classes(3)).spec.condition == Classes(3)
    named = InMemory(Split(PIXELS, labels), class_names=["cat", "cow", "dog"])
    assert named.spec.condition == Classes(3, ("cat", "cow", "dog"))
    with pytest.raises(ConfigError, match="values from -1 to 2: expected torch.int64 .N., from 0 to 1"):
        InMemory(Split(PIXELS, labels), condition=Classes(2))


def test_every_split_is_held_to_the_kind_of_the_training_split():
    train = Split(PIXELS, torch.arange(6) % 2)
    with pytest.raises(ConfigError, match="from 0 to 1 for 2 classes"):
        InMemory(train, test=Split(PIXELS, torch.arange(6)))
    with pytest.raises(ConfigError, match=r"test: images of shape \[6, 1, 8, 8\].*\[6, 3, 8, 8\]"):
        InMemory(train, test=Split(PIXELS[:, :1]))


def test_numpy_arrays_are_the_same_data_as_tensors():
    tensors = InMemory(Split(PIXELS, torch.arange(6)))
    big_endian = PIXELS.numpy().transpose(0, 2, 3, 1)[:, ::-1][:, ::-1], np.arange(6, dtype=">i4")
    assert InMemory(Split(*big_endian)).fingerprint == tensors.fingerprint
    attributes = InMemory(Split(PIXELS, np.zeros((6, 4), np.float32)))
    assert attributes.spec.condition == Attributes(4)
    named = InMemory(Split(PIXELS, np.zeros((6, 2), np.float32)), class_names=["Male", "Smiling"])
    assert named.spec.condition == Attributes(2, ("Male", "Smiling"))
    with pytest.raises(ConfigError, match="4 attributes with the names .*'Male'.*expected as many, all different"):
        InMemory(Split(PIXELS, np.zeros((6, 4), np.float32)), class_names=["Male", "Smiling"])


def test_what_is_no_data_set_is_said():
    import genlab

    for given in (PIXELS, Split(PIXELS)):
        with pytest.raises(ConfigError, match=r"data=...: of type .*InMemory\(Split\(images, labels\)\)"):
            genlab.run(["model=gan"], data=given)
    with pytest.raises(ConfigError, match="train: of type Tensor: expected Split"):
        InMemory(PIXELS)


@pytest.mark.parametrize("value", [0, 200])
def test_images_of_one_value_are_refused(value):
    images = torch.full((3, 1, 8, 8), value, dtype=torch.uint8)
    for part, data in (
        ("training", InMemory(Split(images))),
        ("test", InMemory(Split(PIXELS[:, :1]), test=Split(images))),
    ):
        with pytest.raises(ConfigError, match=f"every value of every {part} picture is {value}"):
            genlab.run(["model=gan"], data=data)
    images[2, 0, 0, 0] = 9
    refuse_one_value(images, "training")
