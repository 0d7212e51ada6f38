"""Each metric that looks at images or asks the model is one choice under configs/metrics, and is built as written."""

import pytest

from genlab import build
from genlab.metrics.cas import ClassificationAccuracy
from genlab.metrics.elbo import Likelihood
from genlab.metrics.ms_ssim import MSSSIM
from genlab.metrics.ppl import PathLength
from genlab.metrics.reconstruction import ReconstructionError
from genlab.metrics.swd import SlicedWasserstein
from tests.conftest import composed

SINGLES = {
    "swd": SlicedWasserstein,
    "ms_ssim": MSSSIM,
    "ppl": PathLength,
    "cas": ClassificationAccuracy,
    "reconstruction": ReconstructionError,
    "likelihood": Likelihood,
}


@pytest.mark.parametrize("name", SINGLES)
def test_a_choice_is_one_metric(name):
    config = composed("model=gan", f"metrics={name}")
    evaluation = build.make(build.checked(config["metrics"], "metrics", config), "metrics").evaluation
    (metric,) = evaluation.metrics.values()
    assert type(metric) is SINGLES[name] and list(evaluation.metrics) == [name]
    assert (evaluation.images, evaluation.split, evaluation.batch_size) == (10_000, "test", 250)
