import pytest
import torch
from torch import nn

from genlab.core.condition import Classes
from genlab.core.spec import Spec
from genlab.models.layer_contract import set_noise
from genlab.models.layers.mapping import Mapping
from genlab.models.layers.noise import Noise
from genlab.models.style_based.style_generator import StyleGenerator
from tests.conftest import narrow

SPEC = Spec(channels=1, height=8, width=8, images=100, condition=Classes(3))


class Shown(StyleGenerator):
    """A synthesis network that returns its styles."""

    def synthesis(self, styles):
        return styles


def made(mixing=0.0, spec=SPEC.unconditional, layers=6):
    torch.manual_seed(0)
    return Shown(Mapping(spec, 4, size=5, depth=2), layers=layers, mixing=mixing)


def test_the_length_of_z_has_no_effect():
    mapping, z = made().mapping, torch.randn(3, 4)
    torch.testing.assert_close(mapping(z), mapping(7 * z))


def test_a_condition_changes_the_style():
    network, z = made(spec=SPEC), torch.randn(1, 4)
    found = [network(z, torch.tensor([label])) for label in range(3)]
    assert not torch.allclose(found[0], found[1]) and not torch.allclose(found[1], found[2])


def test_truncation_goes_from_the_tracked_mean_to_the_style():
    network = made().train()
    for _ in range(2_000):
        network(torch.randn(64, 4))
    network.eval()
    w = network.mapping(torch.randn(20_000, 4))
    torch.testing.assert_close(network.mapping.mean, w.mean(0), rtol=0.05, atol=0.05)
    torch.testing.assert_close(network.mapping.truncate(w, 1.0), w)
    torch.testing.assert_close(network.mapping.truncate(w, 0.0), network.mapping.mean.expand_as(w))


@pytest.mark.parametrize(("truncated", "wanted"), [(None, 6), (4, 4), (8, 6)])
def test_truncation_may_stop_at_a_layer(truncated, wanted):
    """Karras et al. 2019, appendix B."""
    network = Shown(Mapping(SPEC.unconditional, 4, size=5), layers=6, truncated_layers=truncated)
    torch.nn.init.normal_(network.mapping.mean)
    styles = torch.randn(2, 6, 5)
    expected = torch.cat([torch.lerp(network.mapping.mean, styles[:, :wanted], 0.7), styles[:, wanted:]], 1)
    torch.testing.assert_close(network.truncate_styles(styles, 0.7), expected)


@pytest.mark.parametrize(("model", "times", "layers"), [("stylegan", 2, 8), ("stylegan2", 2, 4), ("stylegan3_t", 1, 8)])
def test_how_often_the_mean_moves_in_a_step_and_which_styles_it_truncates(
    make_trainer, monkeypatch, model, times, layers
):
    """In both turns, and in StyleGAN3's code in the discriminator's alone; never by the second style of a mixture."""
    tracked = []
    monkeypatch.setattr(Mapping, "_track", lambda mapping, w: tracked.append(len(w)))
    words = ("penalty=[]", "model.generator.mixing=0.9")
    trainer = make_trainer(f"model={model}", *narrow(model), *words)
    trainer.take_step()
    assert tracked == [8] * times
    assert trainer.model.generator.truncated_layers == layers


def test_evaluation_leaves_the_mean_alone():
    network = made().eval()
    network(torch.randn(64, 4))
    assert not network.mapping.mean.any()


@pytest.mark.parametrize("mixing", [0.0, 0.5, 1.0])
def test_mixing_is_of_two_styles_at_a_random_layer(mixing):
    network, z = made(mixing).train(), torch.randn(4_000, 4)
    styles = network(z)
    own = (styles == network.mapping(z)[:, None]).all(2)
    assert own[:, 0].all()  # the first layer's is never exchanged
    mixed = ~own.all(1)
    assert abs(mixed.float().mean().item() - mixing) < 0.03
    cuts = own.sum(1)[mixed]
    assert all((own[row] == (torch.arange(6) < own[row].sum())).all() for row in range(100))
    if mixing:
        torch.testing.assert_close(
            torch.bincount(cuts, minlength=7)[1:6] / len(cuts), torch.full((5,), 0.2), rtol=0, atol=0.04
        )
    assert torch.equal(network.eval()(z)[:, 5], network.mapping(z))


def test_noise_is_new_in_training_and_fixed_in_evaluation():
    layer = Noise((8, 8), channels=3)
    maps = torch.zeros(2, 3, 8, 8)
    assert torch.equal(layer(maps), maps)  # strengths start at 0
    nn.init.ones_(layer.strength)
    assert not torch.equal(layer(maps), layer(maps)) and not torch.equal(*layer(maps))
    assert torch.equal(layer.eval()(maps), layer(maps)) and torch.equal(*layer(maps))
    set_noise(layer, "none")
    assert torch.equal(layer(maps), maps)
    set_noise(layer, "random")
    assert not torch.equal(layer(maps), layer(maps))
