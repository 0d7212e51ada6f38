"""Commands of genlab in children of a process that has loaded it: a new Python would load torch for seconds each."""

import multiprocessing
import os
import subprocess
import sys
import tempfile
from importlib import import_module
from pathlib import Path

FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["genlab.cli.job", "torch._dynamo", "torch.utils.tensorboard"])


def run_command(*words: str, cwd: Path, module: str = "genlab.train", timeout: float = 300):
    """Run `python -m MODULE WORDS` in a folder, with this environment, and return what subprocess.run would."""
    with tempfile.TemporaryDirectory() as folder:
        printed = [Path(folder, name) for name in ("stdout", "stderr")]
        child = FORKS.Process(target=_call_main, args=(module, words, cwd, dict(os.environ), printed))
        child.start()
        child.join(timeout)
        if child.is_alive():
            child.kill()
            raise subprocess.TimeoutExpired([module, *words], timeout)
        return subprocess.CompletedProcess([module, *words], child.exitcode, *(path.read_text() for path in printed))


def _call_main(
    module: str, words: tuple[str, ...], cwd: Path, environment: dict[str, str], printed: list[Path]
) -> None:
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(environment)
    for stream, path in enumerate(printed, 1):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT), stream)
    sys.path[0] = str(cwd)  # as `python -m` has it
    sys.exit(import_module(module).main(list(words)))
