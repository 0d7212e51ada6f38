"""The bundled classifier is as good as promised; Inception reads a file of weights, or says how to get one."""

import pickle
import urllib.error

import pytest
import torch

from genlab.core.errors import ConfigError
from genlab.core.spec import Spec
from genlab.data import MNIST
from genlab.metrics import Classifier, Coordinates, Inception, StackedClassifier
from genlab.metrics.extractors.digit_classifier import CLASSIFIER_WEIGHTS
from genlab.metrics.extractors.extractor import to_colour

COLOUR = Spec(3, 64, 64, images=1)


@pytest.fixture(scope="module")
def mnist() -> MNIST:
    return MNIST()


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return Classifier()


@pytest.fixture(scope="module")
def weights(tmp_path_factory) -> str:
    """A file as torch-fidelity's, with random weights."""
    from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

    path = tmp_path_factory.mktemp("inception") / "weights.pth"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("torch.load", lambda *_, **__: {})
        patch.setattr(FeatureExtractorInceptionV3, "load_state_dict", lambda *_: None)
        torch.manual_seed(0)
        network = FeatureExtractorInceptionV3("test", ["2048"], feature_extractor_weights_path="none")
    torch.save(network.state_dict(), path)
    return str(path)


def to_float(images):
    return images.float() / 127.5 - 1


def test_the_classifier_reads_digits(mnist, classifier):
    batches = to_float(mnist.test.images).split(500)
    guesses = torch.cat([classifier.classify(batch).argmax(1) for batch in batches])
    assert (guesses == mnist.test.labels).double().mean() >= 0.992


def test_the_classifier_is_small():
    assert CLASSIFIER_WEIGHTS.stat().st_size < 1_000_000


def test_features_are_standardised_on_real_images(mnist, classifier):
    features = torch.cat([classifier(batch) for batch in to_float(mnist.train.images[:5_000]).split(500)])
    assert features.shape == (5_000, 64) and features.dtype == torch.float32
    assert features.mean(0).abs().max() < 0.1 and (features.std(0) - 1).abs().max() < 0.1


def test_nothing_of_training_reaches_the_features(mnist, classifier):
    images = to_float(mnist.test.images[:8])
    expected = classifier(images)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(classifier(images), expected)
    assert not expected.requires_grad and not classifier.network.training


def test_the_identity_is_that_of_the_weights():
    one, other = Classifier(), Classifier()
    assert one.identity == other.identity
    changed = Classifier()
    changed.network.head.bias[0] += 1
    assert changed.identity != one.identity


@pytest.mark.parametrize("padding", [0, 1, 2])
def test_the_classifier_takes_padded_digits(classifier, padding):
    classifier.check(Spec(1, 28 + 2 * padding, 28 + 2 * padding, images=1, padding=padding))


@pytest.mark.parametrize("shape", [(3, 28, 28), (1, 32, 32), (1, 28, 56)])
def test_the_classifier_refuses_other_images(classifier, shape):
    with pytest.raises(ConfigError, match=r"1 x 28 x 28 alone.*metrics/extractor=inception.*metrics=none"):
        classifier.check(Spec(*shape, images=1))


@pytest.mark.parametrize("extractor", [Classifier(), StackedClassifier(), Inception()])
def test_extractors_of_images_refuse_points(extractor):
    with pytest.raises(ConfigError, match="data are points: choose metrics=points or none"):
        extractor.check(Spec(2, None, None, images=1))


def test_coordinates_are_the_points_themselves():
    points = torch.randn(5, 2, generator=torch.Generator().manual_seed(0))
    assert torch.equal(Coordinates()(points), points)
    Coordinates().check(Spec(2, None, None, images=1))
    with pytest.raises(ConfigError, match="data are images: choose metrics=quick or none"):
        Coordinates().check(COLOUR)


def test_labels_follow_from_features_as_from_images(mnist, classifier):
    images = to_float(mnist.test.images[:200])
    assert torch.equal(classifier.labels(classifier(images)), classifier.classify(images).argmax(1))


def test_stacked_digits_are_read_one_by_one(mnist, classifier):
    """Hundreds in the first channel, tens in the second, ones in the third."""
    digits = mnist.test.images[:300].view(100, 3, 28, 28)
    expected = classifier.labels(classifier(to_float(digits.reshape(300, 1, 28, 28)))).view(100, 3)
    stacked = StackedClassifier()
    stacked.check(Spec(3, 28, 28, images=1))
    features = stacked(to_float(digits).to(memory_format=torch.channels_last))
    assert features.shape == (100, 192)
    assert torch.equal(stacked.labels(features), expected @ torch.tensor([100, 10, 1]))
    assert stacked.identity != classifier.identity


def test_inception_reads_a_file(weights):
    inception = Inception(weights)
    inception.check(Spec(1, 28, 28, images=1))
    grey = torch.rand(2, 1, 28, 28, generator=torch.Generator().manual_seed(0)) * 2 - 1
    features = inception(grey)
    assert features.shape == (2, 2048) and features.dtype == torch.float32
    assert torch.allclose(features, inception(grey.expand(-1, 3, -1, -1)), atol=1e-6)
    assert len(inception.identity) == 64


def test_inception_without_network_names_both_ways(monkeypatch):
    def offline(*_, **__):
        raise urllib.error.URLError("no route to host")

    monkeypatch.setattr("torch.hub.load_state_dict_from_url", offline)
    with pytest.raises(
        ConfigError, match=r"no route to host.*run once where https://.*metrics\.extractor\.weights=FILE"
    ):
        Inception().check(COLOUR)


def test_inception_names_a_file_that_is_missing_or_wrong(tmp_path):
    with pytest.raises(ConfigError, match=r"weights=.*missing\.pth: there is no such file"):
        Inception(str(tmp_path / "missing.pth")).check(COLOUR)
    (tmp_path / "text.pth").write_text("not weights")
    with pytest.raises(ConfigError, match=r"text\.pth: not a file of PyTorch weights"):
        Inception(str(tmp_path / "text.pth")).check(COLOUR)
    torch.save({"weight": torch.zeros(1)}, tmp_path / "other.pth")
    with pytest.raises(ConfigError, match=r"other\.pth: these are not the weights of torch-fidelity's Inception"):
        Inception(str(tmp_path / "other.pth")).check(COLOUR)


class Payload:
    def __reduce__(self):
        return print, ("this ran",)


def test_inception_runs_no_code_of_a_file(tmp_path, capsys):
    (tmp_path / "evil.pth").write_bytes(pickle.dumps(Payload(), protocol=2))
    with pytest.raises(ConfigError, match="not a file of PyTorch weights"):
        Inception(str(tmp_path / "evil.pth")).check(COLOUR)
    assert "this ran" not in capsys.readouterr().out


def test_inception_refuses_two_channels():
    with pytest.raises(ConfigError, match=r"2 channels: it reads 1, 3 or 4.*metrics=none"):
        Inception().check(Spec(2, 64, 64, images=1))


def test_alpha_is_laid_over_white():
    colour = torch.full((1, 3, 1, 1), -1.0)
    shown = [to_colour(torch.cat([colour, torch.full((1, 1, 1, 1), alpha)], 1)) for alpha in (-1.0, 0.0, 1.0)]
    assert [image.unique().tolist() for image in shown] == [[255], [128], [0]]


def test_inceptions_logits_are_those_that_published_scores_use(weights):
    """torch-fidelity's "logits_unbiased", from the features alone."""
    from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

    images = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0)) * 2 - 1
    inception = Inception(weights)
    state = inception.network.state_dict()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("torch.load", lambda *_, **__: state)
        network = FeatureExtractorInceptionV3("test", ["logits_unbiased"], feature_extractor_weights_path="none")
    (expected,) = network(to_colour(images))
    torch.testing.assert_close(inception.logits(inception(images)), expected.detach(), atol=1e-5, rtol=1e-5)
