"""The latent of a given image, by optimisation."""

from genlab.projecting.descent import Descent, Found, require_searchable
from genlab.projecting.starting_points import conditions, starts_of
from genlab.projecting.target import distances, error_of, target_of

__all__ = ["Descent", "Found", "conditions", "distances", "error_of", "require_searchable", "starts_of", "target_of"]
