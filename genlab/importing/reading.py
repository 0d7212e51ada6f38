"""Reads the weights in a file of another program: tensors, numbers and texts alone, and no code in it runs."""

from pathlib import Path
from typing import Any

from genlab.core.errors import ConfigError
from genlab.core.foreign_files import open_regular, require_tree
from genlab.core.tensor_file import MAX_VALUES, load_tensors, require_stored
from genlab.importing.formats import FORMATS
from genlab.importing.imported_model import ImportedModel
from genlab.importing.restricted_pickle import load_plain

TORCH_MAGIC = b"PK\x03\x04"  # torch writes zip archives
KNOWN = "StyleGAN2 and StyleGAN3 (.pkl of NVIDIA's code)"


def read_model(path: str | Path, *, key: str = "run") -> ImportedModel:
    """Return the model in a file of another program, which the user names by `key`.

    Raises ConfigError for any other file.
    """
    try:
        tree = read_tree(Path(path))
        form = next((form for form in FORMATS if form.recognises(tree)), None)
        if form is None:
            raise ValueError("it holds no model that this program knows")
        return form.convert(tree)
    except ValueError as error:
        raise ConfigError(f"{key}={path}: these weights cannot be used: {error}. What can be read: {KNOWN}.") from error
    except (AttributeError, IndexError, KeyError, RuntimeError, TypeError) as error:  # a tree of another structure
        raise ConfigError(
            f"{key}={path}: these weights cannot be used: it is damaged, or of another version "
            f"({type(error).__name__}: {error}). What can be read: {KNOWN}."
        ) from error


def read_tree(path: Path) -> Any:
    """Return what a file holds, as dicts, lists, tensors, numbers and texts. Raises ValueError for anything else."""
    try:
        with open_regular(path) as file:
            is_archive = file.read(len(TORCH_MAGIC)) == TORCH_MAGIC
            file.seek(0)
            tree = load_tensors(file) if is_archive else load_plain(file)
    except OSError as error:
        raise ValueError(f"it cannot be read ({error})") from error
    require_tree(tree, most=MAX_VALUES)
    require_stored(tree)
    return tree
