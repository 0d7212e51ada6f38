"""Runs command lines in this process, each of which takes moments."""

import contextlib
import copy
import io
import os
import time
import traceback
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path

from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra._internal.hydra import Hydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from omegaconf import open_dict
from PIL import Image

from genlab import train
from genlab.cli import command
from genlab.data.dataset import Split
from genlab.data.sets import mnist
from tests.conftest import narrow, saved
from tests.fuzzing.lines import Line
from tests.fuzzing.verdict import End

DIGITS = 200  # of MNIST's, of each split


def make_run(folder: Path) -> Path:
    """Write a tiny trained run with a picture beside its checkpoints."""
    run = saved(folder, "model=cgan", *narrow("cgan"), "data.size=8", "data.limit=64", data=None).run_dir
    Image.new("L", (8, 8), 128).save(run / "image.png")
    return run


def end_of(line: Line, run: Path, folder: Path) -> End:
    """Run a command line in a folder; RUN in its words is the directory of a trained run."""
    words = [word.replace("RUN", str(run)) for word in line.words]
    began, said = time.monotonic(), io.StringIO()
    with working_directory(folder), contextlib.redirect_stderr(said), contextlib.redirect_stdout(io.StringIO()):
        try:
            code = call(line.program, words)
        except SystemExit as error:
            return End(None, f"{said.getvalue()}\nSystemExit: {error.code}", time.monotonic() - began)
        except BaseException:
            return End(None, traceback.format_exc(), time.monotonic() - began)
    return End(code, said.getvalue(), time.monotonic() - began)


@contextlib.contextmanager
def working_directory(folder: Path) -> Iterator[None]:
    before = os.getcwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def call(program: str, words: list[str]) -> int:
    if program == "train":
        return train.main(words)
    module = import_module(f"genlab.{program}")
    return command.main(program, module.USAGE, module.job, words)


@contextlib.contextmanager
def fast_loading() -> Iterator[None]:
    """Compose the words before the last one once, and read few digits once.

    What the last word does to the config is done by Hydra's own functions; a word that chooses from a group, or that
    cannot be parsed, is composed as always.
    """
    compose, mode, read = ConfigLoaderImpl._load_configuration_impl, Hydra.get_mode, mnist.read_split
    known = {}

    def compose_last(self, config_name, overrides, run_mode, **options):
        def whole(words):
            return compose(self, config_name=config_name, overrides=words, run_mode=run_mode, **options)

        last = value_override(overrides[-1:])
        if last is None or self.repository.group_exists(last.key_or_group):
            return whole(overrides)
        key = (config_name, run_mode, *overrides[:-1])
        config = copy.deepcopy(known[key] if key in known else known.setdefault(key, whole(overrides[:-1])))
        ConfigLoaderImpl._apply_overrides_to_config([last], config)
        with open_dict(config.hydra):
            config.hydra.overrides["hydra" if last.is_hydra_override() else "task"].append(last.input_line)
        return config

    @cache
    def read_few(folder, prefix):
        split = read(folder, prefix)
        return Split(split.images[:DIGITS].clone(), split.labels[:DIGITS].clone())

    ConfigLoaderImpl._load_configuration_impl = compose_last
    Hydra.get_mode = lambda self, config_name, overrides: None
    mnist.read_split = read_few
    try:
        yield
    finally:
        ConfigLoaderImpl._load_configuration_impl, Hydra.get_mode, mnist.read_split = compose, mode, read


def value_override(words: list[str]):
    """Return the parsed word if it sets one key to one value."""
    try:
        (override,) = OverridesParser.create().parse_overrides(words)
    except (HydraException, ValueError):
        return None
    return None if override.is_sweep_override() or override.package is not None else override
