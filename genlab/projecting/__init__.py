"""Projection: find the latent of a given image by optimisation."""

from genlab.projecting.descent import Descent, Projection
from genlab.projecting.latent_laws import law_of
from genlab.projecting.starting_points import conditions, starts_of
from genlab.projecting.target import distances, error_function, load_target

__all__ = ["Descent", "Projection", "conditions", "distances", "error_function", "law_of", "load_target", "starts_of"]
