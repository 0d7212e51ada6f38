"""What can be done with a trained run: one class a mode of `genlab.sample`, and the object behind `genlab.load`."""

from genlab.sampling.arithmetic import Arithmetic
from genlab.sampling.directions import Directions
from genlab.sampling.grid import Classes, Grid
from genlab.sampling.histogram import Histogram
from genlab.sampling.interpolate import Interpolate
from genlab.sampling.loaded_run import Loaded
from genlab.sampling.mode import Asked
from genlab.sampling.neighbours import Neighbours
from genlab.sampling.noise import Noise
from genlab.sampling.reconstruct import Reconstruct
from genlab.sampling.save import Save
from genlab.sampling.style_mixing import StyleMixing
from genlab.sampling.translate import Translate
from genlab.sampling.truncation import Truncation
from genlab.sampling.walk import Walk
