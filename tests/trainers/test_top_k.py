"""Top-k against a sort, and its schedule."""

import pytest
import torch

from genlab.trainers.top_k import TopK, select_best
from genlab.trainers.turns import micro_batches
from tests.conftest import NARROW_MLP


def test_the_best_images_count_and_no_others():
    logits = torch.tensor([0.3, -2.0, 5.0, 1.0, 0.0, -1.0])
    values = torch.arange(6.0, requires_grad=True)
    kept = select_best(values, logits, 0.5)
    assert sorted(kept.tolist()) == [0.0, 2.0, 3.0]
    kept.mean().backward()
    assert values.grad.tolist() == pytest.approx([1 / 3, 0, 1 / 3, 1 / 3, 0, 0])


def test_gradient_flows_to_the_best_logits_alone():
    logits = torch.tensor([3.0, 1.0, 2.0, 0.0], requires_grad=True)
    select_best(-logits, logits, 0.5).sum().backward()
    assert logits.grad.tolist() == [-1, 0, -1, 0]


@pytest.mark.parametrize(("seen", "count"), [(0, 64), (250, 45), (500, 32), (1000, 32)])
def test_the_share_falls_by_a_constant_factor(seen, count):
    """64 * 0.5^(1/2) = 45.25."""
    values = torch.randn(64)
    assert len(select_best(values, values, TopK(final=0.5, until=0.5)(seen, 1000))) == count


def test_at_least_one_image_is_kept():
    assert len(select_best(torch.randn(8), torch.randn(8), 0.0)) == 1


def test_at_the_start_nothing_changes():
    values = torch.randn(5)
    assert select_best(values, values, TopK()(0, 1000)) is values


def test_the_generator_learns_from_its_best_images_alone(make_trainer):
    """At the end of the fall: the mean loss of the better half, and its gradient."""
    trainer = make_trainer("model=gan", *NARROW_MLP, "trainer.top_k=0.5", "trainer.precision=float64")
    trainer.images = trainer.total_images
    (draws,) = micro_batches(trainer.main_phases["generator"], trainer.players["generator"], trainer.engine)
    trainer.players["discriminator"].freeze(True)
    found = trainer.compute_losses(trainer.main_phases["generator"], draws).terms["adversarial"].mean()
    logits = trainer.model.discriminator(trainer.model.generator(trainer.model.latent.draw(draws)))
    expected = trainer.loss.generator(logits.sort(descending=True).values[:4]).mean()
    weights = list(trainer.model.generator.parameters())
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(torch.autograd.grad(found, weights), torch.autograd.grad(expected, weights))


def test_all_images_count_at_the_start(make_trainer):
    trainer = make_trainer("model=gan", *NARROW_MLP, "trainer.top_k=0.5")
    (draws,) = micro_batches(trainer.main_phases["generator"], trainer.players["generator"], trainer.engine)
    assert len(trainer.compute_losses(trainer.main_phases["generator"], draws).terms["adversarial"]) == 8
