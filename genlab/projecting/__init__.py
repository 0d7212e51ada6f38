"""The latent of a given image, by optimisation."""

from genlab.projecting.descent import Descent, Found
from genlab.projecting.laws import Law, law_of

__all__ = ["Descent", "Found", "Law", "law_of"]
