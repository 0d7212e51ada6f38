"""Data sets: what they hold in memory, and the batches that training draws from them."""

from genlab.data.corruption import GaussianNoise, Masking
from genlab.data.dataset import InMemory, Split
from genlab.data.mnist import MNIST
from genlab.data.words import Words
from genlab.spec import Spec

__all__ = ["MNIST", "GaussianNoise", "InMemory", "Masking", "Spec", "Split", "Words"]
