"""Scores: extractors, metrics over their features, and records that say how each number was measured."""

from genlab.metrics.accuracy import Accuracy, BalancedAccuracy
from genlab.metrics.adapter import Adapter, Pixels
from genlab.metrics.birthday import Birthday
from genlab.metrics.described import Described
from genlab.metrics.digits import Classifier, StackedClassifier
from genlab.metrics.evaluation import Evaluation
from genlab.metrics.extractors import Coordinates, Extractor, Inception
from genlab.metrics.fid import FID
from genlab.metrics.frechet import Moments, frechet_distance
from genlab.metrics.inception_score import InceptionScore
from genlab.metrics.intra_fid import IntraFID
from genlab.metrics.kid import KID
from genlab.metrics.memorisation import Memorisation
from genlab.metrics.metric import Metric
from genlab.metrics.modes import ClassCoverage
from genlab.metrics.own_classifier import OwnClassifier
from genlab.metrics.prdc import PRDC
from genlab.metrics.records import Record, unlike
from genlab.metrics.reference import Reference
from genlab.metrics.source import Source

__all__ = [
    "FID",
    "KID",
    "PRDC",
    "Accuracy",
    "BalancedAccuracy",
    "Adapter",
    "Birthday",
    "ClassCoverage",
    "Classifier",
    "Coordinates",
    "Described",
    "Evaluation",
    "Extractor",
    "Inception",
    "InceptionScore",
    "IntraFID",
    "Memorisation",
    "Metric",
    "Moments",
    "OwnClassifier",
    "Pixels",
    "Record",
    "Reference",
    "Source",
    "StackedClassifier",
    "frechet_distance",
    "unlike",
]
