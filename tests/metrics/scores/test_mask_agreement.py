"""Agreement of images with label maps, against a count pixel by pixel."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from genlab.core.errors import ConfigError
from genlab.data import InMemory, Split
from genlab.metrics import Evaluation, Pixels, SampleSource
from genlab.metrics.scores.mask_agreement import MaskAgreement


def pixels(count, seed, size=12):
    """Blots of two grey levels."""
    source = torch.Generator().manual_seed(seed)
    return (
        torch.randint(0, 2, (count, 1, size // 3, size // 3), generator=source, dtype=torch.uint8)
        .repeat_interleave(3, 2)
        .repeat_interleave(3, 3)
        * 200
    )


def data_of(padding=0, **facts):
    return InMemory(Split(pixels(9, 1)), test=Split(pixels(9, 2)), padding=padding, name="blots", **facts)


def measured(data, samples, rule=None, limit=10_000, split="test"):
    """A batch is no multiple of the number of images."""
    evaluation = Evaluation(Pixels(), {"masks": MaskAgreement(limit, rule=rule)}, images=12, batch_size=5, split=split)
    source = SampleSource(lambda start, count: samples[start : start + count], trained=SimpleNamespace(data=data))
    evaluation.check(data)
    return {record.metric: record.value for record in evaluation.run(source, data, device="cpu")}


def by_hand(asked, found, classes):
    shares = [(asked == k) & (found == k) for k in range(classes)]
    unions = [(asked == k) | (found == k) for k in range(classes)]
    known = (asked >= 0) & (asked < classes)
    ious = [(s & known).sum() / (u & known).sum() for s, u in zip(shares, unions, strict=True) if (u & known).any()]
    return {"mask_agreement": (asked == found)[known].mean(), "mask_iou": np.mean(ious)}


def segments(grey):
    """0 dark, 1 outline, 2 inside, pixel by pixel."""
    bright, height, width = grey > 127.5, *grey.shape
    found = np.zeros((height, width), int)
    for y in range(height):
        for x in range(width):
            near = bright[max(0, y - 1) : y + 2, max(0, x - 1) : x + 2]
            found[y, x] = bright[y, x] * (2 if near.all() else 1)
    return found


@pytest.mark.parametrize("padding", [0, 2])
def test_the_task_that_made_the_maps_reads_what_is_made_of_them(padding):
    """Of three classes, and of images without the frame of black that the data set laid around them."""
    data, made = data_of(padding, task="segments"), pixels(12, 3)
    found = measured(data, made.float() / 127.5 - 1)
    cut = np.s_[:, padding : 12 - padding, padding : 12 - padding]
    framed = made.clone()
    if padding:
        framed[..., [0, 1, -2, -1], :] = 0
        framed[..., [0, 1, -2, -1]] = 0
    asked, shown = (
        np.stack([segments(x[0].numpy()) for x in images])[cut] for images in (data.test.images, framed[:9])
    )
    for name, value in by_hand(asked, shown, 3).items():
        assert found[name] == pytest.approx(value), name
    mean = np.stack([segments(data.train.images.double().mean(0)[0].round().numpy())] * 9)
    if not padding:
        for name, value in by_hand(asked, mean, 3).items():
            assert found[f"{name}_mean"] == pytest.approx(value)


def test_the_images_themselves_agree():
    data = data_of(task="segments")
    again = torch.cat([data.test.images, pixels(3, 5)]).float() / 127.5 - 1
    found = measured(data, again)
    assert found["mask_agreement"] == found["mask_iou"] == 1


def test_a_rule_of_ones_own_reads_stored_maps_and_what_is_no_class_does_not_count():
    maps = [torch.randint(0, 4, (9, 1, 12, 12), dtype=torch.uint8) for _ in range(2)]
    maps[1][maps[1] == 3] = 255  # no class
    data = InMemory(Split(pixels(9, 1), maps[0] % 3), test=Split(pixels(9, 2), maps[1]), source_classes=3)
    made = torch.randint(0, 5, (12, 1, 12, 12)).float() / 127.5 - 1
    found = measured(data, made, rule=lambda images: ((images + 1) * 127.5).round(), limit=7)
    asked = maps[1][:7, 0].numpy().astype(int)
    shown = ((made[:7, 0] + 1) * 127.5).round().int().numpy()
    for name, value in by_hand(asked, shown, 3).items():
        assert found[name] == pytest.approx(value), name


def test_a_generator_that_diverged_has_no_numbers():
    made = pixels(12, 3).float() / 127.5 - 1
    made[3, 0, 0, 0] = torch.nan
    found = measured(data_of(task="segments"), made)
    assert np.isnan(found["mask_agreement"]) and np.isnan(found["mask_iou"]) and found["mask_iou_mean"] > 0


def test_data_without_label_maps_or_rule_are_refused():
    made = pixels(12, 3).float() / 127.5 - 1
    with pytest.raises(ConfigError, match="data.task=segments"):
        measured(data_of(task="edges"), made)
    stored = InMemory(Split(pixels(9, 1), pixels(9, 1) % 3), source_classes=3)
    with pytest.raises(ConfigError, match="rule._target_"):
        measured(stored, made, split="train")
