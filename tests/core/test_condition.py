"""Every kind of condition keeps its contract, no code asks for the kind, and a new one costs a class."""

import ast
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pytest
import torch
from PIL import Image
from torch import Tensor, nn

import genlab
from genlab import export, sample
from genlab.cli import command
from genlab.core.condition import Attributes, Classes, Condition
from genlab.core.errors import ConfigError
from genlab.core.picture import Picture
from genlab.core.random import Draws
from genlab.core.spec import Spec
from genlab.core.words import Words
from genlab.data import InMemory, Split
from genlab.data.blank_dataset import Blank
from genlab.data.sets.colour_sets import FINE_CLASSES
from tests.conftest import NARROW, TINY, replace_words, saved

ROOT = Path(genlab.__file__).parent
KINDS = (
    *(Classes(10), Classes(2, ("cat", "dog")), Attributes(3), Attributes(2, ("Male", "Smiling"))),
    Words(("a", "b", "c"), 2),
    *(Picture(3, 8, 8), Picture(1, 8, 8, 4)),
)


@dataclass(frozen=True)
class Angle(Condition):
    """A fifth kind: labels float32 [N] in degrees, which networks read as (cos, sin)."""

    turn: float = 360.0

    grid_lines: ClassVar[str] = "rows"

    @property
    def size(self) -> int:
        return 2

    @property
    def description(self) -> str:
        return f"an angle of 0 to {self.turn:g} degrees"

    @property
    def how_to_ask(self) -> str:
        return "classes=90"

    def embedding(self, width: int) -> nn.Module:
        return nn.Linear(2, width, bias=False)

    def as_input(self, labels: Tensor, dtype: torch.dtype) -> Tensor:
        radians = labels * (2 * torch.pi / self.turn)
        return torch.stack([radians.cos(), radians.sin()], 1).to(dtype)

    def stand_ins(self) -> Tensor:
        return torch.tensor([0.0, 90.0])

    def parse(self, given: Any, key: str = "classes") -> Tensor:
        degrees = torch.as_tensor(given, dtype=torch.float32).reshape(-1)
        if degrees.abs().max() > self.turn:
            raise ConfigError(f"{key}={given}: expected at most {self.turn:g} degrees.")
        return degrees


def turned() -> InMemory:
    """Random images of four angles in turn."""
    pixels = torch.randint(0, 256, (48, 1, 28, 28), generator=torch.Generator().manual_seed(5), dtype=torch.uint8)
    train, test = (Split(pixels[at], torch.arange(24) % 4 * 90.0) for at in (slice(24), slice(24, 48)))
    return InMemory(train, test=test, condition=Angle(), name="turned")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A conditional GAN that trained on angles, its grids, and its checkpoint."""
    directory = tmp_path_factory.mktemp("angles") / "run"
    words = ["model=cgan_conv", *NARROW, "callbacks=default", "metrics=quick", "metrics.images=16"]
    words += ["trainer.images=32", "callbacks.grid.rows=2", "callbacks.grid.columns=3", f"hydra.run.dir={directory}"]
    genlab.run(replace_words(TINY, *words), data=turned())
    return directory


def test_a_fifth_kind_trains_and_draws_its_labels_on_the_way(run):
    drawn = sorted(path.name for path in (run / "samples").iterdir())
    assert drawn == ["000000000.png", "000000032.png", "real.png"]
    grid = Image.open(run / "samples" / "real.png")
    assert grid.height == 4 * 28 * 6 + 3 * 2 and grid.width > 3 * 28 * 6 + 2 * 2  # a row an angle, captions beside them


def test_a_fifth_kind_is_loaded_and_asked_for(run):
    loaded = genlab.load(run, device="cpu")
    assert loaded.spec.condition == Angle()
    both, quarter = loaded.sample(4, classes=[0.0, 90.0]), loaded.sample(4, classes=90.0)
    assert torch.equal(both[1::2], quarter[1::2]) and not torch.equal(both[::2], quarter[::2])
    with pytest.raises(ConfigError, match="told an angle.*Say what to show, classes=90.*real=true"):
        loaded.sample(2)
    with pytest.raises(ConfigError, match="expected at most 360 degrees"):
        loaded.sample(2, classes=400.0)


def test_a_fifth_kind_is_sampled_exported_and_measured(run, tmp_path):
    path = tmp_path / "a.png"
    options = [f"run={run}", "device=cpu", f"to={path}"]
    assert command.main("sample", sample.USAGE, sample.job, [*options, "mode=classes", "classes=[0,90]"]) == 0
    assert command.main("export", export.USAGE, export.job, [f"run={run}", "checkpoint=newest"]) == 0
    assert "an angle of 0 to 360 degrees" in (run / "export" / "safetensors" / "README.md").read_text()


def test_a_fifth_kind_serves_virtual_batch_normalisation(tmp_path):
    trainer = saved(tmp_path, "model=cgan_conv", *NARROW, "model.generator.norm=virtual", data=turned())
    assert trainer.model.generator.condition.shape == (64, 2)
    assert trainer.samples.draw_samples(0, 3).shape == (3, 1, 28, 28)


@pytest.mark.parametrize("condition", [None, Angle(180.0), *KINDS])
def test_a_stored_spec_is_read_again(condition):
    spec = Spec(3, 8, 8, images=5, condition=condition, padding=1)
    assert Spec.of(json.loads(json.dumps(spec.facts()))) == spec
    assert Blank(Spec.of(spec.facts())).spec == spec


@pytest.mark.parametrize(
    ("facts", "condition"),
    [
        ({"classes": 10}, Classes(10)),
        ({"attributes": 3}, Attributes(3)),
        ({"words": ["a", "b", "c"], "length": 2}, Words(("a", "b", "c"), 2)),
        ({"source": (3, 8, 8)}, Picture(3, 8, 8)),
        ({"source": [1, 8, 8], "source_classes": 4}, Picture(1, 8, 8, 4)),
        ({}, None),
    ],
)
def test_specs_of_older_files_are_read(facts, condition):
    """They held one level of names."""
    older = dict.fromkeys(("classes", "attributes", "words", "length", "source", "source_classes"))
    found = Spec.of({"channels": 3, "height": 8, "width": 8, "images": 5, "padding": 0, "scale": 1.0} | older | facts)
    assert found == Spec(3, 8, 8, images=5, condition=condition)


def test_a_kind_that_is_not_there_is_named():
    with pytest.raises(ConfigError, match="told mine.Temperature, which cannot be imported.*PYTHONPATH"):
        Spec.of(Spec(1, 8, 8, images=5).facts() | {"condition": {"_target_": "mine.Temperature"}})


@pytest.mark.parametrize("condition", [Angle(), *KINDS])
def test_labels_fit_what_the_condition_says_of_them(condition):
    labels = condition.stand_ins()
    condition.check(labels, torch.zeros(len(labels), 3, 8, 8, dtype=torch.uint8))
    batch = condition.input_batch(5)
    assert len(batch) == 5 and torch.equal(batch[:1], condition.as_input(labels[:1], torch.float32))
    reference = condition.reference_batch(Draws(("test",), 6, 0, 6, torch.device("cpu")))
    assert reference.shape == (6, *batch.shape[1:]) and reference.dtype == batch.dtype
    if not condition.has_source:
        assert condition.embedding(condition.concatenated_size)(batch).shape == (5, condition.concatenated_size)
        assert condition.parse(labels[:2]).shape == labels[:2].shape or condition == Angle()


FACES = Attributes(3, ("Male", "Smiling", "5_o_Clock_Shadow"))


def test_attributes_are_asked_for_and_captioned_by_name():
    assert FACES.parse(["Smiling", "5_o_Clock_Shadow+Male"]).tolist() == [[0, 1, 0], [1, 0, 1]]
    assert FACES.parse("Male + Smiling").tolist() == [[1, 1, 0]] == FACES.parse([1, 1, 0]).tolist()
    assert FACES.caption(torch.tensor([1.0, 0, 1])) == "Male + 5_o_Clock_Shadow"
    assert FACES.caption(torch.tensor([0.5, 0, 0])) == "0.5 Male" and FACES.caption(torch.zeros(3)) == "none"
    assert torch.equal(FACES.parse(FACES.caption(torch.tensor([1.0, 1, 1]))), torch.ones(1, 3))
    with pytest.raises(ConfigError, match=r"classes=\['male'\]: .* none is called male .nearest: Male"):
        FACES.parse(["male"])
    with pytest.raises(ConfigError, match="told 3 attributes, and no words"):
        Attributes(3).parse("Male")


def test_of_many_names_the_nearest_are_said():
    with pytest.raises(ConfigError, match=r"classes=lawnmower: .*0 to 99, or names .nearest: lawn_mower, \w+, \w+\)"):
        Classes(100, FINE_CLASSES).parse("lawnmower")


@pytest.mark.parametrize(
    ("one", "other", "agree"),
    [
        (Classes(2, ("cat", "dog")), Classes(2, ("cat", "dog")), True),
        (Classes(2, ("cat", "dog")), Classes(2, ("dog", "cat")), False),
        (Classes(2, ("cat", "dog")), Classes(2), True),  # of an older version
        (Classes(2), Classes(3), False),
        (FACES, Attributes(3), True),
        (FACES, Classes(3), False),
        (Words(("a",), 1), Words(("b",), 1), False),
    ],
)
def test_conditions_agree_if_their_labels_mean_the_same(one, other, agree):
    assert one.agrees_with(other) is other.agrees_with(one) is agree


NUMBERED = Classes(3, ("1", "10", "2"))  # folders as they are sorted


@pytest.mark.parametrize(
    ("asked", "typed", "numbers"),
    [
        ("2", 2, [2]),
        (["10", "1"], [10, 1], [1, 0]),
        ("0", 0, [0]),  # nothing is called so: the number of the class
        (["2", "0"], ["2", 0], [2, 0]),
        (["0", "1"], [0, 1], [0, 1]),  # not all are names: numbers, all of them
    ],
)
def test_classes_are_asked_for_by_name(asked, typed, numbers):
    """From Python texts are names; on a command line numbers may be, too."""
    assert NUMBERED.parse(asked).tolist() == NUMBERED.parse_typed(typed).tolist() == numbers
    assert Classes(11).parse_typed([10, 1]).tolist() == [10, 1]


def test_numbers_from_python_are_those_of_the_classes():
    assert NUMBERED.parse([1, 2]).tolist() == NUMBERED.parse(torch.tensor([1, 2])).tolist() == [1, 2]
    assert [NUMBERED.caption(torch.tensor(number)) for number in (1, -1)] == ["10", "-1"]
    assert NUMBERED.description == "3 classes (0: 1, 1: 10, 2: 2)"
    for given in ("wolf", ["1", "wolf"], 3, [], ["10", "0"], -1, [None, 2], [1e3, 2], [0.5]):
        with pytest.raises(ConfigError, match=r"classes=.*class numbers from 0 to 2, or names \(0: 1, 1: 10, 2: 2\)"):
            NUMBERED.parse(given)
    assert Classes(2, ("big, cat", "dog")).description == '2 classes (0: "big, cat", 1: dog)'
    for given in (-1, [None, 2], [1e3, 2], [2, "cat"]):
        with pytest.raises(ConfigError, match=r"classes=.*: expected class numbers from 0 to 9\.$"):
            Classes(10).parse_typed(given)
    with pytest.raises(ConfigError, match="expected as many, all different"):
        Classes(2, ("cat", "cat"))


OLD_FIELDS = {"classes", "attributes", "words", "length", "source", "source_classes"}
MAY_KNOW_KINDS = {"core/condition.py", "core/picture.py", "core/words.py", "core/spec.py"}


def branches(node: ast.AST) -> str | None:
    """Return how a piece of code asks for the kind of a condition; None: it does not."""
    if isinstance(node, ast.Attribute) and node.attr in OLD_FIELDS:
        owner = node.value.attr if isinstance(node.value, ast.Attribute) else getattr(node.value, "id", "")
        return f"{owner}.{node.attr}" if owner in ("spec", "condition") else None
    kinds = {type(kind).__name__ for kind in KINDS}
    if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("isinstance", "issubclass"):
        named = {name.id for name in ast.walk(node.args[1]) if isinstance(name, ast.Name)}
        return ast.unparse(node) if named & kinds and "condition" in ast.unparse(node.args[0]) else None
    return "match" if isinstance(node, ast.MatchClass) and getattr(node.cls, "id", "") in kinds else None


def test_nobody_asks_for_the_kind_of_a_condition():
    files = {str(file.relative_to(ROOT)): ast.parse(file.read_text()) for file in ROOT.rglob("*.py")}
    found = {
        (file, branch)
        for file, tree in files.items()
        if file not in MAY_KNOW_KINDS
        for node in ast.walk(tree)
        if (branch := branches(node))
    }
    assert not found
    assert any(map(branches, ast.walk(ast.parse("isinstance(spec.condition, Words)"))))
    assert any(map(branches, ast.walk(ast.parse("data.spec.words"))))
