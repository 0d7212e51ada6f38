"""Every YAML of a data set fits the class that it names."""

import pytest

from genlab.build import arguments
from genlab.build import instantiate as build
from genlab.cli.menu import choices
from genlab.core.errors import ConfigError
from tests.conftest import composed

SETS = ["fashion_mnist", "kmnist", "qmnist", "emnist", "usps", "svhn", "cifar10", "cifar100", "stl10", "celeba"]
BUNDLED = ["mnist", "stacked_mnist", "pixel_faces", "pixel_faces_glasses"]
MIRRORED = {"cifar10", "cifar100", "stl10", "celeba"}  # letters and digits are not: it would make other ones


@pytest.mark.parametrize("name", [*SETS, *BUNDLED, "folder", "pairs", "unpaired"])
def test_a_config_states_every_argument(name):
    node = composed(f"data={name}")["data"]
    assert build.check_node(node, "data") == node
    expected = arguments.accepted_arguments(arguments.locate(node["_target_"], "data"))
    absent = {"labelled", "label_seed"} if name == "celeba" else set()  # it has attributes, no classes
    assert node.keys() - {"_target_"} == expected.keys() - absent
    assert name in choices("data")


@pytest.mark.parametrize("name", SETS)
def test_missing_files_are_one_readable_error(name, tmp_path):
    config = composed(f"data={name}", f"data.root={tmp_path}")["data"]
    assert config["flip"] == (name in MIRRORED)
    with pytest.raises(ConfigError, match=rf"data\.root={tmp_path}: .* of {name} are missing"):
        build.dataset(config)


def test_values_out_of_range_are_named():
    for override in ("data.channels=2", "data.on_error=ignore", "data.size=0", "data.limit=-1"):
        with pytest.raises(ConfigError, match=override.replace(".", r"\.")):
            build.check_node(composed("data=folder", override)["data"], "data")
