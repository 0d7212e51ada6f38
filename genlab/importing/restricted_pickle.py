"""Reads a pickle as plain data: what it names is looked up in one exact list, and nothing on the list runs its code.

NVIDIA's files pickle their classes with the source code of them, as records of `torch_utils.persistence`. Here such a
record is a dict of the class's name, its arguments and its state; the source code is dropped unread.
"""

import io
import pickle
import pickletools
import re
from collections.abc import Callable, Sequence
from typing import Any, BinaryIO

import torch
from torch import Tensor

from genlab.core.foreign_files import require_tree
from genlab.core.tensor_file import FILLING, load_tensors

MAX_OPERATIONS = 2**22  # of a pickle: those of the largest systems have a hundredth
MAX_RANK = 8  # dimensions of a tensor
HEAD = 4096  # bytes of a storage's file that name its type and length
TENSORFLOW = "dnnlib.tflib"


class Refused(ValueError):
    """Tells of what a file holds, in words for its user."""


class Values(dict):
    """Stands for a dict of another class."""

    __slots__ = ()

    def __setstate__(self, _: Any) -> None: ...


class Ignored:
    """Stands for a number or an array of NumPy: nothing is read from it."""

    __slots__ = ()

    def __new__(cls, *_: Any, **__: Any) -> "Ignored":
        return super().__new__(cls)

    def __setstate__(self, _: Any) -> None: ...


def make_record(facts: dict[str, Any]) -> dict[str, Any]:
    """Return the record of a pickled object as data, without the source code of its class."""
    return {"class_name": str(facts["class_name"]), "state": facts["state"]}


def load_storage(content: bytes) -> Any:
    """Return the numbers that torch packed into a pickle. Raises ValueError for anything but numbers."""
    if FILLING.search(content[:HEAD]):
        raise Refused("it holds code (bytearray), which is never run")
    storage = load_tensors(io.BytesIO(content))
    if not isinstance(storage, torch.storage.TypedStorage):
        raise Refused("a tensor in it is damaged")
    return storage


def make_tensor(storage: Any, offset: int, size: Sequence[int], stride: Sequence[int], *_: Any) -> Tensor:
    """Return a tensor over a storage. Raises ValueError for one that reaches beyond it."""
    numbers = (offset, *size, *stride)
    if len(size) != len(stride) or len(size) > MAX_RANK or any(type(n) is not int or n < 0 for n in numbers):
        raise Refused("a tensor in it is damaged")
    reach = offset + sum((length - 1) * step for length, step in zip(size, stride, strict=True)) + 1
    untyped, kind = storage._untyped_storage, storage.dtype  # its public methods warn
    if 0 not in size and reach * kind.itemsize > untyped.nbytes():
        raise Refused("a tensor in it is damaged")
    return torch.empty(0, dtype=kind).set_(untyped, offset, tuple(size), tuple(stride))


def make_parameter(tensor: Tensor, *_: Any) -> Tensor:
    return tensor


ALLOWED: dict[str, Any] = {
    "collections.OrderedDict": Values,
    "builtins.set": set,
    "dnnlib.util.EasyDict": Values,
    "torch_utils.persistence._reconstruct_persistent_obj": make_record,
    "torch._utils._rebuild_tensor_v2": make_tensor,
    "torch._utils._rebuild_tensor": make_tensor,
    "torch._utils._rebuild_parameter": make_parameter,
    "torch.storage._load_from_bytes": load_storage,
    "numpy.ndarray": Ignored,
    "numpy.dtype": Ignored,
    **{
        f"numpy.{package}.multiarray.{name}": Ignored
        for package in ("core", "_core")
        for name in ("_reconstruct", "scalar")
    },
}


class RestrictedUnpickler(pickle.Unpickler):
    """An unpickler that finds what is on the list, and nothing else."""

    def find_class(self, module: str, name: str) -> Any:
        path = f"{module}.{name}"
        if path not in ALLOWED:
            raise Refused(refusal(path))
        return untouchable(ALLOWED[path])


def untouchable(found: Any) -> Any:
    """Return a fresh stand-in: a pickle may set attributes of what it has found, and shall change nothing here."""
    if isinstance(found, type) and found is not set:
        return type(found.__name__, (found,), {"__slots__": ()})
    call: Callable[..., Any] = found
    return found if found is set else lambda *arguments: call(*arguments)


def refusal(path: str) -> str:
    if path.startswith(TENSORFLOW):
        return "it is a file of TensorFlow. Convert it with legacy.py of stylegan3 or stylegan2-ada-pytorch first"
    name = path if re.fullmatch(r"[\w.]{1,100}", path) else "under a strange name"
    return f"it holds code ({name}), which is never run"


def load_plain(file: BinaryIO) -> Any:
    """Return what an open pickle holds. Raises ValueError for damage, and for whatever is not on the list."""
    try:
        require_bounded(file)
        file.seek(0)
        found = RestrictedUnpickler(file).load()
    except Refused:
        raise
    except Exception as error:  # on other files the unpickler raises exceptions of any type
        raise ValueError("it is no file of weights, or is damaged") from error
    require_tree(found)
    return found


def require_bounded(file: BinaryIO) -> None:
    """Raise Refused for a pickle of too many operations, or with places far beyond them, which would fill memory."""
    for count, (operation, argument, _) in enumerate(pickletools.genops(file), start=1):
        place: Any = argument if "PUT" in operation.name else 0
        if count > MAX_OPERATIONS or place > count:
            raise Refused("it holds too many values")
