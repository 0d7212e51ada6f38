"""Paths as people have them: on command lines as they are, and in printed commands such that they can be pasted."""

import shlex
from itertools import cycle
from pathlib import Path

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import OmegaConf

from genlab import train
from genlab.build.paths import names_path
from genlab.build.targets import accepted_arguments, locate
from genlab.cli import composition, words
from genlab.cli.keys import KEYS
from genlab.cli.path_words import is_path_key, quote_paths
from genlab.core.command_words import as_override, path_word, typed_word
from genlab.core.errors import ConfigError
from genlab.core.trust import find_targets, trust_word
from tests.conftest import CONFIGS

NASTY = (
    *("my photos", " lead", "trail ", "two  spaces", "a (1)", "(a", "a)", "a=b", "=a", "a,b", ",", "[a]", "a[1", "{a}"),
    *("a{b", "a$b", "$HOME", "100%", "it's", 'say "a"', '"a"', "'a'", "a\\b", "a\\", "\\\\a", "-a", "-m", "~a", "ä犬"),
    *("a;b", "a&b", "a|b", "a#b", "!a", "a*", "a?", "a:b", "a@b", "^a", "`a`", "<a>", "1", "1e5", "1_0", "true", "nan"),
    *("tab\ta", "line\na", "e\u0301", "\U0001f600"),
)


def read(word: str, *, sweeps: bool = False):
    """Return the value that a word of a command line gives its key, as a config holds it."""
    (quoted,) = quote_paths([word], sweeps=sweeps)
    config = OmegaConf.create({"key": None})
    OmegaConf.update(config, "key", OverridesParser.create().parse_override(quoted).value())
    return OmegaConf.to_container(config, resolve=True)["key"]


def test_a_path_that_is_there_is_read_as_it_is_typed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    keys = cycle(("run", "resume", "data.root", "to", "hydra.run.dir", "metrics.extractor.weights"))
    for name in NASTY:
        Path(name).touch()
        for sweeps in (False, True):
            assert read(f"{next(keys)}={name}", sweeps=sweeps) == name
        assert read(f"{next(keys)}={tmp_path / name}") == str(tmp_path / name)
    new = [f"{name}.png" for name in NASTY]
    assert [read(f"to={name}") for name in new] == new


def test_printed_words_can_be_pasted_back(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in (*NASTY, "a${b}", "\\${a}", "~/a"):
        (pasted,) = shlex.split(path_word("resume", name))
        assert Path(read(pasted)) == Path(name)
        (pasted,) = shlex.split(typed_word("words", name))
        assert read(pasted) == name
    nested = {"a": [1, None, True, "x y"], "b": 1e-4}
    assert OverridesParser.create().parse_override(f"+key={as_override(nested)}").value() == nested
    assert shlex.split(trust_word({"model": {"_target_": "mypackage.Net"}})) == ["trust=[mypackage]"]


def test_lists_of_paths_and_sweeps_over_them(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("d,e.zip").touch()
    assert read("data.root=[a b.zip,c (1).zip]") == ["a b.zip", "c (1).zip"]
    assert read('data.root=[ä, d,e.zip ,"f,g"]') == ["ä", "d,e.zip", "f,g"]
    assert read("data.root=d,e.zip", sweeps=True) == "d,e.zip"
    for word, values in [
        ("data.root=a b,ä", ['"a b"', '"ä"']),
        ("data.root=[a b,c],[ä,d,e.zip]", ['["a b",c]', '["ä","d,e.zip"]']),
        ("init_from=choice(a,b)", ["a", "b"]),
        ("resume=x=1,null", ['"x=1"', "null"]),
    ]:
        (quoted,) = quote_paths([word], sweeps=True)
        assert list(OverridesParser.create().parse_override(quoted).sweep_string_iterator()) == values


def test_what_means_something_else_keeps_its_meaning(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    kept = ["to=null", "resume=auto", "seed=0,1", "words='a b'", "data.root=", "run=outputs/a/b"]
    assert quote_paths(kept, sweeps=True) == kept
    assert read("data.root=~/a b") == read("data.root='~/a b'") == f"{tmp_path}/a b"
    assert quote_paths(["hydra.run.dir=o p/${started:}"], sweeps=True) == ['hydra.run.dir="o p/${started:}"']
    assert words.split_flags(["--config-dir=~/a"]) == (["--config-dir", f"{tmp_path}/a"], [])
    (tmp_path / "a${b}").touch()
    with pytest.raises(ConfigError, match="Rename the file, or link to it"):
        quote_paths([f"data.root={tmp_path}/a${{b}}"], sweeps=False)


@pytest.mark.parametrize(
    ("program", "typed"),
    [
        ("sample", ["run", "to", "input", "data.root"]),
        ("evaluate", ["run", "data.root"]),
        ("project", ["run", "image", "to"]),
        ("export", ["run", "to"]),
        ("report", ["runs", "to"]),
    ],
)
def test_every_program_takes_such_paths(program, typed):
    needed = {"project": ["image=x"], "report": []}.get(program, [])
    path = "a (1)/ä=b, [c] {d} 'e"
    given = [f"{key}={path}" if key not in ("runs", "data.root") else f'{key}=["{path}"]' for key in typed]
    config = composition.compose(program, [*(word for word in needed if "image" not in typed), *given])
    for key in typed:
        value = config["data"]["root"] if key == "data.root" else config[key]
        assert value == (path if key not in ("runs", "data.root") else [path])


def test_every_argument_that_takes_a_path_is_a_path_key():
    nodes = [OmegaConf.to_container(OmegaConf.load(file)) for file in CONFIGS.rglob("*.yaml")]
    for target in {inner["_target_"] for _, inner in find_targets(nodes, "")} - {"???"}:
        hints = accepted_arguments(locate(target, "key"))
        assert not [name for name, hint in hints.items() if names_path(hint) and not is_path_key(f"data.{name}")], (
            target
        )
    for program, hints in KEYS.items():
        assert not [key for key, hint in hints.items() if names_path(hint) and not is_path_key(key)], program


def test_a_run_in_a_directory_of_any_name(tmp_path, monkeypatch, capsys):
    """Its own last line resumes it."""
    monkeypatch.chdir(tmp_path)
    run_dir, own = "Läufe (1)/a=b, it's [c]", Path("own = yaml")
    (own / "data").mkdir(parents=True)
    (own / "data/few.yaml").write_text("defaults: [mnist]\nlimit: 64\n")
    small = ["model=vae", "data=few", "trainer.device=cpu", "trainer.batch_size=32", "metrics=none"]
    flags = ["--config-dir", str(own)]
    assert train.main([*flags, *small, "trainer.images=64", f"hydra.run.dir={run_dir}"]) == 0
    line = next(line for line in capsys.readouterr().out.splitlines() if "resume=" in line)
    (resume,) = [word for word in shlex.split(line) if word.startswith("resume=")]
    assert read(resume) == run_dir
    assert train.main([resume]) == 0
