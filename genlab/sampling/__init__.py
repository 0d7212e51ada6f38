"""The modes of `genlab.sample`, one class each, and the object that `genlab.load` returns."""

from genlab.sampling.arithmetic import Arithmetic
from genlab.sampling.directions import Directions
from genlab.sampling.grid import Classes, Grid
from genlab.sampling.histogram import Histogram
from genlab.sampling.interpolate import Interpolate
from genlab.sampling.loaded_run import Loaded
from genlab.sampling.mode import Request
from genlab.sampling.neighbours import Neighbours
from genlab.sampling.noise import Noise
from genlab.sampling.reconstruct import Reconstruct
from genlab.sampling.save import Save
from genlab.sampling.style_mixing import StyleMixing
from genlab.sampling.translate import Translate
from genlab.sampling.truncation import Truncation
from genlab.sampling.walk import Walk

__all__ = [
    "Arithmetic",
    "Request",
    "Classes",
    "Directions",
    "Grid",
    "Histogram",
    "Interpolate",
    "Loaded",
    "Neighbours",
    "Noise",
    "Reconstruct",
    "Save",
    "StyleMixing",
    "Translate",
    "Truncation",
    "Walk",
]
