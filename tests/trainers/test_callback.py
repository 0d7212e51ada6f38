"""Callbacks see a small, stated part of the trainer."""

import ast
from pathlib import Path

import genlab.callbacks
from genlab.trainers.callback import Watched


def asked_of_trainers():
    """(file, attribute) of every `trainer.attribute` in a callback."""
    for file in Path(genlab.callbacks.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "trainer":
                yield file.name, node.attr


def test_callbacks_ask_for_what_is_stated_and_all_of_it_is_asked_for():
    asked = list(asked_of_trainers())
    stated = Watched.__annotations__.keys() | {name for name in vars(Watched) if not name.startswith("_")}
    assert {(file, name) for file, name in asked if name not in stated} == set()
    assert stated - {name for _, name in asked} == set()


def test_a_trainer_has_what_is_stated(make_trainer):
    trainer = make_trainer("model=gan", "model.generator.widths=[8]", "model.discriminator.widths=[8]")
    stated = Watched.__annotations__.keys() | {name for name in vars(Watched) if not name.startswith("_")}
    assert all(hasattr(trainer, name) for name in stated)
