"""Directions, against the weights themselves and against the covariance of w."""

import pytest
import torch

import genlab
from genlab.core.errors import ConfigError
from genlab.core.pixels import to_uint8
from genlab.sampling import Directions, Request
from genlab.sampling.directions import layer_matrices, marker_vectors, principal_axes, style_matrix
from tests.conftest import narrow, saved, styled
from tests.sampling.test_modes import cells


@pytest.fixture
def loaded(style_based):
    return genlab.load(style_based, device="cpu")


def generator_of(loaded):
    with loaded.run.sampling() as generator:
        return generator


def test_every_layers_matrix_is_found_by_what_it_is_fed(loaded):
    generator = generator_of(loaded)
    found = layer_matrices(
        generator, lambda styles: generator.synthesis(styles[None]), marker_vectors(6, 6, torch.zeros(1))
    )
    assert [affine.number for affine in found] == [0, 1, 2, 3, 4, 5]
    for affine, layer in zip(found, generator.synthesis_layers, strict=True):
        torch.testing.assert_close(affine.matrix, layer.affine.weight * layer.affine.weight_scale)


# Of StyleGAN2, 4 x 4: a layer and the image; 8 x 8: two and the image. The others: one style, one layer.
@pytest.mark.parametrize(
    ("model", "numbers"), [("stylegan", None), ("stylegan2", [0, 1, 1, 2, 3]), ("stylegan3_t", None)]
)
def test_those_of_published_generators_are_all_found_and_belong_to_their_layers(model, numbers, tmp_path):
    loaded = genlab.load(saved(tmp_path, f"model={model}", *narrow(model)).run_dir, device="cpu")
    generator = generator_of(loaded)
    if hasattr(generator, "grow"):
        generator.grow(1)  # to 8 x 8
    marks = marker_vectors(generator.layers, generator.mapping.size, torch.zeros(1))
    found = layer_matrices(generator, lambda styles: generator.synthesis(styles[None]), marks)
    assert [affine.number for affine in found] == (numbers or list(range(generator.layers)))
    theirs = [module.affine for module in generator.modules() if hasattr(module, "affine")]
    assert len(theirs) == len(found)
    for affine, layer in zip(found, theirs, strict=True):
        torch.testing.assert_close(affine.matrix, layer.weight * layer.weight_scale)


def test_the_factorisation_is_that_of_the_weights_of_the_layers_that_move(loaded):
    layers = [generator_of(loaded).synthesis_layers[number].affine for number in (1, 4)]
    stacked = torch.cat([layer.weight * layer.weight_scale for layer in layers]).double()
    _, strengths, vectors = torch.linalg.svd(stacked)
    found = Directions(layers=[1, 4]).scaled_directions(loaded, torch.tensor([0.0, 1, 0, 0, 1, 0])).double()
    cosines = torch.nn.functional.normalize(found) @ vectors.T
    torch.testing.assert_close(cosines.abs(), torch.eye(6).double(), atol=1e-4, rtol=0)
    shares, _ = principal_axes(stacked)
    torch.testing.assert_close(shares, strengths**2 / (strengths**2).sum())


@pytest.mark.parametrize("method", ["factorisation", "components"])
def test_steps_are_deviations_of_w(loaded, method):
    found = Directions(method=method).scaled_directions(loaded, torch.ones(6)).double()
    w = generator_of(loaded).mapping(loaded.latent(5_000, start=5_000)).double()
    units = torch.nn.functional.normalize(found)
    along = (w - w.mean(0)) @ units.T
    torch.testing.assert_close(along.std(0), found.norm(dim=1), rtol=0.06, atol=0)


def test_components_are_those_of_the_covariance_of_w(loaded):
    found = Directions(method="components").scaled_directions(loaded, torch.ones(6)).double()
    w = generator_of(loaded).mapping(loaded.latent(5_000)).double().detach()
    values, vectors = torch.linalg.eigh(torch.cov(w.T))
    torch.testing.assert_close(found.square().sum(1), values.flip(0), rtol=1e-3, atol=0)
    torch.testing.assert_close(torch.cov(w.T) @ found.T, found.T * values.flip(0), rtol=1e-3, atol=1e-4)


def test_a_picture_has_the_sample_in_the_middle_and_steps_beside_it(loaded):
    mode = Directions(rows=2, columns=3, reach=2.0, layers=[0, 2], method="components")
    shown = cells(mode.draw(loaded, Request(seed=7)), 2, 3)
    directions = mode.scaled_directions(loaded, torch.ones(6))
    start = loaded.styles(loaded.latent(1, seed=7))
    for row in range(2):
        assert torch.equal(shown[row, 1], to_uint8(loaded.sample(1, seed=7))[0])
        for column, step in ((0, -2.0), (2, 2.0)):
            moved = start.clone()
            moved[:, [0, 2]] += step * directions[row]
            assert torch.equal(shown[row, column], to_uint8(loaded.synthesise(moved))[0])


@pytest.mark.parametrize("model", ["dcgan", "gan", "cgan", "sagan"])  # sagan: parametrised weights
def test_other_generators_are_factorised_by_their_first_layer(model, tmp_path):
    loaded = genlab.load(saved(tmp_path, f"model={model}", *narrow(model)).run_dir, device="cpu")
    generator = generator_of(loaded)
    first = next(layer for layer in generator.modules() if getattr(layer, "in_features", 0) or hasattr(layer, "stride"))
    size = loaded.run.model.latent.size
    weight = first.weight if isinstance(first, torch.nn.Linear) else first.weight.flatten(1).T
    found = style_matrix(loaded, torch.ones(1))
    expected = weight.detach()[:, :size]
    torch.testing.assert_close(principal_axes(found)[0], principal_axes(expected.double())[0], atol=1e-6, rtol=1e-3)
    assert Directions(rows=3, columns=3).draw(loaded, Request()).shape[0] == loaded.spec.channels


def test_conditional_generators_keep_the_class(tmp_path):
    loaded = genlab.load(styled(tmp_path, "model.conditional=true").run_dir, device="cpu")
    shown = cells(Directions(rows=1, columns=3).draw(loaded, Request(classes=6)), 1, 3)
    assert torch.equal(shown[0, 1], to_uint8(loaded.sample(1, classes=6))[0])


def test_what_has_no_directions_is_refused(plain, loaded, tmp_path):
    other = genlab.load(plain, device="cpu")
    for mode, said in [
        (Directions(method="components"), "mode.method=components: is for style-based"),
        (Directions(layers=[0]), "mode.layers=.0.: is for style-based"),
    ]:
        with pytest.raises(ConfigError, match=said):
            mode.check(other, Request())
    with pytest.raises(ConfigError, match=r"mode.layers=\[6\]: this generator has layers 0 to 5"):
        Directions(layers=[6]).draw(loaded, Request())
    split = genlab.load(saved(tmp_path, "model=biggan", *narrow("biggan")).run_dir, device="cpu")
    with pytest.raises(ConfigError, match="takes the whole latent, or style, as it is"):
        Directions().draw(split, Request())
