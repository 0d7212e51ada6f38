"""What is chosen for which pictures and which machine."""

from pathlib import Path

import pytest

from genlab.choosing.pictures import Pictures
from genlab.choosing.recipes import RECIPES, Machine, choose
from genlab.core.errors import ConfigError

CPU, SMALL_GPU, LARGE_GPU = Machine("cpu", 0), Machine("cuda", 8), Machine("cuda", 80)


def pictures(count=300, sizes=((640, 480),), **facts) -> Pictures:
    given = {"tested": 0, "copies": 0, "classes": [], "loose": 0, "opened": count, "unusable": 0, "grey": False}
    given |= {"root": Path("photos"), "transparent": 0, "depths": {"8-bit": []}}
    return Pictures(count=count, sizes=list(sizes), **(given | facts))


def chosen(found, machine=CPU, asked=None, has_model=False) -> dict[str, str]:
    words = [choice.word.partition("=") for choice in choose(found, machine, asked or {}, has_model=has_model)]
    return {key: value for key, _, value in words}


def test_the_side_is_what_pictures_fill_and_the_machine_trains():
    assert chosen(pictures(), CPU)["data.size"] in ("32", "64")
    assert chosen(pictures(), SMALL_GPU)["data.size"] == "128"
    assert chosen(pictures(), LARGE_GPU)["data.size"] == "256"
    assert chosen(pictures(sizes=[(70, 90)]), LARGE_GPU)["data.size"] == "64"
    assert chosen(pictures(sizes=[(20, 20)]), LARGE_GPU)["data.size"] == "32"


@pytest.mark.parametrize("count", [20, 300, 2_000, 1_000_000])
@pytest.mark.parametrize("machine", [CPU, LARGE_GPU])
def test_any_count_has_a_model_a_batch_and_a_duration(count, machine):
    words = chosen(pictures(count), machine)
    assert words.keys() >= {"model", "data.size", "data.flip", "trainer.batch_size", "trainer.images", "metrics.every"}
    assert int(words["trainer.batch_size"]) * 2 <= count and int(words["callbacks.grid.every"]) > 0
    assert RECIPES[-1].pictures >= count


def test_files_that_say_nothing_of_their_range_are_given_one():
    assert chosen(pictures(depths={"16-bit": [3, 4_000]}))["data.range"] == "[0,4095]"
    assert "data.range" not in chosen(pictures(depths={"16-bit": [3, 65_000]}))
    assert "data.range" not in chosen(pictures(depths={"16-bit": [3, 4_000], "8-bit": []}))  # it would darken these


def test_pictures_beside_folders_have_no_classes():
    assert chosen(pictures(loose=3))["data.classes"] == "none"
    assert "data.classes" not in chosen(pictures(classes=["a", "b"]))


def test_what_was_typed_decides_what_follows_from_it():
    words = chosen(pictures(), LARGE_GPU, {"data.size": 64, "trainer.images": 20_000})
    assert words["model"] == "fastgan" and words["callbacks.grid.every"] == "1000"
    many = chosen(pictures(50_000), LARGE_GPU, {"data.size": 64})
    assert many["model.generator.width"] == "256" and many["augment"] == "[ada]"


def test_a_model_of_the_users_own_is_told_the_pictures_alone():
    assert chosen(pictures(), has_model=True).keys() == {"data.size", "data.flip"}


def test_too_few_pictures_are_refused():
    with pytest.raises(ConfigError, match=r"photos: 19 different pictures to train on, .* Add pictures"):
        choose(pictures(19), CPU, {}, has_model=False)
