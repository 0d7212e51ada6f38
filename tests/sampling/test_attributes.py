"""Attributes of samples by name, in mode=arithmetic and mode=directions, as a classifier sees them."""

import pytest
import torch

import genlab
from genlab.core.errors import ConfigError
from genlab.core.pixels import as_saved
from genlab.metrics import Classifier
from genlab.sampling import Arithmetic, Directions, Request
from genlab.sampling.attributes import attribute_axes, samples_showing, wanted_attributes
from tests.conftest import saved


class Halves:
    """Tells whether the upper and the left half of an image are brighter than those of most samples."""

    name, attribute_names = "halves", ("upper", "left")

    def check(self, spec):
        return None

    def to(self, device):
        return self

    def __call__(self, images):
        return torch.stack([images[:, :, :4].mean((1, 2, 3)), images[..., :4].mean((1, 2, 3))], 1)

    def attribute_logits(self, features):
        return features - torch.tensor([0.017, 0.03])


@pytest.fixture(scope="module")
def loaded(tmp_path_factory):
    return genlab.load(saved(tmp_path_factory.mktemp("run"), "model=gan", "model.generator.widths=[8,8]").run_dir)


def test_names_stand_for_the_first_samples_that_show_them(loaded):
    found = samples_showing(loaded, Request(seed=1), Halves(), text="upper+no_left", count=3)
    seen = Halves()(as_saved(loaded.sample(1 + max(found), seed=1)))
    shown = Halves().attribute_logits(seen) > 0
    assert [number for number, (upper, left) in enumerate(shown.tolist()) if upper and not left] == found
    by_name = Arithmetic(Halves(), plus=["upper", "left"], minus=["no_left"], others=2).draw(loaded, Request(seed=1))
    numbers = [
        samples_showing(loaded, Request(seed=1), Halves(), text=text, count=3) for text in ("upper", "left", "no_left")
    ]
    by_number = Arithmetic(plus=numbers[:2], minus=numbers[2:], others=2).draw(loaded, Request(seed=1))
    assert torch.equal(by_name, by_number)


def test_a_direction_goes_from_without_to_with(loaded):
    mode = Directions(Halves(), method="attributes", attributes=["left"], rows=4, columns=3)
    mode.check(loaded, Request())
    (direction,) = mode.scaled_directions(loaded, torch.ones(1))
    z = loaded.latent(200, seed=5)
    less, more = (Halves()(loaded.generate(z + step * direction))[:, 1].mean() for step in (-1, 1))
    assert more > less
    assert mode.draw(loaded, Request()).ndim == 3


def test_axes_are_differences_of_means():
    vectors = torch.tensor([[1.0, 0.0], [3.0, 0.0], [0.0, 2.0], [0.0, 4.0]])
    shown = torch.tensor([[True, True], [True, False], [False, False], [False, True]])
    axes = attribute_axes(vectors, shown, ("a", "b"))
    torch.testing.assert_close(axes, torch.tensor([[2.0, -3.0], [-1.0, 1.0]]) / torch.tensor([[13.0], [2.0]]).sqrt())
    with pytest.raises(ConfigError, match="b: 4 of 4 samples show it"):
        attribute_axes(vectors, shown | torch.tensor([False, True]), ("a", "b"))


def test_mistakes_are_named(loaded):
    assert wanted_attributes("no_left+upper", ("upper", "left"), "x") == {1: False, 0: True}
    with pytest.raises(ConfigError, match=r"mode\.plus: no attribute is called lefd.*no_upper"):
        wanted_attributes("lefd", ("upper", "left"), "mode.plus")
    with pytest.raises(ConfigError, match="of 2,000 samples show that, and 3000 are needed"):
        samples_showing(loaded, Request(), Halves(), text="upper", count=3_000)
    with pytest.raises(ConfigError, match="mnist_classifier, tells no attributes"):
        Arithmetic(WithoutCheck(), plus=["upper"], minus=[]).draw(loaded, Request())
    with pytest.raises(ConfigError, match=r"mode\.attributes=\['left'\]: is of mode\.method=attributes"):
        Directions(attributes=["left"])


class WithoutCheck(Classifier):
    def check(self, spec):
        return None
