"""A record of the code, versions and machine that a run used."""

import json
import os
import platform
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import torch

from genlab.core.changes import walk_keys
from genlab.core.json_files import read_object
from genlab.core.whole_files import write_atomically
from genlab.trainers.callback import Callback
from genlab.trainers.trainer import Trainer

PACKAGES = ("genlab", "torchvision", "numpy", "scipy", "hydra-core")


class Environment(Callback):
    """Writes `environment.json` into the run directory; a resumed run, `environment_<images>.json`."""

    def start(self, trainer: Trainer) -> None:
        name = f"environment_{trainer.resumed_from:09d}.json" if trainer.resumed_from else "environment.json"
        text = json.dumps(describe_environment(trainer.device), indent=2) + "\n"
        write_atomically(trainer.run_dir / name, text.encode())


def describe_environment(device: torch.device) -> dict[str, Any]:
    versions = {name: _installed_version(name) for name in PACKAGES}
    return {
        "git": git_revision(Path(__file__).resolve()),
        "versions": {"python": platform.python_version(), "torch": torch.__version__} | versions,
        "cuda": torch.version.cuda,
        "cudnn": torch.backends.cudnn.version(),
        "device": str(device),
        "device_name": device_name(device),
        "cpus": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "platform": platform.platform(),
        "command": sys.argv,
    }


def differences_from_start(trainer: Trainer) -> list[str]:
    """Say in what a resumed run computes otherwise than it began, which changes the last bits of its results."""
    before = walk_keys(read_object(trainer.run_dir / "environment.json"), "") if trainer.resumed_from else ()
    now: dict[str, Any] = {"versions.torch": torch.__version__, "device_name": device_name(trainer.device)}
    if trainer.device.type == "cpu":
        now["threads"] = torch.get_num_threads()
    found = {key: value for key, value in before if value != now.get(key, value)}
    remedies = {"threads": f"; for these begin the command with OMP_NUM_THREADS={found.get('threads')}"}
    cost = "The run goes on, but not to the bits of one that was never stopped"
    return [
        f"{key}: {now[key]}, and {old} when the run began. {cost}{remedies.get(key, '')}." for key, old in found.items()
    ]


def git_revision(file: Path) -> dict[str, Any] | None:
    """Return the revision of the checkout that tracks `file`; None if none does, as in another project's checkout."""
    if _run_git(file.parent, "ls-files", "--error-unmatch", file.name) is None:
        return None
    revision = _run_git(file.parent, "rev-parse", "HEAD")
    return {"revision": revision, "dirty": bool(_run_git(file.parent, "status", "--porcelain"))}


def device_name(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else _cpu_name()


def _cpu_name() -> str:
    """Return Linux's own name of the processor, where `platform.processor()` is empty."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8", errors="replace").splitlines() if info.exists() else []
    names = (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or platform.machine())


def _run_git(folder: Path, *words: str) -> str | None:
    """Return the output of a git command; None without git, or if it fails."""
    try:
        done = subprocess.run(["git", *words], cwd=folder, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


def _installed_version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
