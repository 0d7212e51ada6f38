"""Path length, against generators whose paths have known speeds."""

import math
from contextlib import nullcontext
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from genlab.core.errors import ConfigError
from genlab.core.random import Draws
from genlab.data import InMemory, Split
from genlab.metrics import Evaluation, SampleSource
from genlab.metrics.extractors.extractor import Coordinates
from genlab.metrics.scores.ppl import PathLength
from genlab.models.latent import Coded, Normal, Uniform, slerp
from genlab.models.style_based.style_generator import StyleGenerator


class Pixels(Coordinates):
    """Images as they are, flat, in float64."""

    name = "flat"

    def check(self, spec):
        return None

    def _features(self, images):
        return images.flatten(1)


class Rounded(Pixels):
    name = "rounded"

    def _features(self, images):
        return ((images + 1) * 127.5).round().flatten(1)


class Styled(StyleGenerator):
    """w are latents times 2; pixels are the cubes of w / 20."""

    def __init__(self):
        torch.nn.Module.__init__(self)
        self.mapping, self.layers, self.mixing, self.style_size = lambda z, condition: 2 * z, 3, 0.0, 4
        self.truncated_layers = 3

    def synthesis(self, styles):
        return (styles.mean(1) / 20).pow(3).view(-1, 1, 2, 2)


def system(latent, generator=lambda z, condition: z.view(-1, 1, 2, 2) / 10):
    """A generator that shows its latent's four values as pixels."""
    model = torch.nn.Identity()
    model.latent, model.conditional, model.generator = latent, False, generator

    def draws(chunk):
        return Draws((0, "samples", chunk), 100, 0, 100, torch.device("cpu"), torch.float64)

    return SimpleNamespace(
        model=model,
        sampling=lambda: nullcontext(generator),
        render=lambda output: output,
        fixed_draws=draws,
        sample_conditions=lambda start, count: None,
    )


def scored(trained, *, extractor=None, batch_size=30, **options):
    data = InMemory(Split(torch.zeros(4, 1, 2, 2, dtype=torch.uint8)))
    metrics = {"ppl": PathLength(**{"paths": 350, "epsilon": 1e-2} | options)}
    evaluation = Evaluation(extractor or Pixels(), metrics, images=5, batch_size=batch_size, split="train")
    evaluation.check(data, trained)
    source = SampleSource(lambda start, count: pytest.fail("no samples are needed"), trained=trained)
    (record,) = evaluation.run(source, data, device="cpu")
    return record


def test_straight_paths_are_as_long_as_their_ends_are_apart():
    """E |a - b|^2 = 4 dimensions x 2 x variance 1/3, over the 10^2 that the generator divides by."""
    record = scored(system(Uniform(4)), discard=0.0, paths=40_000)
    assert record.value == pytest.approx(8 / 3 / 100, rel=0.02)
    assert record.metric == "ppl_features" and record.extractor == "flat"
    assert record.settings.startswith("squared distance of features, not LPIPS; 40,000 paths in z; epsilon 0.01;")


def test_paths_of_normal_latents_are_arcs():
    a, b = torch.tensor([[2.0, 0.0]]), torch.tensor([[0.0, 2.0]])
    torch.testing.assert_close(slerp(a, b, 1 / 3), 2 * torch.tensor([[math.cos(math.pi / 6), math.sin(math.pi / 6)]]))
    torch.testing.assert_close(slerp(a, b, torch.tensor([[1.0]])), b)
    torch.testing.assert_close(slerp(a, 3 * a, 0.5), 2 * a)  # no arc between them


def test_the_batch_size_changes_nothing_and_extremes_are_left_out():
    values = [scored(system(Normal(4)), batch_size=size).value for size in (7, 100, 1_000)]
    assert values == pytest.approx([values[0]] * 3, rel=1e-9)
    assert scored(system(Normal(4)), discard=0.25).value != values[0]


def test_the_extremes_are_those_of_the_papers_code():
    """Which takes the nearest distances outside of both percentiles, and keeps them."""
    metric, distances = (
        PathLength(discard=0.1),
        2 ** torch.arange(7, dtype=torch.float64),
    )
    low, high = (np.percentile(distances, share, method=way) for share, way in ((10, "lower"), (90, "higher")))
    kept = distances[(distances >= low) & (distances <= high)]
    assert metric.mean_length(distances) == pytest.approx(kept.mean().item() / 1e-8)


def test_a_diverged_generator_has_no_number():
    assert math.isnan(scored(system(Normal(4), lambda z, _: z.view(-1, 1, 2, 2) * math.nan)).value)


@pytest.mark.parametrize(
    ("name", "expected", "options"),
    [
        ("ppl_features_w", 54, {}),
        ("ppl_features_w_end", 162, {"sampling": "end"}),
        ("ppl_features_end", 81, {"sampling": "end", "space": "z"}),
    ],
)
def test_places_on_paths_are_all_of_them_or_their_beginning(name, expected, options):
    """Of c^3 at c = a + t (b - a), a and b normal, the speed's square is 9 c^4 (b - a)^2, whose mean is 9 x 18 at 0.

    It is 9 (6 s^2 + 12 s (2t - 1)^2), s = 1 - 2t (1 - t) the variance of c, and the mean of this over t is 54. An arc
    leaves a at a right angle in high dimensions; of uniform latents in z the mean at 0 is 9 (E a^6 + E a^4 E b^2).
    """
    latent = Uniform(4) if options.get("space") == "z" else Normal(4)
    expected = 9 * (1 / 7 + 1 / 5 * 1 / 3) if options.get("space") == "z" else expected
    options = {"space": "w", "discard": 0.0, "paths": 40_000, "epsilon": 1e-3} | options
    record = scored(system(latent, Styled()), **options)
    assert record.metric == name
    assert record.value == pytest.approx(4 * expected / 10**6, rel=0.06)
    assert ("; at their beginning;" in record.settings) == (options.get("sampling") == "end")
    assert f"paths in {options['space']};" in record.settings


@pytest.mark.parametrize(
    ("latent", "extractor", "said"),
    [
        (Coded(2, (2,), 0), Pixels, "no path joins two latents of this law, codes"),
        (Normal(4), Rounded, "rounded rounds images to 8 bit, in which a step of 0.01 is lost"),
    ],
)
def test_models_without_paths_are_refused_before_training(latent, extractor, said):
    with pytest.raises(ConfigError, match=said):
        scored(system(latent), extractor=extractor())


def test_only_styles_have_paths_in_w():
    with pytest.raises(ConfigError, match="only style-based generators have a w"):
        scored(system(Normal(4)), space="w")
    assert scored(system(Coded(2, (2,), 0), Styled()), space="w", paths=10).metric == "ppl_features_w"
