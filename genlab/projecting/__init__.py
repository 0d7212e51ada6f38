"""Projection: find the latent of a given image by optimisation."""

from genlab.projecting.descent import LatentSearch, Projection, refuse_ignored_prior, require_searchable
from genlab.projecting.starting_points import conditions, starts_of
from genlab.projecting.target import distances, error_of, load_target
