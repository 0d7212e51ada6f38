"""Numbers of pairs against numpy, and against SSIM as its paper writes it, place by place."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from genlab.core.errors import ConfigError
from genlab.data import InMemory, Split
from genlab.metrics import Evaluation, Pixels, SampleSource
from genlab.metrics.scores.pair_distances import L1, PSNR, SSIM

METRICS = {"l1": L1, "psnr": PSNR, "ssim": SSIM}


def pixels(count, channels=3, size=16, seed=0):
    source = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (count, channels, size, size), generator=source, dtype=torch.uint8)


def data_of(channels=3, sources=3, padding=0, **facts):
    parts = [Split(pixels(9, channels, seed=seed), pixels(9, sources, seed=seed + 1)) for seed in (2, 4)]
    return InMemory(parts[0], test=parts[1], padding=padding, name="pairs", **facts)


def measured(data, samples, split="test", limit=10_000):
    """By name; a batch is no multiple of the number of pairs."""
    metrics = {name: metric(images=limit) for name, metric in METRICS.items()}
    evaluation = Evaluation(Pixels(), metrics, images=20, batch_size=4, split=split)
    source = SampleSource(lambda start, count: samples[start : start + count], trained=SimpleNamespace(data=data))
    evaluation.check(data)
    return {record.metric: record for record in evaluation.run(source, data, device="cpu")}


def values(records):
    return {name: record.value for name, record in records.items()}


def by_hand(answer, target):
    """Of float arrays [N, C, H, W] of grey levels."""
    error = ((answer - target) ** 2).mean((1, 2, 3))
    places = [direct_ssim(*planes) for pair in zip(answer, target, strict=True) for planes in zip(*pair, strict=True)]
    return {
        "l1": np.abs(answer - target).mean() / 127.5,
        "psnr": (10 * np.log10(255**2 / error)).mean(),
        "ssim": np.mean(places),
    }


def direct_ssim(a, b):
    """Wang et al. 2004, equations 13 to 16, at every place where the window fits."""
    offsets = np.arange(11) - 5
    window = np.exp(-(offsets[:, None] ** 2 + offsets**2) / (2 * 1.5**2))
    window /= window.sum()
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    found = []
    for top in range(a.shape[0] - 10):
        for left in range(a.shape[1] - 10):
            x, y = (plane[top : top + 11, left : left + 11] for plane in (a, b))
            mx, my = (window * x).sum(), (window * y).sum()
            sx, sy = (window * (x - mx) ** 2).sum(), (window * (y - my) ** 2).sum()
            sxy = (window * (x - mx) * (y - my)).sum()
            found.append((2 * mx * my + c1) * (2 * sxy + c2) / ((mx**2 + my**2 + c1) * (sx + sy + c2)))
    return np.mean(found)


def test_distances_are_those_of_their_papers():
    data, made = data_of(), pixels(20, seed=9)
    found = measured(data, made.float() / 127.5 - 1)
    target, source = data.test.images.numpy().astype(float), data.test.labels.numpy().astype(float)
    mean = np.broadcast_to(data.train.images.numpy().astype(float).mean(0).round(), target.shape)
    for ending, answer in {"": made[:9].numpy().astype(float), "_identity": source, "_mean": mean}.items():
        for name, expected in by_hand(answer, target).items():
            assert found[f"{name}{ending}"].value == pytest.approx(expected, rel=1e-4), f"{name}{ending}"
    assert found["l1"].settings == "9 pairs" and found["l1"].extractor == "none"


def test_partners_have_no_distance():
    data = data_of()
    again = torch.cat([data.test.images, pixels(11)]).float() / 127.5 - 1
    found = values(measured(data, again))
    assert found["l1"] == 0 and found["ssim"] == pytest.approx(1)
    assert found["psnr"] == pytest.approx(20 * np.log10(255) + 10 * np.log10(data.test.images[0].numel()))


@pytest.mark.parametrize("changed", [1, 2, 7])
def test_nearly_equal_images_have_the_ratio_of_its_definition(changed):
    """10 log10(255^2 / mean squared error), with one grey level in some of 48 values."""
    target = torch.zeros(1, 3, 4, 4)
    other = target.clone().flatten()
    other[:changed] += 1 / 127.5
    expected = 10 * np.log10(255**2 * 48 / changed)
    assert PSNR().distance(other.view_as(target), target).item() == pytest.approx(expected, rel=1e-6)


def test_padding_is_cut_and_the_limit_kept():
    data, made = data_of(padding=2), pixels(20, seed=9)
    found = measured(data, made.float() / 127.5 - 1, limit=5)
    inner = np.s_[:5, :, 2:-2, 2:-2]
    expected = by_hand(*(part.numpy().astype(float)[inner] for part in (made, data.test.images)))
    assert {name: found[name].value for name in expected} == pytest.approx(expected, rel=1e-4)


def test_sources_of_other_sizes_and_channels_are_answers_too():
    grey = InMemory(Split(pixels(9)), test=Split(pixels(9, seed=4)), task="grayscale")
    found = values(measured(grey, pixels(20).float() / 127.5 - 1))
    luma = (grey.test.images.float() * torch.tensor([0.299, 0.587, 0.114]).view(3, 1, 1)).sum(1, keepdim=True).round()
    assert found["l1_identity"] == pytest.approx(
        (luma - grey.test.images.float()).abs().mean().item() / 127.5, rel=1e-3
    )
    flat = torch.full((9, 1, 16, 16), 77, dtype=torch.uint8)
    small = InMemory(Split(flat), task="low_resolution")
    found = values(measured(small, pixels(20, 1).float() / 127.5 - 1, split="train"))
    assert found["l1_identity"] == pytest.approx(0, abs=1e-6)  # of one colour at any size


def test_a_smaller_source_is_enlarged_as_pillow_does_it():
    """Bicubic: what super-resolution is compared with."""
    smooth = torch.nn.functional.interpolate(pixels(9, 1, 4).float(), size=(16, 16), mode="bilinear").to(torch.uint8)
    data = InMemory(Split(smooth), test=Split(smooth), task="low_resolution")
    small = ((data.conditions(data.test, 0, 9)[:, 0] + 1) * 127.5).round().to(torch.uint8).numpy()
    large = [Image.fromarray(x).resize((16, 16), Image.Resampling.BICUBIC) for x in small]
    expected = by_hand(np.stack([np.asarray(x, float) for x in large])[:, None], smooth.numpy().astype(float))
    found = values(measured(data, pixels(20, 1).float() / 127.5 - 1))
    assert {name: found[f"{name}_identity"] for name in METRICS} == pytest.approx(expected, rel=0.02)


def test_label_maps_are_not_measured_as_answers():
    data = InMemory(Split(pixels(9), pixels(9, 1) % 4), source_classes=4)
    found = measured(data, pixels(20).float() / 127.5 - 1, split="train")
    assert set(found) == {f"{name}{ending}" for name in METRICS for ending in ("", "_mean")}


def test_a_generator_that_diverged_has_no_numbers():
    made = pixels(20).float() / 127.5 - 1
    made[3] = torch.nan
    found = values(measured(data_of(), made))
    assert np.isnan(found["l1"]) and np.isfinite(found["l1_identity"])


def test_data_without_pairs_are_refused():
    made = pixels(20).float() / 127.5 - 1
    with pytest.raises(ConfigError, match="the data have no sources"):
        measured(InMemory(Split(pixels(9)), test=Split(pixels(9))), made)
    with pytest.raises(ConfigError, match="metrics.split=test"):
        measured(data_of(), made, split="train")
    unpaired = data_of()
    unpaired.aligned = False
    with pytest.raises(ConfigError, match="no partners"):
        measured(unpaired, made)
