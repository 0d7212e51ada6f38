"""MMD against its definition in loops and its value between Gaussians."""

from math import exp, sqrt

import pytest
import torch

from genlab.build import instantiate as build
from genlab.core.errors import ConfigError
from genlab.losses import MMD, GradientPenalty, WitnessPenalty
from tests.conftest import composed, narrow
from tests.losses.conftest import Judge

N, K = 6, 3


def outputs(seed, shape=(N, K)):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def squared(x, y):
    return float(((x - y) ** 2).sum())


KERNELS = {
    "rational_quadratic": lambda x, y: sum((1 + squared(x, y) / (2 * a)) ** -a for a in (0.2, 0.5, 1, 2, 5)),
    "gaussian": lambda x, y: sum(exp(-squared(x, y) / (2 * s**2)) for s in (2, 5, 10, 20, 40, 80)),
}


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("unbiased", [True, False])
def test_definition(kernel, unbiased):
    """Gretton et al. 2012, equations 3 and 5."""
    k, real, fake = KERNELS[kernel], outputs(0), outputs(1) + 1
    pairs = [(i, j) for i in range(N) for j in range(N) if i != j or not unbiased]
    within = sum(k(real[i], real[j]) + k(fake[i], fake[j]) for i, j in pairs) / len(pairs)
    across = sum(k(real[i], fake[j]) for i in range(N) for j in range(N)) / N**2
    loss = MMD(kernel=kernel, unbiased=unbiased)
    assert loss.generator(fake, real).shape == (N,)
    assert loss.generator(fake, real).mean().item() == pytest.approx(within - 2 * across)
    torch.testing.assert_close(loss.discriminator(real, fake), -loss.generator(fake, real))


def test_value_between_gaussians():
    """E k(x, y) is known for N(0, 1), N(m, 1) and a Gaussian kernel: a Gaussian of variance s^2 + 2."""
    sigma, mean, count = 1.5, 1.0, 1500
    real, fake = outputs(0, (count,)), outputs(1, (count,)) + mean
    likeness = sigma / sqrt(sigma**2 + 2)
    expected = 2 * likeness * (1 - exp(-(mean**2) / (2 * (sigma**2 + 2))))
    found = MMD(kernel="gaussian", scales=[sigma]).generator(fake, real).mean().item()
    assert found == pytest.approx(expected, rel=0.1)


def test_equal_sets_have_no_distance():
    assert MMD(unbiased=False).generator(outputs(0), outputs(0)).mean().abs() < 1e-12


def test_one_output_may_come_as_a_vector():
    real, fake = outputs(0, (N,)), outputs(1, (N,))
    torch.testing.assert_close(MMD().generator(fake, real), MMD().generator(fake[:, None], real[:, None]))


def test_gradient_against_finite_differences():
    real, fake = outputs(0), outputs(1).requires_grad_()
    assert torch.autograd.gradcheck(lambda x: MMD().generator(x, real).sum(), fake)


def test_witness_penalty_is_the_gradient_penalty_of_the_witness(make_turn):
    """The witness written out as a discriminator of its own: with these two sets it is one more function of images."""
    mix = outputs(5, (18, K)) / 4
    turn = make_turn(network=Judge(head=lambda features: torch.tanh(features @ mix)))
    k = MMD().similarity

    def witness(images):
        outputs = turn.network(images)
        return k(outputs, turn.real_logits).mean(1) - k(outputs, turn.fake_logits).mean(1)

    found = WitnessPenalty(weight=3.0)(turn)
    assert found.min() > 0
    torch.testing.assert_close(found, GradientPenalty(weight=3.0)(make_turn(network=Judge(head=lambda f: witness(f)))))


def test_witness_penalty_gradient_by_the_weights_against_finite_differences(make_turn):
    def total(mix):
        return WitnessPenalty()(make_turn(network=Judge(head=lambda features: torch.tanh(features @ mix)))).sum()

    assert torch.autograd.gradcheck(total, (outputs(5, (18, K)) / 4).requires_grad_())


def test_one_image_a_backward_pass_has_no_other_to_compare_with(make_trainer):
    """The mean over the other images would divide by their number, 0."""
    words = ("model=gan", *narrow("gan"), "loss=mmd")
    with pytest.raises(ConfigError, match=r"compares images of a kind with each other.*Set trainer\.batch_size=16"):
        make_trainer(*words, "trainer.accumulate=8")
    make_trainer(*words, "trainer.accumulate=4")


def test_the_biased_estimate_takes_one_image(make_trainer):
    words = ("model=gan", *narrow("gan"), "model.generator.norm=none", "loss=mmd", "loss.unbiased=false")
    make_trainer(*words, "trainer.accumulate=8").take_step()


@pytest.mark.parametrize("key", ["mmd.pairs", "kid.subset_size", "birthday.batch"])
def test_scores_of_pairs_need_two_images(key):
    metric, _, name = key.partition(".")
    node = composed("model=gan", f"metrics=[{metric if metric != 'mmd' else 'points'}]")["metrics"]
    node["metrics"][metric][name] = 1
    with pytest.raises(ConfigError, match=rf"{name}=1: .*2"):
        build.check_node(node, "metrics")
