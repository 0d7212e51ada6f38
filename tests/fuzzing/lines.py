"""Command lines to try: a small valid one of a program, with one nasty word added."""

from dataclasses import dataclass
from functools import cache
from typing import Any

from hypothesis import strategies as st
from omegaconf import OmegaConf

from genlab.cli import menu
from genlab.cli.composition import CONFIGS, load_config
from tests.conftest import choices, composed, narrow

SMALL = (
    "data.size=8", "data.limit=64", "trainer.images=64", "trainer.batch_size=8", "trainer.device=cpu",
    "metrics/extractor=pixels", "metrics.images=32", "dry_run=true",
)  # fmt: skip
SMALL_POINTS = ("data.points=64", "data.test_points=64", "metrics=points", "metrics/extractor=points")
QUICK_MODELS = ("gan", "vae", "pca")
POINT_SETS = ("ring8", "grid25", "swiss_roll", "two_moons", "blobs")
FREE_GROUPS = ("loss", "penalty", "augment", "optimizer", "trainer", "metrics", "callbacks", "data")
PROGRAMS = {  # the groups of each program beside `train`, and words that it needs; RUN stands for a run's directory
    "evaluate": (("metrics", "data"), (
        "run=RUN", "metrics=kid", "metrics/extractor=pixels", "images=16", "device=cpu",
    )),
    "sample": (("mode",), ("run=RUN", "device=cpu", "batch_size=8")),
    "project": (("features",), (
        "run=RUN", "image=RUN/image.png", "device=cpu", "steps=1", "restarts=1", "candidates=1", "polish=0",
        "snapshots=2",
    )),
    "export": (("format",), ("run=RUN",)),
    "report": ((), ("runs=RUN",)),
}  # fmt: skip

NUMBERS = ("1e26", "-1", "0", "nan", "inf", "-inf", "1.5", "1e9", "9999999999999999999999", "1e-400", "3")
TEXTS = (
    *("yes", "x", "'a b'", "''", "no", "/dev/null/x", "nowhere/at/all", "../..", "ünï", "a=b", "犬", "auto", "null x"),
)
BROKEN = (
    *("[", "]", "{", "}", "'", '"', "[1", "{a", "a,b", "1,2", "(", "\\", "${", "${oops}", "${oc.env:HOME}", "${a"),
    *("${x:1}", "a: b", "glob(*)", "range(3)", "choice(1,2)", "shuffle(1)", "???", "%", "#", "-", "--x", "="),
)
SHAPES = ("", "null", "[]", "{}", "[1,2]", "{a: 1}", "{0: 1}", "[[]]", "[null]", "{_target_: 3}", "true", "false")
TARGETS = (
    *("builtins.int", "genlab.losses.Hinge", "genlab.trainers.EMA", "genlab.nowhere", "os", "torch.nn.Linear", "3"),
    *("null", "torch.optim.Adam", "genlab.data.InMemory", "genlab", "x..y", "genlab.core.errors.ConfigError"),
)
VALUES = (*NUMBERS, *TEXTS, *BROKEN, *SHAPES)


@dataclass(frozen=True)
class Line:
    program: str
    base: tuple[str, ...]  # words that are valid
    word: str  # the one under trial
    key: str = ""  # that the word sets, if that is clear
    before: Any = None  # the value of that key in the base; MISSING: a new key

    @property
    def is_sound(self) -> bool:
        """Return whether the base is known to be valid: no choices are mixed."""
        return not any(word.startswith(tuple(f"{group}=" for group in FREE_GROUPS)) for word in self.base)

    @property
    def words(self) -> list[str]:
        key = self.word.removeprefix("++").partition("=")[0]
        return [*(word for word in self.base if word.partition("=")[0] != key), self.word]

    def __str__(self) -> str:
        return f"{self.program} {' '.join(self.words)}"


MISSING = object()


@cache
def system(model: str) -> tuple[str, ...]:
    """Words of a system so small that a dry run takes moments."""
    return (f"model={model}", *narrow(model), *SMALL)


@cache
def config_of(program: str, words: tuple[str, ...]) -> dict[str, Any]:
    if program == "train":
        return composed(*words)
    config = load_config(list(words), {"config_path": CONFIGS, "config_name": program})
    return OmegaConf.to_container(config)


def leaves(node: Any, key: str = "") -> list[tuple[str, Any]]:
    """Return every key of a config with its value, mappings themselves among them."""
    found = [(key, node)] if key else []
    if isinstance(node, dict):
        for name, value in node.items():
            if str(name).replace("_", "").isalnum() and not str(name).isdigit():
                found += leaves(value, f"{key}.{name}" if key else str(name))
    return found


@st.composite
def bases(draw: st.DrawFn, models: tuple[str, ...]) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    """Return a program, its groups and a valid command line; of training sometimes one with another choice."""
    program = draw(st.sampled_from(("train",) * 8 + tuple(PROGRAMS)))
    if program != "train":
        groups, words = PROGRAMS[program]
        if program == "sample":
            words = (*words, f"mode={draw(st.sampled_from(choices('mode')))}")
        return program, groups, words
    words = system(draw(st.sampled_from(models)))
    if draw(st.integers(0, 3)) == 0:
        group = draw(st.sampled_from(FREE_GROUPS))
        choice = draw(st.sampled_from(choices(group)))
        words = (*words, f"{group}=[{choice}]" if group in ("penalty", "augment", "metrics") else f"{group}={choice}")
        if choice in POINT_SETS:
            words = tuple(word for word in words if not word.startswith(("data.", "metrics"))) + SMALL_POINTS
    return program, menu.GROUPS, words


@st.composite
def lines(draw: st.DrawFn, models: tuple[str, ...] = QUICK_MODELS) -> Line:
    """Return a command line with one word that sets, adds, removes or misspells something."""
    program, groups, base = draw(bases(models))
    try:
        config = config_of(program, base)
    except Exception:  # two choices that do not go together: the plain line is the trial
        return Line(program, base[:-1], base[-1])
    key, before = draw(st.sampled_from(leaves(config)))
    kind = draw(st.sampled_from(("set",) * 10 + ("new", "new top", "group", "remove", "add", "bare")))
    value = draw(st.sampled_from(TARGETS if key.endswith("_target_") else VALUES))
    match kind:
        case "set":
            return Line(program, base, f"{key}={value}", key, before)
        case "add":
            return Line(program, base, f"+{key}={value}", key, before)
        case "new":
            parent = key if isinstance(before, dict) else key.rpartition(".")[0]
            new = f"{parent}.fuzz" if parent else "fuzz"
            return Line(program, base, f"{draw(st.sampled_from(('', '+', '++')))}{new}={value}", new, MISSING)
        case "new top":
            return Line(program, base, f"{draw(st.sampled_from(('', '+', '++')))}fuzz={value}", "fuzz", MISSING)
        case "group":
            group = draw(st.sampled_from(groups or ("runs",)))
            return Line(program, base, f"{group}={value}", group, {})
        case "remove":
            return Line(program, base, f"~{key}")
        case _:
            return Line(program, base, draw(st.sampled_from((key, value, f"--{key}", f"-{key}={value}", f"={value}"))))
