"""MNIST: what its files hold, what a bad file says, and how sizes and splits are made."""

import gzip
import shutil

import pytest
import torch

from genlab.core.errors import ConfigError
from genlab.data import MNIST
from genlab.data.sets.mnist import BUNDLED

FIRST_LABELS = [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
FIRST_TEST_LABELS = [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]
TRAINING_COUNTS = [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]


@pytest.fixture(scope="module")
def mnist() -> MNIST:
    return MNIST()


@pytest.fixture
def folder(tmp_path):
    return shutil.copytree(BUNDLED, tmp_path / "mnist")


def test_it_is_the_published_data(mnist):
    assert mnist.train.images.shape == (60_000, 1, 28, 28) and mnist.test.images.shape == (10_000, 1, 28, 28)
    assert mnist.train.images.dtype == torch.uint8 and mnist.train.labels.dtype == torch.int64
    assert mnist.train.labels.bincount().tolist() == TRAINING_COUNTS
    assert mnist.train.labels[:10].tolist() == FIRST_LABELS
    assert mnist.test.labels[:10].tolist() == FIRST_TEST_LABELS
    assert mnist.train.images.double().mean() / 255 == pytest.approx(0.1306604762738429, abs=1e-12)


def test_the_spec_is_that_of_the_training_images(mnist):
    assert mnist.spec.shape == (1, 28, 28)
    assert (mnist.spec.images, mnist.spec.class_count, mnist.spec.padding) == (60_000, 10, 0)
    assert mnist.holdout is None and mnist.name == "mnist"


def test_a_small_limit_changes_no_classes():
    data = MNIST(limit=1)
    assert data.spec.images == 1 and data.spec.class_count == 10


@pytest.mark.parametrize(("size", "padding"), [(28, 0), (30, 1), (32, 2)])
def test_sizes_a_little_larger_are_padded_and_cropped_back(mnist, size, padding):
    data = MNIST(size=size, limit=100)
    assert data.spec.shape == (1, size, size) and data.padding == data.spec.padding == padding
    assert torch.equal(data.spec.crop(data.train.images), mnist.train.images[:100])
    assert torch.equal(data.spec.crop(data.test.images), mnist.test.images)
    assert data.train.images.sum() == mnist.train.images[:100].sum()  # the frame is black


@pytest.mark.parametrize("size", [14, 29, 64])
def test_other_sizes_are_resized(mnist, size):
    data = MNIST(size=size, limit=100, holdout=10)
    assert data.padding == 0 and data.spec.shape == (1, size, size)
    assert data.holdout.images.shape == (10, 1, size, size)
    mean = mnist.train.images[:100].double().mean()
    assert data.train.images.double().mean() == pytest.approx(mean.item(), rel=0.02)


def test_halving_is_antialiased(mnist):
    halved, full = MNIST(size=14, limit=100).train.images.float(), mnist.train.images[:100].float()
    blurred = torch.nn.functional.avg_pool2d(full, 2)
    assert (halved - blurred).abs().mean() < 0.5 * (full[..., ::2, ::2] - blurred).abs().mean()


def test_the_holdout_is_the_end_of_the_training_images(mnist):
    data = MNIST(holdout=10_000)
    assert torch.equal(data.train.images, mnist.train.images[:50_000])
    assert torch.equal(data.holdout.images, mnist.train.images[50_000:])
    assert torch.equal(data.holdout.labels, mnist.train.labels[50_000:])
    assert data.reference("holdout") is data.holdout


def test_a_limit_leaves_the_holdout_where_it_is(mnist):
    data = MNIST(limit=500, holdout=100)
    assert torch.equal(data.train.images, mnist.train.images[:500])
    assert torch.equal(data.holdout.images, mnist.train.images[-100:])


@pytest.mark.parametrize("wrong", [{"holdout": 60_000}, {"limit": 60_001}, {"limit": 59_000, "holdout": 1_001}])
def test_asking_for_more_images_than_there_are_is_an_error(wrong):
    with pytest.raises(ConfigError, match=r"data\.limit=.* data\.holdout=.*60000 training images"):
        MNIST(**wrong)


def test_unpacked_and_repacked_files_are_the_same_data(mnist, folder):
    packed = folder / "train-images-idx3-ubyte.gz"
    content = gzip.decompress(packed.read_bytes())
    packed.unlink()
    packed.with_suffix("").write_bytes(content)
    labels = folder / "train-labels-idx1-ubyte.gz"
    labels.write_bytes(gzip.compress(gzip.decompress(labels.read_bytes()), compresslevel=1))
    assert MNIST(str(folder)).fingerprint == mnist.fingerprint


def test_a_missing_file_is_named(folder):
    (folder / "t10k-labels-idx1-ubyte.gz").unlink()
    with pytest.raises(ConfigError, match=r"data\.root=.*t10k-labels-idx1-ubyte\.gz is missing"):
        MNIST(str(folder))


def test_a_truncated_file_is_named(folder):
    path = folder / "train-images-idx3-ubyte.gz"
    path.write_bytes(path.read_bytes()[:100_000])
    with pytest.raises(ConfigError, match=r"train-images-idx3-ubyte\.gz: it cannot be unpacked"):
        MNIST(str(folder))


def test_a_changed_pixel_is_noticed(folder):
    path = folder / "t10k-images-idx3-ubyte.gz"
    content = bytearray(gzip.decompress(path.read_bytes()))
    content[5_000] ^= 1
    path.write_bytes(gzip.compress(bytes(content), compresslevel=1))
    with pytest.raises(ConfigError, match=r"t10k-images-idx3-ubyte\.gz: its content is not MNIST's"):
        MNIST(str(folder))


def test_binarised_digits_are_white_as_often_as_they_were_grey(mnist):
    data = MNIST(binarise=True, limit=5_000, holdout=5_000)
    grey = {"train": mnist.train.images[:5_000], "holdout": mnist.train.images[-5_000:], "test": mnist.test.images}
    for name, pixels in grey.items():
        drawn = data.reference(name).images
        assert drawn.unique().tolist() == [0, 255]
        assert drawn.double().mean() == pytest.approx(pixels.double().mean().item(), rel=0.01)
        assert not drawn[pixels == 0].any() and (drawn[pixels == 255] == 255).all()


def test_binarised_once_is_binarised_for_all():
    few, more = MNIST(binarise=True, limit=100), MNIST(binarise=True, limit=2_000)
    assert torch.equal(few.train.images, more.train.images[:100])
    assert torch.equal(few.test.images, more.test.images)
