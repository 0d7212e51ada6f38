"""The classic sets, each from small files in its published format, read by torchvision's own loaders.

The checksums of the published files are the one thing that is stubbed.
"""

import bz2
import gzip
import pickle
import tarfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.io import savemat

from genlab.core.condition import Attributes
from genlab.core.errors import ConfigError
from genlab.data.sets.celeba import PICTURE_FOLDER, CelebA
from genlab.data.sets.colour_sets import CIFAR10, CIFAR100, STL10, SVHN
from genlab.data.sets.grey_sets import EMNIST, KMNIST, QMNIST, USPS, FashionMNIST

N = {"train": 10, "test": 4}
SOURCE = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def no_checksums(monkeypatch):
    monkeypatch.setattr("torchvision.datasets.utils.check_md5", lambda *_, **__: True)


def pixels(part: str, *shape: int) -> np.ndarray:
    return SOURCE.integers(0, 256, (N[part], *shape), dtype=np.uint8)


def labels(part: str, classes: int = 10) -> np.ndarray:
    return np.arange(N[part]) * 3 % classes


def idx(path: Path, values: np.ndarray, kind: int = 8) -> None:
    """LeCun's format: two zero bytes, the type, the number of dimensions, their sizes, the data, all big-endian."""
    path.parent.mkdir(parents=True, exist_ok=True)
    sizes = np.array(values.shape, ">i4").tobytes()
    path.write_bytes(bytes([0, 0, kind, values.ndim]) + sizes + values.tobytes())


def write_idx(root: Path, folder: str) -> dict:
    truth = {part: (pixels(part, 28, 28), labels(part)) for part in N}
    for part, name in (("train", "train"), ("test", "t10k")):
        images, classes = truth[part]
        idx(root / folder / "raw" / f"{name}-images-idx3-ubyte", images)
        idx(root / folder / "raw" / f"{name}-labels-idx1-ubyte", classes.astype(np.uint8))
    return {part: (images[:, None], classes) for part, (images, classes) in truth.items()}


def write_qmnist(root: Path) -> dict:
    truth = {part: (pixels(part, 28, 28), labels(part)) for part in N}
    for part, (images, classes) in truth.items():
        idx(root / "QMNIST" / "raw" / f"qmnist-{part}-images-idx3-ubyte", images)
        extended = np.zeros((len(classes), 8), ">i4")
        extended[:, 0], extended[:, 1:] = classes, 1_000
        idx(root / "QMNIST" / "raw" / f"qmnist-{part}-labels-idx2-int", extended, kind=12)
    return {part: (images[:, None], classes) for part, (images, classes) in truth.items()}


def write_emnist(root: Path, subset: str = "balanced", first: int = 0) -> dict:
    truth = {part: (pixels(part, 28, 28), labels(part)) for part in N}
    for part, (images, classes) in truth.items():
        stem = root / "EMNIST" / "raw" / f"emnist-{subset}-{part}"
        idx(stem.with_name(f"{stem.name}-images-idx3-ubyte"), images.transpose(0, 2, 1))  # the files are mirrored
        idx(stem.with_name(f"{stem.name}-labels-idx1-ubyte"), (classes + first).astype(np.uint8))
    return {part: (images[:, None], classes) for part, (images, classes) in truth.items()}


def write_usps(root: Path) -> dict:
    """Lines of `label index:value ...`: labels from 1, values in [-1, 1]."""
    truth = {part: (pixels(part, 16, 16) // 255 * 255, labels(part)) for part in N}  # ends of the range are exact
    for part, name in (("train", "usps.bz2"), ("test", "usps.t.bz2")):
        rows = [(image.flatten() / 127.5 - 1, label) for image, label in zip(*truth[part], strict=True)]
        lines = [f"{label + 1} " + " ".join(f"{i + 1}:{v:.6f}" for i, v in enumerate(row)) for row, label in rows]
        (root / name).write_bytes(bz2.compress("\n".join(lines).encode()))
    return {part: (images[:, None], classes) for part, (images, classes) in truth.items()}


def write_svhn(root: Path) -> dict:
    """MATLAB files: pixels [32, 32, 3, N], labels [N, 1] with 10 for zero."""
    truth = {part: (pixels(part, 3, 32, 32), labels(part)) for part in N}
    for part, (images, classes) in truth.items():
        y = np.where(classes == 0, 10, classes)[:, None].astype(np.uint8)
        savemat(root / f"{part}_32x32.mat", {"X": images.transpose(2, 3, 1, 0), "y": y})
    return truth


def write_cifar(root: Path, folder: str, batches: dict[str, list[str]], meta: tuple[str, str], key: str) -> dict:
    (root / folder).mkdir()
    truth = {}
    for part, names in batches.items():
        written = [(pixels(part, 3, 32, 32), labels(part)) for _ in names]
        for name, (images, classes) in zip(names, written, strict=True):
            batch = {"data": images.reshape(len(images), -1), key: classes.tolist()}
            (root / folder / name).write_bytes(pickle.dumps(batch))
        truth[part] = tuple(np.concatenate(values) for values in zip(*written, strict=True))
    (root / folder / meta[0]).write_bytes(pickle.dumps({meta[1]: ["name"] * 10}))
    return truth


def write_cifar10(root: Path) -> dict:
    batches = {"train": [f"data_batch_{index}" for index in range(1, 6)], "test": ["test_batch"]}
    return write_cifar(root, "cifar-10-batches-py", batches, ("batches.meta", "label_names"), "labels")


def write_cifar100(root: Path) -> dict:
    batches = {"train": ["train"], "test": ["test"]}
    return write_cifar(root, "cifar-100-python", batches, ("meta", "fine_label_names"), "fine_labels")


def write_stl10(root: Path) -> dict:
    """Columns before rows, labels from 1."""
    folder = root / "stl10_binary"
    folder.mkdir()
    truth = {part: (pixels(part, 3, 96, 96), labels(part)) for part in N}
    for part, (images, classes) in truth.items():
        (folder / f"{part}_X.bin").write_bytes(images.transpose(0, 1, 3, 2).tobytes())
        (folder / f"{part}_y.bin").write_bytes((classes + 1).astype(np.uint8).tobytes())
    (folder / "unlabeled_X.bin").write_bytes(bytes(2 * 3 * 96 * 96))
    return truth


SETS = {
    "fashion_mnist": (FashionMNIST, lambda root: write_idx(root, "FashionMNIST"), 10),
    "kmnist": (KMNIST, lambda root: write_idx(root, "KMNIST"), 10),
    "qmnist": (QMNIST, write_qmnist, 10),
    "emnist": (EMNIST, write_emnist, 47),
    "usps": (USPS, write_usps, 10),
    "svhn": (SVHN, write_svhn, 10),
    "cifar10": (CIFAR10, write_cifar10, 10),
    "cifar100": (CIFAR100, write_cifar100, 100),
    "stl10": (STL10, write_stl10, 10),
}
every_set = pytest.mark.parametrize("name", SETS)


def same(split, images, classes) -> None:
    assert split.images.dtype == torch.uint8 and split.labels.dtype == torch.int64
    assert np.array_equal(split.images.numpy(), images) and np.array_equal(split.labels.numpy(), classes)


@every_set
def test_pixels_and_labels_are_those_of_the_files(name, tmp_path):
    make, write, classes = SETS[name]
    truth = write(tmp_path)
    data = make(str(tmp_path))
    same(data.train, *truth["train"])
    same(data.test, *truth["test"])
    assert data.name == name and data.spec.shape == truth["train"][0].shape[1:] and data.spec.padding == 0
    assert data.spec.class_count == classes and data.spec.images == len(truth["train"][0])


@every_set
def test_sets_are_read_once(name, tmp_path, monkeypatch):
    make, write, _ = SETS[name]
    write(tmp_path)
    first = make(str(tmp_path))
    monkeypatch.setattr(make, "open_part", None)
    second = make(str(tmp_path))
    assert second.fingerprint == first.fingerprint and torch.equal(second.train.images, first.train.images)


@every_set
def test_missing_files_are_named(name, tmp_path):
    make = SETS[name][0]
    with pytest.raises(ConfigError) as error:
        make(str(tmp_path))
    message = str(error.value)
    assert f"data.root={tmp_path}" in message and make.home in message and "data.root=FOLDER" in message
    assert f"of {name} are missing" in message and "there is no network" in message
    SETS[name][1](tmp_path)
    written = [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()]
    assert any(file in message for file in written)


@pytest.mark.parametrize(
    ("name", "size", "padding"),
    [("kmnist", 32, 2), ("usps", 18, 1), ("kmnist", 16, 0), ("cifar10", 34, 0), ("stl10", 48, 0)],
)
def test_sizes_are_padded_or_resized(name, size, padding, tmp_path):
    make, write, _ = SETS[name]
    images = torch.from_numpy(write(tmp_path)["train"][0])
    data = make(str(tmp_path), size=size)
    assert data.spec.shape[1:] == (size, size) and data.spec.padding == data.padding == padding
    assert data.test.images.shape[-1] == size
    if padding:
        assert torch.equal(data.spec.crop(data.train.images), images)
        assert data.train.images.sum() == images.sum()  # the frame is black
    else:
        mean = data.train.images.double().mean((2, 3))
        assert torch.allclose(mean, images.double().mean((2, 3)), atol=2.5)


def test_limit_holdout_labelled_and_flip(tmp_path):
    images, classes = write_cifar10(tmp_path)["train"]
    data = CIFAR10(str(tmp_path), limit=20, holdout=3, flip=True)
    same(data.train, images[:20], classes[:20])
    same(data.holdout, images[-3:], classes[-3:])
    assert data.flip and data.spec.class_count == 10
    few = CIFAR10(str(tmp_path), labelled=10)
    assert (few.train.labels >= 0).sum() == 10 and few.spec.class_count == 10
    with pytest.raises(ConfigError, match=r"data\.limit=49 data\.holdout=2: 48 of the 50 training images of cifar10"):
        CIFAR10(str(tmp_path), limit=49, holdout=2)


def test_emnist_letters_begin_at_zero(tmp_path):
    truth = write_emnist(tmp_path, "letters", first=1)
    data = EMNIST(str(tmp_path), subset="letters")
    same(data.train, *truth["train"])
    assert data.spec.class_count == 26


@pytest.mark.parametrize("subset", EMNIST.sizes)
def test_emnist_has_as_many_classes_as_torchvision_says(subset):
    from torchvision.datasets import EMNIST as published

    unused = subset == "letters"  # torchvision keeps a place for the label 0
    assert EMNIST.sizes[subset] == len(published.classes_split_dict[subset]) - unused


def test_stl10_without_labels(tmp_path):
    images, classes = write_stl10(tmp_path)["train"]
    data = STL10(str(tmp_path), subset="unlabeled")
    assert data.train.labels is None and data.spec.images == 2 and data.spec.class_count is None
    assert data.test.labels is not None
    both = STL10(str(tmp_path), subset="train+unlabeled")
    assert both.train.labels.tolist() == [*classes, -1, -1] and both.spec.class_count == 10
    assert np.array_equal(both.train.images[: len(images)].numpy(), images)


def test_packed_files_are_unpacked(tmp_path):
    truth = write_idx(tmp_path, "FashionMNIST")
    for path in list((tmp_path / "FashionMNIST" / "raw").iterdir()):
        path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes()))
        path.unlink()
    same(FashionMNIST(str(tmp_path)).train, *truth["train"])


def test_archives_are_unpacked(tmp_path):
    truth = write_cifar100(tmp_path)
    with tarfile.open(tmp_path / "cifar-100-python.tar.gz", "w:gz") as archive:
        archive.add(tmp_path / "cifar-100-python", "cifar-100-python")
    (tmp_path / "cifar-100-python" / "train").unlink()
    same(CIFAR100(str(tmp_path)).train, *truth["train"])


def test_the_default_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("GENLAB_DATA", str(tmp_path))
    truth = write_usps(tmp_path)
    same(USPS().train, *truth["train"])


def test_a_file_that_is_not_the_published_one_is_named(tmp_path, monkeypatch):
    write_svhn(tmp_path)
    monkeypatch.setattr("torchvision.datasets.utils.check_md5", lambda path, *_, **__: "train" in str(path))
    with pytest.raises(ConfigError, match=r"test_32x32\.mat: not the published file of svhn \(MD5 differs\)"):
        SVHN(str(tmp_path))


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    write_idx(tmp_path, "KMNIST")
    path = tmp_path / "KMNIST" / "raw" / "t10k-images-idx3-ubyte"
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(ConfigError, match=r"the test files of kmnist cannot be read .*t10k-images-idx3-ubyte"):
        KMNIST(str(tmp_path))


def test_every_class_of_cifar100_has_its_name(tmp_path):
    write_cifar100(tmp_path)
    names = CIFAR100(str(tmp_path)).spec.class_names
    assert len(names) == 100 and list(names) == sorted(set(names))  # the file `meta` has them in this order
    assert [names[number] for number in (0, 1, 41, 98, 99)] == ["apple", "aquarium_fish", "lawn_mower", "woman", "worm"]


ATTRIBUTES = SOURCE.choice([-1, 1], (11, 40))


@pytest.fixture
def faces(tmp_path) -> Path:
    """Seven training, one validation and three test faces of 178 x 218."""
    folder = tmp_path / PICTURE_FOLDER
    folder.mkdir(parents=True)
    names = [f"{index:06}.jpg" for index in range(11)]
    for index, name in enumerate(names):
        Image.new("RGB", (178, 218), (20 * index, 100, 200)).save(folder / name, quality=95)
    lists = {
        "list_eval_partition.txt": [f"{name} {(index > 6) + (index > 7)}" for index, name in enumerate(names)],
        "identity_CelebA.txt": [f"{name} 1" for name in names],
        "list_bbox_celeba.txt": ["11", "image_id x y w h", *(f"{name} 1 2 3 4" for name in names)],
        "list_landmarks_align_celeba.txt": ["11", "l " * 10, *(name + " 1" * 10 for name in names)],
        "list_attr_celeba.txt": ["11", "a " * 40]
        + [f"{name}  " + " ".join(map(str, row)) for name, row in zip(names, ATTRIBUTES, strict=True)],
    }
    for name, lines in lists.items():
        (tmp_path / "celeba" / name).write_text("\n".join(lines) + "\n")
    return tmp_path


def test_celeba_has_attributes(faces):
    data = CelebA(str(faces), flip=True)
    assert data.spec.shape == (3, 64, 64) and data.spec.class_count is None
    assert data.spec.condition.count == 40 and data.spec.condition.agrees_with(Attributes(40))
    assert [data.spec.label_names[number] for number in (0, 20, 31, 39)] == [
        *("5_o_Clock_Shadow", "Male", "Smiling", "Young")
    ]
    assert len(data.train.images) == 7 and len(data.test.images) == 3
    assert data.train.labels.dtype == torch.float32
    assert np.array_equal(data.train.labels.numpy(), (ATTRIBUTES[:7] + 1) / 2)
    assert np.array_equal(data.test.labels.numpy(), (ATTRIBUTES[8:] + 1) / 2)
    expected = torch.tensor([[20 * index, 100, 200] for index in range(7)])
    assert (data.train.images.float().mean((2, 3)) - expected).abs().max() < 3


def test_celeba_is_cut_around_the_face(faces):
    framed = np.zeros((218, 178, 3), np.uint8)
    framed[39:179, 19:159] = 255  # the centred 140 x 140
    Image.fromarray(framed).save(faces / PICTURE_FOLDER / "000000.jpg", quality=100, subsampling=0)
    inside = CelebA(str(faces)).train.images[0]
    assert inside.shape == (3, 64, 64) and inside.min() > 200
    wider = CelebA(str(faces), crop=178, size=None).train.images[0]
    assert wider.shape == (3, 178, 178) and wider[:, :10].max() < 50


def test_celeba_names_bad_and_missing_pictures(faces):
    (faces / PICTURE_FOLDER / "000002.jpg").write_bytes(b"")
    (faces / PICTURE_FOLDER / "000003.jpg").unlink()
    with pytest.raises(ConfigError, match=r"(?s)2 of 7 train images.*000002\.jpg: empty.*000003\.jpg: cannot be read"):
        CelebA(str(faces))


def test_celeba_names_missing_lists(faces):
    (faces / "celeba" / "identity_CelebA.txt").unlink()
    with pytest.raises(ConfigError, match=r"1 of the 6 files of celeba are missing: celeba/identity_CelebA\.txt"):
        CelebA(str(faces))


def test_celeba_notices_a_changed_picture(faces):
    before = CelebA(str(faces)).fingerprint
    Image.new("RGB", (178, 218), "black").save(faces / PICTURE_FOLDER / "000000.jpg")
    assert CelebA(str(faces)).fingerprint != before


def test_a_crop_beyond_the_picture(faces):
    with pytest.raises(ConfigError, match=r"data\.crop=179: the pictures of celeba are 178 pixels wide"):
        CelebA(str(faces), crop=179)
