"""Spikes that were planted, and the largest of many normal numbers."""

import math
from contextlib import nullcontext
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from genlab.core.errors import ConfigError
from genlab.core.random import Draws
from genlab.data import InMemory, Split
from genlab.metrics import Evaluation, SampleSource
from genlab.metrics.extractors.extractor import Coordinates
from genlab.metrics.scores.droplets import Droplets, peak_over_rms
from genlab.models.latent import Normal


class Planting(nn.Module):
    """Maps of ones with one place that is `height` high, in one channel or all."""

    def __init__(self, height, channels=slice(None)):
        super().__init__()
        self.height, self.channels = height, channels

    def forward(self, maps):
        maps = torch.ones_like(maps)
        maps[:, self.channels, 3, 5] = self.height
        return maps


class Network(nn.Module):
    """z [N, 4] -> maps of 4 channels of 8 x 8, then 16 x 16 pixels -> images [N, 1, 16, 16]."""

    def __init__(self, coarse, fine):
        super().__init__()
        self.coarse, self.fine, self.up = coarse, fine, nn.Upsample(scale_factor=2)
        self.last = nn.Conv2d(4, 1, 1)

    def forward(self, z, condition=None):
        maps = z[:, :, None, None].expand(-1, -1, 8, 8)
        return self.last(self.fine(self.up(torch.ones_like(self.coarse(maps)))))


def scored(generator, images=30, points=False, **options):
    model = nn.Identity()
    model.latent, model.conditional = Normal(4), False
    data = InMemory(Split(torch.randn(9, 2) if points else torch.zeros(9, 1, 16, 16, dtype=torch.uint8)))
    trained = SimpleNamespace(
        model=model,
        spec=data.spec,
        sampling=lambda: nullcontext(generator),
        fixed_draws=lambda chunk: Draws((0, chunk), 20, 0, 20, torch.device("cpu")),
        sample_conditions=lambda start, count: None,
    )
    metrics = {"droplets": Droplets(images, **options)}
    evaluation = Evaluation(Coordinates(), metrics, images=5, batch_size=7, split="train")
    evaluation.check(data, trained)
    records = evaluation.run(SampleSource(lambda start, count: None, trained=trained), data, device="cpu")
    return {record.metric: record.value for record in records}


def height(value, places):
    return value / math.sqrt((places - 1 + value**2) / places)


def test_a_planted_spike_is_found_at_its_size():
    found = scored(Network(Planting(30.0), nn.Identity()))
    assert found == pytest.approx({"droplets": height(30, 64), "droplets_8x8": height(30, 64), "droplets_16x16": 1.0})
    found = scored(Network(Planting(2.0), Planting(9.0)), smallest=16)
    assert found == pytest.approx({"droplets": height(9, 256), "droplets_16x16": height(9, 256)})


def test_a_spike_of_one_channel_counts_by_its_share_of_the_energy():
    found = scored(Network(nn.Identity(), Planting(100.0, 2)))["droplets"]
    assert found == pytest.approx(math.sqrt((100**2 + 3) / ((255 * 4 + 100**2 + 3) / 256)))
    assert found < 16  # the root of the number of places


def test_white_maps_have_the_largest_of_so_many_normal_numbers():
    maps = torch.randn(2_000, 1, 16, 16, generator=torch.Generator().manual_seed(0))
    median = math.sqrt(2) * torch.erfinv(torch.tensor(0.5 ** (1 / 256)).double()).item()  # (2 Phi(m) - 1)^256 = 1/2
    assert peak_over_rms(maps).median().item() == pytest.approx(median, rel=0.02)
    assert median < math.sqrt(2 * math.log(256)) < 1.2 * median
    wide = torch.randn(200, 64, 16, 16, generator=torch.Generator().manual_seed(0))
    assert peak_over_rms(wide).median() < 1.4
    torch.testing.assert_close(peak_over_rms(maps), peak_over_rms(7 * maps))


def test_the_median_is_over_the_images_asked_for():
    class Some(nn.Module):
        """A spike in two images of five."""

        def forward(self, maps):
            maps = torch.ones_like(maps)
            maps[torch.arange(len(maps)) % 5 > 2, :, 0, 0] = 50
            return maps

    assert scored(Network(nn.Identity(), Some()))["droplets"] == 1.0


def test_where_there_are_no_maps_there_is_no_number():
    assert scored(Network(nn.Identity(), nn.Identity()), smallest=32) == {}
    with pytest.raises(ConfigError, match="it looks at maps, and the data are points"):
        scored(Network(nn.Identity(), nn.Identity()), points=True)


def test_maps_that_are_not_finite_are_nan():
    found = scored(Network(nn.Identity(), Planting(math.nan)))
    assert math.isnan(found["droplets"]) and math.isnan(found["droplets_16x16"])
