"""Every model of the menu: composed, built and trained a few steps, at several channel counts and an odd size."""

import pytest
import torch

from genlab.build.advice import unbounded_output
from tests.conftest import choices, data_of, narrow

SIZES = {"vqvae": 12, "pix2pix": 12, "super_resolution": 12}  # two halvings, no rounding
SIZES |= dict.fromkeys(("progan", "stylegan", "stylegan2", "stylegan3_t", "stylegan3_r"), 8)  # powers of two
MODELS = choices("model")


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("model", MODELS)
def test_every_model_trains(make_trainer, model, channels):
    """10 pixels a side: 5 x 2. What moved is finite, and samples look as the data do."""
    data = data_of(model, channels, SIZES.get(model, 10))
    trainer = make_trainer(f"model={model}", *narrow(model), "trainer.images=24", data=data)
    assert unbounded_output(trainer) is None  # a system as it comes is not told to change its network
    before = {name: tensor.clone() for name, tensor in trainer.model.state_dict().items()}
    trainer.fit()
    trainer.statistics.flush()  # raises if anything is not finite
    after = trainer.model.state_dict()
    assert any(not torch.equal(before[name], after[name]) for name in before)
    samples = trainer.samples.draw_samples(0, 3)
    assert samples.shape == (3, *data.spec.shape) and samples.isfinite().all()
