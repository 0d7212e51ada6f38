"""Reads files of PyTorch tensors that somebody else may have made: no code in them runs."""

import hashlib
import os
import re
import zipfile
from pathlib import Path
from typing import Any, BinaryIO

import torch

from genlab.core.foreign_files import children_of, open_regular, parse_json, require_tree

MAX_VALUES = 2**19  # beside tensors: those of the largest systems have a tenth
REFUSED = re.compile(r"GLOBAL (\S+)")  # in torch's words on what a file names
FILLING = re.compile(rb"c(?:__builtin__|builtins)\nbytearray\n")  # torch would call it with any number of bytes


def read_tensors(path: Path) -> Any:
    """Return the tensors, lists and dicts in a file. Raises ValueError, with the reason, for any other file."""
    try:
        with open_regular(path) as file:
            return load_tensors(file)
    except OSError as error:
        raise ValueError(f"it cannot be read ({error})") from error


def load_tensors(file: BinaryIO) -> Any:
    """Return what an open file holds, as `read_tensors` does.

    torch's own words are not repeated: they advise to switch the protection off.
    """
    try:
        require_honest_archive(file)
        found = torch.load(file, map_location="cpu", weights_only=True)
        require_tree(found, most=MAX_VALUES)
        require_stored(found)
        return found
    except ValueError:
        raise
    except Exception as error:  # on other files the unpickler raises exceptions of any type
        raise ValueError(reason_of(error)) from error


def require_honest_archive(file: BinaryIO) -> None:
    """Raise ValueError for an archive that unpacks to more than it is long, or fills memory from a number."""
    if not zipfile.is_zipfile(file):
        file.seek(0)
        return
    size = file.seek(0, os.SEEK_END)
    archive = zipfile.ZipFile(file)
    members = archive.infolist()
    packed = any(member.compress_type != zipfile.ZIP_STORED for member in members)
    if packed or sum(member.file_size for member in members) > size:
        raise ValueError("it unpacks to more than it is long, which torch never writes")
    if any(FILLING.search(archive.read(member)) for member in members if member.filename.endswith("data.pkl")):
        raise ValueError("it holds code (bytearray), which is never run")
    file.seek(0)


def require_stored(content: Any) -> None:
    """Raise ValueError for a tensor with more values than are stored: it would fill memory where it is copied."""
    for _, child in children_of(content):
        if isinstance(child, torch.Tensor) and not is_stored(child):
            raise ValueError("it holds a tensor of more values than are stored, which this program never writes")
        require_stored(child)


def is_stored(tensor: torch.Tensor) -> bool:
    plain = tensor.layout is torch.strided and not tensor.is_quantized and tensor.device.type == "cpu"
    return plain and tensor.numel() * tensor.element_size() <= tensor.untyped_storage().nbytes()


def reason_of(error: Exception) -> str:
    named = REFUSED.search(str(error))
    if named:
        return f"it holds code ({named.group(1)}), which is never run"
    return "it holds other things than tensors, lists and dicts, or is damaged"


def read_safetensors(path: str | Path, key: str) -> tuple[dict[str, Any], dict[str, torch.Tensor]]:
    """Return the JSON object under a key of the header's metadata, and the tensors. Raises ValueError for others."""
    from safetensors import safe_open

    try:
        open_regular(path).close()
        with safe_open(path, "pt") as file:
            header = file.metadata() or {}
            weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no mapping)
        facts = parse_json(header[key])
    except Exception as error:  # a damaged header raises nearly anything
        raise ValueError(str(error) or type(error).__name__) from error
    if "sha256" in header and header["sha256"] != checksum_of(header[key], weights):  # older files have none
        raise ValueError("its checksum does not match: it is damaged")
    if not isinstance(facts, dict):
        raise ValueError(f"{key!r} in its header is no JSON object")
    return facts, weights


def checksum_of(header: str, weights: dict[str, torch.Tensor]) -> str:
    """Return the SHA-256 of a header and of tensors with their names, types and shapes."""
    content = hashlib.sha256(header.encode())
    for name, tensor in sorted(weights.items()):
        content.update(f"{name} {tensor.dtype} {list(tensor.shape)}".encode())
        content.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return content.hexdigest()
