"""Each choice and key that a message of genlab names exists, and refusals before a run are mended as they say."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

import genlab
from genlab.cli import menu
from genlab.core.errors import ConfigError
from genlab.train import main
from tests.conftest import TINY, data_of, narrow, replace_words

GROUPS = (*menu.GROUPS, "experiment", "mode", "format", "features")
FILES = sorted(Path(genlab.__file__).parent.rglob("*.py"))
CHOICE = re.compile(rf"(?<![\w.])({'|'.join(GROUPS)})=\[?([a-z]\w*(?:,[a-z]\w*)*)(?![\w({{/.])")
KEY = re.compile(r"(?<![\w.])((?:data|model|trainer|penalty|loss|metrics|callbacks|mode|augment)(?:\.\w+)+)=")


@cache
def nodes():
    """Nodes of the trees of genlab's code, each with the file that it stands in."""
    return [(file.name, node) for file in FILES for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))]


def text_of(node) -> str:
    """A text in the code; what is filled in stands as `{}`."""
    if isinstance(node, ast.JoinedStr):
        return "".join(part.value if isinstance(part, ast.Constant) else "{}" for part in node.values)
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def test_every_choice_that_a_message_names_exists():
    found = [(file, *one) for file, node in nodes() for one in CHOICE.findall(text_of(node))]
    named = {(file, group, name) for file, group, names in found for name in names.split(",")}
    assert len(named) > 60
    assert not [one for one in named if one[2] not in (*menu.choices(one[1]), "null", "mine", "x")]


def test_every_key_that_a_message_names_is_an_argument():
    known = {node.arg for _, node in nodes() if isinstance(node, ast.arg)} | {"epochs", "_target_"}
    fields = [node.target for _, node in nodes() if isinstance(node, ast.AnnAssign)]
    known |= {target.id for target in fields if isinstance(target, ast.Name)}
    named = {(file, key) for file, node in nodes() for key in KEY.findall(text_of(node))}
    assert len(named) > 60
    assert not [one for one in named if one[1].rpartition(".")[2] not in known]


slow = pytest.mark.slow
REFUSED = [  # (words that are refused, a word of the message that mends it)
    (("model=gan", "penalty=[gradient_penalty]", "model.discriminator.norm=batch"), "model.discriminator.norm=layer"),
    (("model=wgan", "penalty=[gradient_penalty]"), "trainer.clip_weights=null"),
    (("model=gan", "loss=bernoulli"), "loss=non_saturating"),
    *(
        pytest.param(*case, marks=slow)
        for case in (
            (("model=vae", "loss=hinge"), "loss=bernoulli"),
            (("model=dcgan", "trainer=progressive"), "trainer=alternating"),
            (("model=gan", "trainer.batch_size=1"), "trainer.batch_size=2"),
            (
                ("model=infogan", "model.latent.categorical=[]", "model.latent.continuous=0"),
                "model.latent.continuous=2",
            ),
            (("model=pix2pix_hd", "augment=[diffaugment]"), "augment=[]"),
        )
    ),
]


@pytest.mark.parametrize(("words", "remedy"), REFUSED, ids=[str(index) for index in range(len(REFUSED))])
def test_a_refusal_before_a_run_is_mended_as_it_says(make_trainer, words, remedy):
    model = words[0].partition("=")[2]
    words = replace_words(narrow(model), *words)
    with pytest.raises(ConfigError) as caught:
        make_trainer(*words, data=data_of(model))
    assert remedy in str(caught.value)
    make_trainer(*replace_words(words, remedy), data=data_of(model))


@slow
def test_an_optimizer_of_other_players_is_refused_with_one_that_fits(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    words = ["model=vae", *narrow("vae"), *TINY, "data.limit=64", "dry_run=true"]
    assert main([*words, "optimizer=sgd"]) == 2
    (word,) = re.findall(r"'(optimizer\.[^']*)'", capsys.readouterr().err)
    assert main([*words, word]) == 0
