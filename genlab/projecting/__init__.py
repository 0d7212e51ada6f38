"""The latent of a given image, by optimisation."""

from genlab.projecting.descent import Descent, Found
from genlab.projecting.latent_laws import Law, law_of
from genlab.projecting.starting_points import conditions, starts_of
from genlab.projecting.target import distances, error_of, target_of

__all__ = ["Descent", "Found", "Law", "conditions", "distances", "error_of", "law_of", "starts_of", "target_of"]
