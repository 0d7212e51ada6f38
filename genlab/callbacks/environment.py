"""What a run ran on: code, versions, machine."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genlab.trainers.callback import Callback

if TYPE_CHECKING:
    import torch

    from genlab.trainers.trainer import Trainer

PACKAGES = ("genlab", "torchvision", "numpy", "scipy", "hydra-core")


class Environment(Callback):
    """Writes `environment.json` into the run directory; a resumed run, `environment_<images>.json`."""

    def start(self, trainer: Trainer) -> None:
        name = f"environment_{trainer.resumed_from:09d}.json" if trainer.resumed_from else "environment.json"
        text = json.dumps(environment(trainer.device), indent=2) + "\n"
        (trainer.run_dir / name).write_text(text, encoding="utf-8")


def environment(device: torch.device) -> dict[str, Any]:
    import torch

    versions = {name: _version(name) for name in PACKAGES}
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


def git_revision(file: Path) -> dict[str, Any] | None:
    """Of the checkout that tracks `file`; None if none does: an installed package may lie in another project's."""
    if _git(file.parent, "ls-files", "--error-unmatch", file.name) is None:
        return None
    revision = _git(file.parent, "rev-parse", "HEAD")
    return {"revision": revision, "dirty": bool(_git(file.parent, "status", "--porcelain"))}


def device_name(device: torch.device) -> str:
    import torch

    return torch.cuda.get_device_name(device) if device.type == "cuda" else _cpu_name()


def _cpu_name() -> str:
    """Linux's own name for it: `platform.processor()` is empty there."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8", errors="replace").splitlines() if info.exists() else []
    names = (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or platform.machine())


def _git(folder: Path, *words: str) -> str | None:
    """What git printed; None where there is no git, or it says no."""
    try:
        done = subprocess.run(["git", *words], cwd=folder, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
