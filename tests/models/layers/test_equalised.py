import pytest
import torch
from torch.nn.functional import conv2d, leaky_relu, linear

from genlab.core.condition import Attributes, Classes
from genlab.core.spec import Spec
from genlab.models.layers.equalised import HE, Equalised, EqualisedConv2d, EqualisedLinear, PixelNorm
from genlab.models.layers.mapping import LabelEmbedding
from genlab.models.style_based import progan, stylegan, stylegan2, stylegan3


def test_a_layer_keeps_the_variance_whatever_its_width():
    torch.manual_seed(0)
    for inputs in (16, 1024):
        out = EqualisedLinear(inputs, 256)(torch.randn(512, inputs))
        assert abs(out.std().item() - 1) < 0.05
    out = EqualisedConv2d(64, 64, gain=2**0.5, padding=0)(torch.randn(8, 64, 16, 16))
    assert abs(out.std().item() - 2**0.5) < 0.05


def test_a_rate_slows_adam_down_and_changes_nothing_at_the_start():
    """Adam's steps are as large whatever the gradient: the weight in effect moves by `rate` as much."""
    moved = []
    for rate in (1.0, 0.01):
        torch.manual_seed(0)
        layer = EqualisedLinear(8, 8, rate=rate, start=1.0)
        optimizer = torch.optim.Adam(layer.parameters(), lr=1e-3)
        vectors = torch.randn(4, 8)
        before = layer(vectors)
        before.sum().backward()
        optimizer.step()
        moved.append((layer(vectors) - before).abs().mean())
    torch.testing.assert_close(moved[1] / moved[0], torch.tensor(0.01), rtol=0.01, atol=0)


def test_the_bias_starts_at_the_given_value():
    layer = EqualisedLinear(3, 2, start=1.0, rate=0.01)
    torch.testing.assert_close(layer(torch.zeros(1, 3)), torch.ones(1, 2))


def test_with_both_gains_a_rectifiers_output_is_multiplied():
    """Karras et al. 2020 and their code: sqrt(2) lrelu(W x / sqrt(n) + b), `rate` times as much of either."""
    vectors, maps = torch.randn(4, 8), torch.randn(4, 8, 6, 6)
    dense = EqualisedLinear(8, 5, gain=HE, bias_gain=HE, rate=0.1, start=0.3)
    torch.testing.assert_close(0.1 * HE * dense.bias, torch.full((5,), 0.3))
    expected = HE * leaky_relu(linear(vectors, dense.weight / 8**0.5, dense.bias) * 0.1, 0.2)
    torch.testing.assert_close(leaky_relu(dense(vectors), 0.2), expected)
    conv = EqualisedConv2d(8, 5, gain=HE, bias_gain=HE)
    torch.nn.init.normal_(conv.bias)
    expected = HE * leaky_relu(conv2d(maps, conv.weight / 72**0.5, conv.bias, padding=1), 0.2)
    torch.testing.assert_close(leaky_relu(conv(maps), 0.2), expected)


@pytest.mark.parametrize(
    ("make", "gains"),
    [  # of the biases before rectifiers, and of all others
        (lambda spec: progan.Generator(spec, 4, width=2), {1.0}),
        (lambda spec: progan.Discriminator(spec, width=2), {1.0}),
        (lambda spec: stylegan.Generator(spec, 4, width=2, style_size=4), {1.0}),
        (lambda spec: stylegan2.Generator(spec, 4, width=2, style_size=4).mapping.layers, {HE}),
        (lambda spec: stylegan2.Generator(spec, 4, width=2, style_size=4).stages, {1.0}),
        (lambda spec: stylegan2.Discriminator(spec, width=2).layers, {HE}),
        (lambda spec: stylegan2.Discriminator(spec, width=2).label_vectors, {HE}),
        (lambda spec: stylegan2.Discriminator(spec, width=2).last, {1.0}),
        (lambda spec: stylegan3.Generator(spec, 4, width=2, style_size=4).mapping.layers, {HE}),
        (lambda spec: stylegan3.Generator(spec, 4, width=2, style_size=4).blocks, {1.0}),
    ],
)
def test_which_biases_learn_faster(make, gains):
    """TF1 code of ProGAN and StyleGAN: `get_weight` has the gain, `apply_bias` none; later ones: `bias_act` has it."""
    network = make(Spec(1, 8, 8, images=9, condition=Classes(3)))
    assert {
        layer.bias_gain for layer in network.modules() if isinstance(layer, Equalised) and layer.bias is not None
    } == gains


def test_a_bias_of_an_older_state_is_brought_to_todays_scale():
    """Without a version, as in a plain dictionary, it is of today."""
    layer = EqualisedLinear(3, 2, bias_gain=2.0)
    state = layer.state_dict()
    state["bias"] = torch.full((2,), 4.0)
    layer.load_state_dict(dict(state))
    assert layer.bias.tolist() == [4, 4]
    state._metadata[""]["version"] = 1
    layer.load_state_dict(state)
    assert layer.bias.tolist() == [2, 2]


@pytest.mark.parametrize("condition", [Classes(7), Attributes(7)])
def test_a_label_is_embedded_as_an_equalised_layer_of_one_hot_classes_does(condition):
    embedding, classes = LabelEmbedding(Spec(1, 8, 8, images=9, condition=condition), 5), torch.tensor([0, 6, 6])
    torch.nn.init.normal_(embedding.bias)
    one_hot = torch.nn.functional.one_hot(classes, 7).float()
    matrix = embedding.table.weight if isinstance(condition, Classes) else embedding.table.weight.T
    expected = PixelNorm()(one_hot @ matrix / 7**0.5 + embedding.bias)
    torch.testing.assert_close(embedding(classes if isinstance(condition, Classes) else one_hot), expected)


def test_pixel_norm():
    maps = torch.randn(2, 8, 3, 3) * 7
    torch.testing.assert_close(PixelNorm()(maps).square().mean(1), torch.ones(2, 3, 3))
