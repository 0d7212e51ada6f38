"""The house rules: imports point one way, a room knows only its own business."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import genlab

ROOT = Path(genlab.__file__).parent
CONTRACT = {"models.contract", "models.latent_contract", "models.layer_contract"}  # all that is known of models
MAY_IMPORT = {
    "core": set(),
    "models": {"core"},
    "losses": {"core", *CONTRACT},
    "data": {"core"},
    "pictures": {"core"},
    "metrics": {"core", "data", "pictures", *CONTRACT},
    "trainers": {"core", "losses", "data", "pictures", *CONTRACT},
    "sampling": {"core", "data", "metrics", "trainers", "callbacks", "pictures", *CONTRACT},
    "projecting": {"core", "data", "metrics", "trainers", "pictures", *CONTRACT},
    "callbacks": {"core", "data", "metrics", "trainers", "pictures", "build.advice", *CONTRACT},
}
OUTSIDE_OF_BUILD = {"hydra", "omegaconf"}


def imports():
    """(file, its room, what it imports) of every import statement in the package."""
    for file in ROOT.rglob("*.py"):
        parts = file.relative_to(ROOT).with_suffix("").parts
        for node in ast.walk(ast.parse(file.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module:
                names = [node.module] if node.module != "genlab" else [f"genlab.{alias.name}" for alias in node.names]
            for name in names:
                yield "/".join(parts), parts[0], name


def test_imports_point_one_way():
    for file, room, name in imports():
        if room not in MAY_IMPORT or not name.startswith("genlab."):
            continue
        inner = name.removeprefix("genlab.")
        allowed = MAY_IMPORT[room] | {room}
        assert inner.split(".")[0] in allowed or inner in allowed, f"{file} imports {name}"


def test_the_trainer_looks_at_no_particular_callback():
    found = {name for _, room, name in imports() if room == "trainers" and name.startswith("genlab.callbacks")}
    assert found <= {"genlab.trainers.callback"}


def test_only_the_builder_and_the_entry_points_know_hydra():
    users = {file for file, _, name in imports() if name.split(".")[0] in OUTSIDE_OF_BUILD}
    assert users <= {
        "build/instantiate",
        "build/runs",
        "cli/composition",
        "cli/hydra_callback",
        "cli/job",
        "sample",
        "train",
    }


def test_only_distributed_knows_torch_distributed():
    users = {file for file, _, name in imports() if name.startswith("torch.distributed")}
    assert users <= {"core/distributed"}


def test_no_name_of_a_choice_is_compared_in_code():
    names = "|".join(path.stem for group in ("model", "loss", "penalty") for path in choices(group))
    for file in ROOT.rglob("*.py"):
        assert not re.search(rf"""[!=]=\s*["']({names})["']""", file.read_text()), file


def choices(group):
    return sorted((ROOT.parent / "configs" / group).glob("*.yaml"))


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
