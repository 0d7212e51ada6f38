"""The house rules: imports point one way, a room knows only its own business, and code knows no names of choices."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from itertools import groupby
from pathlib import Path

import pytest
import yaml

import genlab

ROOT = Path(genlab.__file__).parent
CONFIGS = ROOT.parent / "configs"

CONTRACT = {"models.contract", "models.latent_contract", "models.layer_contract"}  # one room: all known of models
# Every room, and what it may import besides itself: rooms further up alone, so that no arrows make a circle. Of a room
# that is divided the name alone stands for its loose files, and NAME.__init__ for its door, where others find classes.
ROOMS: dict[str, set[str]] = {
    "configs": set(),
    "core": set(),
    "pictures": {"core"},
    "models.contract": {"core"},
    "models": {"core"},
    "models.layers": {"core", "models", "models.contract"},
    "models.adversarial": {"core", "models", "models.contract", "models.layers"},
    "models.style_based": {"core", "models.layers", "models.adversarial"},
    "models.translation": {"core", "models", "models.contract", "models.layers", "models.adversarial"},
    "models.autoencoders": {"core", "models", "models.contract", "models.layers"},
    "models.__init__": {"models", "models.adversarial", "models.autoencoders"},
    "losses": {"core", "models.contract"},
    "data": {"core", "pictures"},
    "data.augment": {"core"},
    "data.storage": {"core", "data"},
    "data.labels": {"core", "data", "data.storage"},
    "data.sets": {"core", "data", "data.storage", "data.labels"},
    "data.__init__": {"core", "data", "data.labels", "data.sets"},
    "metrics.extractors": {"core", "data"},
    "metrics.references": {"core", "data", "data.storage", "data.sets", "metrics.extractors"},
    "metrics": {"core", "models.contract", "data", "metrics.extractors", "metrics.references"},
    "metrics.scores": {
        *("core", "models", "models.contract", "data.sets", "data.__init__"),
        *("metrics", "metrics.extractors", "metrics.references"),
    },
    "metrics.__init__": {"metrics", "metrics.extractors", "metrics.references", "metrics.scores"},
    "trainers": {"core", "models.contract", "losses", "data", "data.augment", "data.__init__"},
    "callbacks": {"core", "pictures", "models.contract", "data", "metrics", "metrics.extractors", "trainers"},
    "sampling": {
        *("core", "pictures", "models.contract", "data", "data.storage"),
        *("metrics.extractors", "metrics.references", "trainers"),
    },
    "projecting": {"core", "models.contract", "data.storage", "metrics.extractors", "trainers"},
    "reports": {"core"},
    "importing": {"core"},
    "build": {
        *("core", "models.contract", "losses", "data", "data.augment", "data.__init__", "trainers", "callbacks"),
        "importing",
    },
    "exporting": {"configs", "core", "data", "trainers", "build"},
    "choosing": {"core", "data.labels", "data.storage"},
    "cli": {
        "configs",
        "core",
        "data.__init__",
        "trainers",
        "callbacks",
        "sampling",
        "reports",
        "build",
        "choosing",
        "importing",
    },
    "entry points": {
        *("core", "pictures", "data.__init__", "metrics", "metrics.extractors", "trainers", "callbacks"),
        *("sampling", "projecting", "reports", "build", "exporting", "cli"),
    },
}
KNOW_HYDRA = {"build", "cli", "entry points"}


@cache
def modules() -> dict[str, ast.Module]:
    """Of every file in the package its dotted path below genlab, and its tree."""
    files = {".".join(file.relative_to(ROOT).with_suffix("").parts): file for file in sorted(ROOT.rglob("*.py"))}
    return {module: ast.parse(file.read_text(encoding="utf-8")) for module, file in files.items()}


def imports() -> Iterator[tuple[str, str]]:
    """(dotted path of a file, what it imports) of every import statement, those for type checkers too."""
    for module, tree in modules().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                yield from ((module, alias.name) for alias in node.names)
            if isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{module}: a relative import"
                for alias in node.names:
                    inner = f"{node.module}.{alias.name}"
                    own = inner.startswith("genlab.") and not is_module(inner)
                    yield module, node.module if own else inner


def test_every_package_is_installed():
    """A package that pyproject.toml leaves out works from the repository, and is missing from a wheel."""
    listed = set(re.findall(r'"(genlab[.\w]*)"', read_list("packages")))
    folders = {"genlab": ROOT, "genlab.configs": ROOT.parent / "configs"}
    found = {
        ".".join((name, *file.parent.relative_to(folder).parts))
        for name, folder in folders.items()
        for file in folder.rglob("__init__.py")
    }
    assert listed == found


def read_list(key: str) -> str:
    """Return a list of pyproject.toml as its text; Python 3.10 has no reader of TOML."""
    text = (ROOT.parent / "pyproject.toml").read_text(encoding="utf-8")
    return text.partition(f"\n{key} = [")[2].partition("]")[0]


def is_module(name: str) -> bool:
    """Whether it names a file or folder of genlab; `genlab.configs` lies elsewhere."""
    path = ROOT.parent / name.replace(".", "/")
    return name == "genlab.configs" or path.is_dir() or path.with_suffix(".py").exists()


def room_of(module: str) -> str:
    """`data.sets.mnist` -> data.sets, `data.stream` -> data, `data` -> data.__init__, `train` -> entry points."""
    parts = module.split(".")
    if (ROOT / f"{parts[0]}.py").exists():
        return "entry points"
    divided = f"{parts[0]}.__init__" in ROOMS
    if module in CONTRACT:
        return "models.contract"
    names = [module, ".".join(parts[:2]), parts[0]]
    if divided and len(parts) == 1:
        return f"{parts[0]}.__init__"
    return next(name for name in names if name in ROOMS)


def arrows() -> dict[tuple[str, str], str]:
    """(room, another that it imports) -> one of the files that do."""
    inside = ((module, name.removeprefix("genlab.")) for module, name in imports() if name.startswith("genlab."))
    found = {(room_of(module), room_of(name)): f"{module} imports {name}" for module, name in inside}
    return {(room, other): file for (room, other), file in found.items() if room != other}


def test_imports_point_one_way():
    for (room, other), file in arrows().items():
        assert other in ROOMS[room], file


def test_rooms_import_only_rooms_above_them():
    """Then there are no circles; nor between whole rooms, whose parts stand together."""
    above: set[str] = set()
    for room, allowed in ROOMS.items():
        assert allowed <= above, f"{room}: {allowed - above}"
        above.add(room)
    whole = [name for name, _ in groupby(room.split(".")[0] for room in ROOMS)]
    assert len(whole) == len(set(whole))


def test_no_arrow_is_allowed_that_nobody_needs():
    assert {(room, other) for room, allowed in ROOMS.items() for other in allowed} == set(arrows())


def test_only_the_builder_and_the_command_line_know_hydra():
    users = {room_of(module) for module, name in imports() if name.split(".")[0] in ("hydra", "omegaconf")}
    assert users == KNOW_HYDRA


def test_only_distributed_knows_torch_distributed():
    assert {module for module, name in imports() if name.startswith("torch.distributed")} == {"core.distributed"}


# Names of choices

GROUPS = ("data", "model", "loss", "penalty", "augment", "optimizer", "trainer", "metrics", "callbacks")
LISTS = {"penalty": (), "augment": (), "callbacks": (), "metrics": ("metrics",)}  # where a file's objects have names
HOLDERS = {"callbacks", "penalties", "augmentations", "metrics", "config", "optimizers"}  # of a run's choices, by name
ASKING = {"get", "pop", "setdefault"}
MATCHING = {"startswith", "endswith", "removeprefix", "removesuffix", "count", "index", "find"}
SAME_WORD = {  # file -> names that it compares, and why these are no choices of the menu there
    "reports.run_pictures": {"reconstructions"},  # a folder of a run directory, which a callback of that name writes
    # Records of older runs do not say which way is better: this table, to which nothing need be added, does.
    "reports.score_records": {
        *("accuracy", "balanced_accuracy", "classifier_score", "described", "inception_score", "modes"),
    },
    # Values of an argument of their own: they choose nothing that is chosen elsewhere.
    "data.sets.grey_sets": {"mnist"},  # a part of EMNIST
    "data.tasks": {"denoising"},
    "losses.mmd": {"gaussian"},
    "losses.relativistic": {"hinge", "least_squares"},
    "metrics.scores.ppl": {"full"},
    "callbacks.health": {"health"},  # the beginning of the names of its own curves
}


def read(file: Path) -> dict:
    return yaml.safe_load(file.read_text(encoding="utf-8")) or {}


@cache
def names_of_choices() -> set[str]:
    """Of files of the menu, and of objects in them."""
    found = {"scores"}  # what build calls the chosen metrics' callback
    for group in GROUPS:
        for file in (CONFIGS / group).glob("*.yaml"):
            node = read(file)
            for key in LISTS.get(group, ("nothing",)):
                node = node.get(key) or {}
            found |= {file.stem, *(node if group in LISTS else ())}
    players = {key for file in (CONFIGS / "optimizer").glob("*.yaml") for key in read(file)}
    settings = {key for file in CONFIGS.glob("*.yaml") for key in read(file)}
    return found - players - settings - {"defaults", "none"}  # `none`: nothing is chosen, and nothing has a name


def strings(node: ast.AST | None) -> Iterator[str]:
    """Constants that a display or a joined one holds, keys of dictionaries among them."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, (ast.Tuple, ast.List, ast.Set, ast.Dict, ast.Starred, ast.BinOp, ast.IfExp)):
        for child in ast.iter_child_nodes(node):
            yield from strings(child)
    elif isinstance(node, ast.Call) and ast.unparse(node.func) in ("frozenset", "set", "dict"):
        for argument in node.args:
            yield from strings(argument)


def compared(tree: ast.Module) -> Iterator[str]:
    """Strings that decide something: compared, matched, looked up among a run's choices, or in a table of constants."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare):
            yield from (text for side in (node.left, *node.comparators) for text in strings(side))
        elif isinstance(node, ast.MatchValue):
            yield from strings(node.value)
        elif isinstance(node, ast.Subscript) and holds_choices(node.value):
            yield from strings(node.slice)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            asked, arguments = node.func.value, (node.func.value, *node.args)
            asks = node.func.attr in ASKING and (holds_choices(asked) or isinstance(asked, ast.Dict))
            if asks or node.func.attr in MATCHING:
                yield from (text for argument in arguments for text in strings(argument))
        elif isinstance(node, (ast.Module, ast.ClassDef)):
            yield from (text for statement in node.body for text in table(statement))


def holds_choices(node: ast.AST) -> bool:
    name = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
    return name in HOLDERS


def table(statement: ast.stmt) -> Iterator[str]:
    """Strings of `NAME = (...)` in a module or class; not of `a, b = "a", "b"`, nor names of what it gives."""
    if not isinstance(statement, (ast.Assign, ast.AnnAssign)):
        return
    target = statement.targets[0] if isinstance(statement, ast.Assign) else statement.target
    own = isinstance(target, ast.Name) and target.id not in ("__all__", "numbers", "opposite")
    if own and isinstance(statement.value, (ast.Tuple, ast.List, ast.Set, ast.Dict, ast.Call)):
        yield from strings(statement.value)


def known_names(tree: ast.Module) -> set[str]:
    parts = {part for text in compared(tree) for part in text.split("/")}
    return parts & names_of_choices()


def test_no_name_of_a_choice_is_compared_in_code():
    found = {module: known_names(tree) for module, tree in modules().items()}
    assert {module: names for module, names in found.items() if names} == SAME_WORD


@pytest.mark.parametrize(
    "code",
    [
        'if model == "wgan_gp": pass',
        'if name in ("fid", "kid"): pass',
        'if name.startswith(("fid", "kid")): pass',
        'FALLING = ("fid", "kid")',
        'MONITORS = {"x": "score/fid"}',
        'CHECKS = {"wasserstein": check}',
        'scores = trainer.callbacks.get("scores")',
        'trainer.callbacks["health"].found',
        'trainer.penalties.pop("r1")',
        'if "class_coverage" not in names: pass',
        'sign = {"inception_score": 1}.get(name, -1)',
        'match name:\n    case "adam_fast": pass',
        'class Rule:\n    models = {"pix2pix"}',
    ],
)
def test_every_way_to_compare_a_name_is_found(code):
    assert known_names(ast.parse(code))


@pytest.mark.parametrize(
    "code",
    [
        'if player == "discriminator": pass',
        'raise ConfigError("choose model=wgan_gp")',
        'def compute(self):\n    return {"fid": distance}',
        'settings["checkpoint"]',
    ],
)
def test_what_is_no_comparison_of_a_name_is_left_alone(code):
    assert not known_names(ast.parse(code))


def test_no_object_is_asked_for_its_config_by_key():
    """A key that is renamed would end what reads it silently: objects say what they are."""
    for module, tree in modules().items():
        reads = [node.value for node in ast.walk(tree) if isinstance(node, ast.Subscript)]
        reads += [node.value for node in ast.walk(tree) if isinstance(node, ast.Attribute) and node.attr in ASKING]
        found = [node for node in reads if isinstance(node, ast.Attribute) and node.attr == "config"]
        assert not found or room_of(module) == "reports", module  # reports read what was saved, and build no objects


# What is loaded when


def loaded_by(code):
    script = f"import sys\n{code}\nprint(' '.join(sys.modules))"
    return set(
        subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    )


def test_help_loads_neither_torch_nor_hydra():
    loaded = loaded_by("from genlab.train import main; main(['--help'])")
    assert not {"torch", "hydra", "numpy"} & loaded


def test_building_blocks_do_not_load_what_is_slow_to_load():
    loaded = loaded_by("import genlab.cli.job")
    assert not {"torchvision", "tensorboard", "scipy", "torch_fidelity", "PIL", "rich"} & loaded
