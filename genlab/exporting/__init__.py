"""A trained generator as one file that other programs read, and the card that goes with it."""

from genlab.exporting.formats import ONNX, Format, Safetensors, TorchScript, load
from genlab.exporting.sampler import Sampler

__all__ = ["ONNX", "Format", "Safetensors", "Sampler", "TorchScript", "load"]
