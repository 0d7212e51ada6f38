"""Export: write a trained generator to one file that other programs read, with a model card."""

from genlab.exporting.formats import ONNX, Format, Safetensors, TorchScript, load
from genlab.exporting.sampler import Sampler
