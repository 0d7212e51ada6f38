"""Data sets in memory, and the batches that training draws from them."""

from genlab.core.spec import Spec
from genlab.data.corruption import GaussianNoise, Masking
from genlab.data.dataset import InMemory, Split
from genlab.data.labels.word_reader import WordReader
from genlab.data.sets.mnist import MNIST
from genlab.data.training_picture import preview
