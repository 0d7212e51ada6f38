"""Tasks make the pairs that they promise; numpy, scipy and Pillow say what these are."""

import numpy as np
import pytest
import torch
from PIL import Image
from scipy import ndimage

from genlab.core.errors import ConfigError
from genlab.core.picture import Picture
from genlab.core.random import Draws
from genlab.data import InMemory, Split
from genlab.data.tasks import TASKS, Denoising, Edges, Inpainting, LowResolution, Rotation, Segments, luminance, task_of


def draws(count=4, turn=0):
    return Draws(("task", turn), count, 0, count, torch.device("cpu"))


def pictures(channels=3, height=16, width=16, count=4):
    source = torch.Generator().manual_seed(5)
    pixels = torch.randint(0, 256, (count, channels, height, width), generator=source)
    return pixels.float() / 127.5 - 1


@pytest.mark.parametrize("name", TASKS)
def test_a_source_has_the_shape_and_range_that_is_promised(name):
    task, images = task_of(name), pictures(width=12)
    made = task(images, draws())
    assert made.shape == (4, *task.shape((3, 16, 12)))
    low, high = (0, task.classes - 1) if task.classes else (-1, 1)
    assert made.min() >= low and made.max() <= high and made.std() > 0.05


def test_edges_are_sobels_magnitude_of_the_luminance():
    images = pictures(count=1)
    grey = np.asarray(luminance(images))[0, 0].astype(np.float64)
    slopes = [ndimage.sobel(grey, axis, mode="nearest") for axis in (0, 1)]
    expected = 1 - 2 * np.clip(np.hypot(*slopes) / 8, 0, 1)
    np.testing.assert_allclose(Edges()(images, draws(1))[0, 0], expected, atol=1e-5)


def test_a_step_is_as_dark_as_it_is_high():
    images = torch.full((1, 1, 8, 8), -1.0)
    images[..., 4:] = 0.0  # half of the way to white
    lines = Edges()(images, draws(1))
    assert lines[0, 0, 3].tolist() == [1, 1, 1, 0, 0, 1, 1, 1]
    assert Edges(threshold=0.4)(images, draws(1))[0, 0, 3].tolist() == [1, 1, 1, -1, -1, 1, 1, 1]
    assert Edges(threshold=0.6)(images, draws(1)).eq(1).all()


def test_luminance_is_pillows():
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    ours = luminance(torch.from_numpy(pixels.copy()).permute(2, 0, 1)[None].float())
    np.testing.assert_allclose(ours[0, 0], np.asarray(Image.fromarray(pixels).convert("L")), atol=1)


def test_low_resolution_is_pillows_bicubic():
    pixels = np.random.default_rng(0).integers(0, 256, (16, 16), dtype=np.uint8)
    expected = np.asarray(Image.fromarray(pixels).resize((4, 4), Image.Resampling.BICUBIC)).astype(float)
    made = LowResolution()(torch.from_numpy(pixels.copy())[None, None].float() / 127.5 - 1, draws(1))
    np.testing.assert_allclose((made[0, 0] + 1) * 127.5, expected, atol=1.5)
    with pytest.raises(ConfigError, match="data.size=20"):
        LowResolution().shape((3, 18, 16))
    assert task_of("low_resolution_2").shape((3, 18, 16)) == (3, 9, 8)


def test_a_grey_square_hides_a_part_of_each_image_elsewhere():
    images = torch.ones(64, 1, 8, 8)
    hidden = Inpainting()(images, draws(64)) == 0
    assert (hidden.sum((1, 2, 3)) == 16).all()
    rows, columns = hidden.any(3).float().argmax(2), hidden.any(2).float().argmax(2)
    assert set(rows.flatten().tolist()) == set(columns.flatten().tolist()) == set(range(5))  # all of them within
    assert hidden[0, 0, rows[0, 0] : rows[0, 0] + 4, columns[0, 0] : columns[0, 0] + 4].all()


def test_noise_is_drawn_for_each_image_and_turn():
    grey = torch.zeros(4, 1, 32, 32)
    first, second = Denoising(0.2)(grey, draws()), Denoising(0.2)(grey, draws(turn=1))
    assert first.std().item() == pytest.approx(0.2, rel=0.05)
    assert not torch.equal(first, second) and not torch.equal(first[0], first[1])


def test_a_quarter_turn_is_to_the_left():
    images = torch.tensor([[0.0, 1.0], [2.0, 3.0]])[None, None]
    assert Rotation()(images, draws(1))[0, 0].tolist() == [[1, 3], [0, 2]]


def test_segments_are_a_threshold_and_an_erosion():
    images = pictures(count=1)
    bright = np.asarray(luminance(images))[0, 0] > -0.4
    inside = ndimage.binary_erosion(bright, np.ones((3, 3)), border_value=1)
    found = Segments(threshold=0.3)(images, draws(1))[0, 0]
    assert np.array_equal(found, bright.astype(int) + inside) and inside.any()


def test_a_task_that_labels_makes_label_maps():
    data = InMemory(Split(torch.randint(0, 256, (4, 1, 8, 8), dtype=torch.uint8)), task="segments")
    assert data.spec.condition == Picture(1, 8, 8, 3) and data.spec.condition.input_channels == 3
    shown = data.conditions(data.train, 0, 4)
    expected = Segments()(data.train.images.float() / 127.5 - 1, draws())
    assert torch.equal(shown.argmax(1, keepdim=True).float(), expected) and torch.equal(
        shown.sum(1), torch.ones(4, 8, 8)
    )


def test_tasks_without_a_meaning_are_refused():
    grey, labels = torch.zeros(4, 1, 8, 8, dtype=torch.uint8), torch.arange(4)
    for data, task, words in (
        (Split(grey), "grayscale", "grey already"),
        (Split(grey), "sharpening", "data.task=sharpening: expected one of edges, grayscale"),
        (Split(torch.zeros(4, 2)), "edges", "the data are points"),
        (Split(grey, grey), "edges", "these are pairs already"),
    ):
        with pytest.raises(ConfigError, match=words):
            _ = InMemory(data, task=task).spec
    with pytest.raises(ConfigError, match="data.labelled=2"):
        InMemory(Split(grey, labels), task="edges", labelled=2)
