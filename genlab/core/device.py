"""The choice of device and number format, and memory settings."""

import ctypes
import os
import platform

import torch

from genlab.core import distributed
from genlab.core.errors import ConfigError

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # glibc's <malloc.h>
MAX_HEAP_BLOCK = 1 << 30  # bytes: smaller blocks come from the heap and stay there when freed
MAX_HEAP_BLOCK_OLD_GLIBC = 1 << 25  # bytes: the largest value that older versions accept


def keep_freed_memory() -> None:
    """Tell glibc to keep freed memory: otherwise up to 40 % of a convolution's time on a CPU is page faults."""
    if platform.system() == "Linux" and platform.libc_ver()[0] == "glibc":
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(M_MMAP_THRESHOLD, MAX_HEAP_BLOCK) or mallopt(M_MMAP_THRESHOLD, MAX_HEAP_BLOCK_OLD_GLIBC)
        mallopt(M_TRIM_THRESHOLD, MAX_HEAP_BLOCK)


def choose_device(name: str, deterministic: bool = False) -> torch.device:
    """Return the device with this name; `auto`: CUDA, else MPS, else CPU. Under torchrun each rank has its own GPU.

    Raises ConfigError for a device that is not there.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    device = parse_device(name)
    if device.type == "cuda" and device.index is None:
        device = torch.device("cuda", distributed.local_rank())
    if deterministic:
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        torch.use_deterministic_algorithms(True)
    torch.backends.cudnn.benchmark = not deterministic
    return device


def parse_device(name: str) -> torch.device:
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise ConfigError(f"trainer.device={name}: no such device. Use auto, cpu, cuda, cuda:1 or mps.") from error
    count = {"cpu": 1, "cuda": torch.cuda.device_count(), "mps": int(torch.backends.mps.is_available())}
    if (device.index or 0) >= count.get(device.type, 0):
        raise ConfigError(f"trainer.device={name}: this machine has none. trainer.device=auto takes the best it has.")
    return device


def precision_of(name: str) -> tuple[torch.dtype, torch.dtype | None]:
    """Return the dtype of weights and images, and the dtype under autocast."""
    return {
        "float32": (torch.float32, None),
        "bfloat16": (torch.float32, torch.bfloat16),
        "float64": (torch.float64, None),
    }[name]
