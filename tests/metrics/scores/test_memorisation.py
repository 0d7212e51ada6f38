"""Copies of training images are told from new ones."""

import math
from types import SimpleNamespace

import pytest
import torch
from scipy.stats import mannwhitneyu

from genlab.data import InMemory, Split
from genlab.metrics import Memorisation, Pixels, Reference, SampleSource
from genlab.metrics.scores.distances import nearest_neighbours
from genlab.metrics.scores.memorisation import mann_whitney


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("GENLAB_CACHE", str(tmp_path))


def pixels(seed: int, count: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (count, 1, 3, 3), generator=generator, dtype=torch.uint8)


def measured(images, split="test", test=True):
    data = InMemory(Split(pixels(0, 400)), test=Split(pixels(1, 200)) if test else None)
    metric, extractor = Memorisation(), Pixels()
    metric.update(extractor(images.float() / 127.5 - 1))
    return metric.compute(Reference(data, split, extractor, batch_size=64))


def test_new_images_are_as_new_as_test_images_and_copies_are_not():
    new, copied = measured(pixels(2, 300)), measured(pixels(0, 400))
    assert abs(new["novelty"] - 0.5) < 0.1 and abs(new["copying_z"]) < 4
    assert copied["novelty"] == 0 and copied["copying_z"] < -15
    assert measured(pixels(0, 400), split="train") == copied


def test_data_without_test_images_have_no_score():
    assert measured(pixels(2, 10), split="train", test=False) == {}


def test_the_z_score_is_scipys_mann_whitney():
    source = torch.Generator().manual_seed(0)
    a, b = torch.randn(70, generator=source), torch.randn(50, generator=source) + 0.5
    found, expected = mann_whitney(a, b), mannwhitneyu(a, b, use_continuity=False, method="asymptotic")
    assert found["novelty"] == pytest.approx(expected.statistic / 3_500)
    assert math.erfc(abs(found["copying_z"]) / 2**0.5) == pytest.approx(expected.pvalue)
    assert mann_whitney(torch.zeros(4), torch.zeros(3)) == {"novelty": 0.5, "copying_z": 0.0}


def test_a_copy_is_at_distance_zero():
    many = torch.randn(60, 40, generator=torch.Generator().manual_seed(0)) + 100
    distance, index = nearest_neighbours(many[7:9], many)
    assert distance.tolist() == [0, 0] and index.tolist() == [7, 8]


def test_nan_gives_nan():
    metric, extractor = Memorisation(), Pixels()
    metric.update(torch.full((5, 9), math.nan))
    reference = SimpleNamespace(
        other_split=lambda split: SimpleNamespace(features=torch.zeros(3, 9)), extractor=extractor
    )
    assert all(map(math.isnan, metric.compute(reference).values()))


def test_likely_copies_are_shown_beside_their_nearest_training_images():
    data = InMemory(Split(pixels(0, 400)), test=Split(pixels(1, 200)))
    images = pixels(2, 50)
    images[31] = data.train.images[7]
    metric, extractor = Memorisation(), Pixels()
    metric.start(SampleSource(lambda start, count: images[start : start + count] / 127.5 - 1))
    metric.update(extractor(images / 127.5 - 1))
    (groups,) = metric.pictures(Reference(data, "test", extractor, batch_size=64)).values()
    assert groups.shape == (16, 4, 1, 3, 3)
    assert torch.equal(groups[0, 0], images[31]) and torch.equal(groups[0, 1], data.train.images[7])
    far = (groups[:, :1].float() - groups.float()).flatten(2).norm(dim=2)
    assert torch.equal(far[:, 1], far[:, 1].sort().values) and (far.diff(dim=1) >= 0).all()
    every = (groups[5, 0].float() - data.train.images.float()).flatten(1).norm(dim=1).sort().values
    torch.testing.assert_close(far[5, 1:], every[:3])
