"""The birthday test finds a support that is known."""

import math
from types import SimpleNamespace

import pytest
import torch

from genlab.data import InMemory, Split
from genlab.data.sets.points import Ring
from genlab.metrics import Birthday, Coordinates, Pixels, Reference, SampleSource


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("GENLAB_CACHE", str(tmp_path))


def points(seed: int, count: int) -> torch.Tensor:
    return torch.randn(count, 8, generator=torch.Generator().manual_seed(seed))


def measured(fake, real=None, batch=200):
    metric = Birthday(batch)
    metric.update(fake)
    return metric.compute(SimpleNamespace(features=points(1, 2_000) if real is None else real))


@pytest.mark.parametrize("support", [20, 500, 3_000])
def test_a_known_support_is_found(support):
    drawn = torch.randint(support, (16_000,), generator=torch.Generator().manual_seed(2))
    found = measured(points(3, support)[drawn])
    assert found["birthday_support"] == pytest.approx(support, rel=0.25)
    assert found["birthday_collisions"] == pytest.approx(199 * 100 / support, rel=0.25)


def test_real_images_reach_what_the_docstring_says():
    """Half their batches hold a pair as near: log 2 pairs a batch, if these fall like rare events."""
    found = measured(points(4, 40_000), points(5, 40_000))
    assert found["birthday_support"] == pytest.approx(199 * 100 / math.log(2), rel=0.3)


def test_nan_gives_nan():
    assert all(map(math.isnan, measured(points(0, 300) * math.nan).values()))


def test_the_closest_pairs_are_shown_nearest_first():
    """Copies with ever more pixels changed, two batches of them, among images that have nothing in common."""
    source = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (40, 1, 6, 6), generator=source, dtype=torch.uint8)
    for changed, (row, copy) in enumerate([(25, 33), (3, 17), (38, 21)]):
        images[copy] = images[row]
        images[copy].view(-1)[:changed] = 255 - images[row].view(-1)[:changed]
    real = InMemory(Split(torch.randint(0, 256, (40, 1, 6, 6), generator=source, dtype=torch.uint8)))
    reference, metric = Reference(real, "train", Pixels(), batch_size=40), Birthday(20)
    metric.start(SampleSource(lambda start, count: images[start : start + count] / 127.5 - 1))
    metric.update(Pixels()(images / 127.5 - 1))
    metric.compute(reference)
    shown = metric.pictures(reference)
    pairs = shown["closest pairs"]
    assert pairs.shape == (16, 2, 1, 6, 6) and shown["closest pairs of real images"].shape == pairs.shape
    rows = [{(images == image).flatten(1).all(1).nonzero().item() for image in pair} for pair in pairs[1:3]]
    assert rows == [{3, 17}, {21, 38}] and torch.equal(pairs[0, 0], pairs[0, 1])
    apart = (pairs[:, 0].float() - pairs[:, 1].float()).flatten(1).norm(dim=1)
    assert torch.equal(apart, apart.sort().values)


def test_points_have_no_pictures():
    metric, ring = Birthday(20), Ring(points=40, test_points=40)
    metric.start(SampleSource(lambda start, count: ring.test.images[start : start + count]))
    metric.update(ring.test.images)
    assert metric.pictures(Reference(ring, "test", Coordinates(), batch_size=40)) == {}
