"""The modes of `genlab.sample`, one class each, and the object that `genlab.load` returns."""

from genlab.sampling.arithmetic import Arithmetic
from genlab.sampling.directions import Directions
from genlab.sampling.films import Interpolate, Walk
from genlab.sampling.grid import Classes, Grid, Reconstruct, Truncation
from genlab.sampling.histogram import Histogram
from genlab.sampling.loaded_run import Loaded
from genlab.sampling.mode import Request
from genlab.sampling.neighbours import Neighbours
from genlab.sampling.save import Save
from genlab.sampling.styles import Noise, StyleMixing
from genlab.sampling.training_film import Progress
from genlab.sampling.translate import Translate
