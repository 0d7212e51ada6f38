"""Runs every command of the documentation pages, and records in scripts/results/commands.md when each last ran.

python scripts/pages.py                 # runs those that lack a record or failed, and the rest of their code blocks
python scripts/pages.py --all           # runs all of them: about a quarter of an hour on one core
python scripts/pages.py --only WORD     # runs those that contain WORD, and the rest of their code blocks

Commands run one after another, in the order of the pages, in a temporary directory. They are scaled down by words
that are added at their end (SCALED_DOWN). In place of outputs/MODEL-DATA/DATE_TIME stands a short run that is trained
for it. Pictures that commands expect are drawn (`draw_pictures`).
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

HOME = Path(__file__).parent.parent
RECORD_FILE = HOME / "scripts" / "results" / "commands.md"
PAGES = (
    "README.md",
    "configs/README.md",
    "genlab/README.md",
    "genlab/ARCHITECTURE.md",
    "scripts/results/README.md",
    ".github/CONTRIBUTING.md",
    ".github/SECURITY.md",
)
RECIPES = ".github/CONTRIBUTING.md"  # tests/test_contributing.py writes the files of this page and runs its commands
TRAIN = "python -m genlab.train"
PROGRAMS = {  # to start a command, by its first word
    "python": [sys.executable],
    "python3": [sys.executable],
    ".venv/bin/python": [sys.executable],
    "genlab": [sys.executable, "-m", "genlab"],
    "tensorboard": [sys.executable, "-m", "tensorboard.main"],
    "torchrun": [sys.executable, "-m", "torch.distributed.run"],
}
SCALED_DOWN = (  # (what a command matches, words added to it); the first match counts, no match adds nothing
    (r"dry_run=true|--cfg |--help|--table", ""),
    (r"genlab[. ]train resume=.*trainer\.images=", "trainer.images=400"),
    (r"genlab[. ]train resume=", ""),
    (r"optuna", "trainer.images=200 metrics.images=64 hydra.sweeper.n_trials=2"),
    (r"genlab[. ]train.*(metrics=none|vae_nll)", "trainer.images=200"),
    (r"genlab[. ]train.*stage_images", "trainer.images=200 metrics.images=64 trainer.stage_images=40"),
    (r"genlab[. ]train", "trainer.images=200 metrics.images=64"),
    (r"genlab[. ]evaluate", "images=200"),
    (r"genlab[. ]project", "steps=5 polish=2 restarts=1"),
    (r"genlab[. ]sample.*mode=save", "count=64"),
    (r"genlab[. ]sample.*mode=(interpolate|walk)", "mode.steps=2"),
    (r"^tensorboard", "--inspect"),
    (r"scripts/results\.py", "--only pca --jobs 1"),
    (r"scripts/quality\.py", "--samples 500 --seconds 2"),
    (r"scripts/benchmark\.py", "--workloads gan --rounds 2 --seconds 1"),
    (r"scripts/likelihood\.py", "--samples 5 --images 100"),
    (r"scripts/train_classifier\.py", "--epochs 1"),
    (r"scripts/soak\.py", "--systems gan --trials 2 --seconds 2"),
)
NOT_RUN = (  # (what a command matches, why it is not run here)
    (r"^pip install|^python -m pip", "changes the installation; CI installs `.[test]` on every change"),
    (r"pytest|^(bash )?\.ci/run", "runs the test suite, as CI does on every change"),
    (r"^pre-commit|^ruff|^git ", "a tool of development that changes the checkout; CI runs ruff on every change"),
    (r"scripts/pages\.py", "is this script"),
    (r"genlab completion", "is for a start-up file; tests/cli/test_completion.py runs it in each shell"),
    (r"submitit_slurm", "needs a Slurm cluster"),
    (r"ffhq\.pkl", "needs a file of NVIDIA's; tests/importing writes such files and runs the same commands"),
    (r"extractor=inception", "downloads the weights of Inception"),
    (r"callbacks=\[default,(wandb|mlflow)\]", "needs an account or a server, and packages of its own"),
)
NEEDED = (  # (what a command matches, the optional package it needs)
    (r"optuna", "hydra-optuna-sweeper"),
    (r"joblib", "hydra-joblib-launcher"),
    (r"format=onnx", "onnxscript"),
    (r"\.mp4", "imageio-ffmpeg"),
)


@dataclass(frozen=True)
class Command:
    text: str  # one line, as a reader types it
    page: str = field(compare=False)
    block: object = field(default_factory=object, compare=False)  # shared by the commands of one code block
    code: str | None = field(default=None, compare=False)  # of a Python block, whose `text` is its last line

    @property
    def arguments(self) -> list[str]:
        """Return the words after the last `&&`, as a shell splits them."""
        return shlex.split(self.text.rpartition(" && ")[2])

    @property
    def added_words(self) -> list[str]:
        added = next((words for pattern, words in SCALED_DOWN if re.search(pattern, self.text)), "")
        return [] if self.code else added.split()

    @property
    def reason_not_run(self) -> str | None:
        last = self.text.rpartition(" && ")[2]
        return next((reason for pattern, reason in NOT_RUN if re.search(pattern, last)), None)

    @property
    def missing_package(self) -> str | None:
        """Return the package that the command needs and that is not installed."""
        needed = [package for pattern, package in NEEDED if re.search(pattern, self.text)]
        return next((package for package in needed if not is_installed(package)), None)


def is_installed(package: str) -> bool:
    try:
        return bool(version(package))
    except PackageNotFoundError:
        return False


def replace_words(words: list[str], added: list[str]) -> list[str]:
    """Return a command's words with others, which take the place of those with the same key."""
    keys = {word.partition("=")[0] for word in added if "=" in word}
    return [word for word in words if word.partition("=")[0] not in keys] + added


# ---- the commands of a page


def read_pages() -> dict[str, str]:
    """Return the text of every page that exists."""
    return {page: (HOME / page).read_text(encoding="utf-8") for page in PAGES if (HOME / page).exists()}


def all_commands(pages: dict[str, str]) -> list[Command]:
    """Return each command once, in the order of the pages, but for those of the recipes."""
    run_here = {page: text for page, text in pages.items() if page != RECIPES}
    return list(dict.fromkeys(command for page, text in run_here.items() for command in commands_of(text, page)))


def commands_of(text: str, page: str) -> Iterator[Command]:
    """Yield the commands of code blocks, of the text around them, and of tables under a `python -m genlab.train ...`.

    Tables that scripts/results.py makes are left out: their records say when they ran.
    """
    text = re.sub(r"<!-- results: (\w+) -->.*?<!-- end: \1 -->", "", text, flags=re.DOTALL)
    for part, language, block in split_blocks(text):
        yield from (Command(line, page) for line in inline_commands(part))
        if language == "bash":
            shared = object()
            yield from (Command(line, page, shared) for line in shell_lines(block))
        elif language == "python" and not file_to_write(block):
            yield Command(block.strip().splitlines()[-1], page, code=block)


def split_blocks(text: str) -> Iterator[tuple[str, str, str]]:
    """Yield (text before a code block, the block's language, the block); the last block may be empty."""
    pieces = re.split(r"^```(\w*)\n(.*?)^```$", text, flags=re.DOTALL | re.MULTILINE)
    for start in range(0, len(pieces), 3):
        yield (*pieces[start : start + 3], "", "")[:3]


def shell_lines(block: str) -> Iterator[str]:
    """Yield the commands of a block without comments, continued lines as one."""
    for line in block.replace("\\\n", " ").splitlines():
        command = re.sub(r"(^|\s)#.*$", "", line).strip()
        if command:
            yield re.sub(r"\s+", " ", command)


def inline_commands(text: str) -> Iterator[str]:
    header: str | None = None  # of the table that a line is in: the words all its rows begin with
    for line in text.splitlines():
        spans = re.findall(r"`([^`]+)`", line)
        if not line.startswith("|"):
            header = None
        if spans and line.startswith(f"| `{TRAIN}") and spans[0].endswith("..."):
            header = spans[0].removesuffix("...").strip()
        elif header and line.startswith("| `"):
            yield f"{header} {spans[0]}"
        yield from (
            span for span in spans if span.split()[0] in (*PROGRAMS, "pip") and " " in span and "..." not in span
        )


def file_to_write(block: str) -> str | None:
    """Return the path that a block's first line names in a comment: such a block is a file to write."""
    found = re.match(r"# ([\w./-]+\.(?:py|yaml))\n", block)
    return found and found[1]


# ---- running them


def run(command: Command, folder: Path) -> tuple[int, float]:
    """Return the exit code and the seconds it took; what a failed command printed is shown."""
    words = ["python", "-c", command.code] if command.code else command.arguments
    words = [insert_run(word, folder) for word in words]
    began = time.monotonic()
    done = execute([*PROGRAMS[words[0]], *replace_words(words[1:], command.added_words)], folder)
    if done.returncode:
        print(done.stdout[-1500:] + done.stderr[-3000:], flush=True)
    return done.returncode, time.monotonic() - began


def execute(words: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"OMP_NUM_THREADS": "1", "GENLAB_CACHE": str(folder / "cache")}
    return subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True)


def insert_run(word: str, folder: Path) -> str:
    """Put a run in place of DATE_TIME: the newest of those that commands before made, else `model=MODEL data=DATA`."""
    found = re.search(r"outputs/([\w-]+)/DATE_TIME", word)
    if not found:
        return word
    parent = folder / "outputs" / found[1]
    if parent.is_dir():
        chosen = max(parent.iterdir(), key=lambda path: path.stat().st_mtime)
    else:
        chosen = train_run(parent, *found[1].split("-"))
    return word.replace(found[0], chosen.relative_to(folder).as_posix())


def train_run(parent: Path, model: str, data: str) -> Path:
    run_dir = parent / "plain"
    if not run_dir.is_dir():
        words = [
            f"model={model}",
            f"data={data}",
            "trainer.images=200",
            "metrics.images=64",
            f"hydra.run.dir={run_dir}",
        ]
        done = execute([sys.executable, "-m", "genlab.train", *words], parent.parents[1])
        assert done.returncode == 0, done.stderr
    return run_dir


def prepare(folder: Path, pages: dict[str, str]) -> None:
    """Write what the commands expect: scripts, pages, the files that pages show, and drawn pictures."""
    ignored = shutil.ignore_patterns("__pycache__", "pca-0.json")
    shutil.copytree(HOME / "scripts", folder / "scripts", ignore=ignored)
    shutil.copy(HOME / "README.md", folder)
    shutil.copytree(HOME / ".github", folder / ".github")
    for text in pages.values():
        for _, _, block in split_blocks(text):
            if path := file_to_write(block):
                (folder / path).parent.mkdir(parents=True, exist_ok=True)
                (folder / path).write_text(block, encoding="utf-8")
    draw_pictures(folder)


def draw_pictures(folder: Path) -> None:
    """Draw 400 coloured discs in ten classes of folders, as the folders PATH and FOLDER, three zips and seven.png."""
    import numpy as np
    from PIL import Image, ImageDraw

    source = np.random.default_rng(0)
    for number in range(400):
        image = Image.new("RGB", (64, 64), "white")
        left, top, *colour = source.integers(0, 30, 2).tolist() + source.integers(0, 200, 3).tolist()
        ImageDraw.Draw(image).ellipse((left, top, left + 33, top + 33), fill=tuple(colour))
        path = folder / "PATH" / f"class{number % 10}" / f"{number:x}f.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        image.save(path)
    (folder / "FOLDER").mkdir()
    for number in range(3):
        image.convert("L").resize((28, 28)).save(folder / "FOLDER" / f"{number}.png")
    image.convert("L").resize((28, 28)).save(folder / "seven.png")
    for name in ("emoji", "google", "twitter"):
        with zipfile.ZipFile(folder / f"{name}.zip", "w") as archive:
            for path in sorted((folder / "PATH").rglob("*.png")):
                archive.write(path, path.relative_to(folder / "PATH"))


# ---- the record

ROW = re.compile(r"^\| `(.+)` \| (\S+) \| (\d*) \| (\S*) \| (\S+) \| (.*) \|$", re.MULTILINE)


PAGE = """\
# When the commands of the pages last ran

`python scripts/pages.py` runs the commands of the documentation pages and writes this page. Commands run on one CPU
core in a temporary directory; the pictures that they read are drawn for them. They are scaled down, so that this record
shows that each command works as written, and nothing about results. Seconds are wall-clock time, on a machine that may
have done other work as well. Of a command that installs first, only the part after the last `&&` is run. The tables of
results have records of their own in this folder.

| command | page | exit | seconds | date | versions |
|---|---|---:|---:|---|---|
{rows}

## Not run

| command | reason |
|---|---|
{omitted}

## Scaled down

The first pattern that a command matches says what is added at its end.

| command | added |
|---|---|
{added}
"""


def read_record() -> dict[str, str]:
    """Return command -> its row, of the commands that ran and ended with 0."""
    text = RECORD_FILE.read_text(encoding="utf-8") if RECORD_FILE.exists() else ""
    return {found[1]: found[0] for found in ROW.finditer(text) if found[3] == "0"}


def record_row(command: Command, code: int, seconds: float) -> str:
    versions = f"Python {platform.python_version()}, torch {version('torch')}, hydra {version('hydra-core')}"
    return f"| `{command.text}` | {command.page} | {code} | {seconds:.0f} | {date.today()} | {versions} |"


def record_page(commands: list[Command], rows: dict[str, str]) -> str:
    """Return the page that says when each command last ran, and why some do not."""
    added = [f"| `{escape_cell(pattern)}` | {f'`{words}`' if words else 'nothing'} |" for pattern, words in SCALED_DOWN]
    left_out = [(command.text, reason) for command in commands if (reason := command.reason_not_run)]
    omitted = [f"| `{escape_cell(text)}` | {reason} |" for text, reason in left_out]
    return PAGE.format(
        rows="\n".join(rows[command.text] for command in commands if command.text in rows),
        omitted="\n".join(omitted),
        added="\n".join(added),
    )


def escape_cell(pattern: str) -> str:
    return pattern.replace("|", "\\|")


def main() -> int:
    options = parse_arguments()
    pages = read_pages()
    commands = all_commands(pages)
    rows = read_record()
    codes = [0]
    with tempfile.TemporaryDirectory(prefix="pages-") as name:
        prepare(Path(name), pages)
        for command in commands_to_run(commands, rows, options):
            code, seconds = run(command, Path(name))
            print(f"{code}  {seconds:5.1f} s  {command.text[:150]}", flush=True)
            rows[command.text] = record_row(command, code, seconds)
            RECORD_FILE.write_text(record_page(commands, rows), encoding="utf-8")
            codes.append(code)
    RECORD_FILE.write_text(record_page(commands, rows), encoding="utf-8")
    return min(max(codes), 1)


def commands_to_run(commands: list[Command], rows: dict[str, str], options: argparse.Namespace) -> list[Command]:
    """Return the commands to run, in whole blocks; those that lack a package are named and left out."""
    found = [command for command in commands if command.reason_not_run is None]
    if not options.all:
        wanted = (lambda text: options.only in text) if options.only else (lambda text: text not in rows)
        blocks = {command.block for command in found if wanted(command.text)}
        found = [command for command in found if command.block in blocks]
    for command in [command for command in found if command.missing_package]:
        print(f"not run, {command.missing_package} is not installed: {command.text}", flush=True)
        found.remove(command)
    return found


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--all", action="store_true", help="run all commands, also those with a record")
    parser.add_argument("--only", metavar="WORD", help="run the commands that contain it")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
