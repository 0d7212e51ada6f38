"""Scores: extractors, metrics over their features, and records that say how each number was measured."""

from genlab.metrics.accuracy import Accuracy
from genlab.metrics.digits import Classifier, StackedClassifier
from genlab.metrics.evaluation import Evaluation, Source
from genlab.metrics.extractors import Coordinates, Extractor, Inception
from genlab.metrics.fid import FID
from genlab.metrics.frechet import Moments, frechet_distance
from genlab.metrics.metric import Metric
from genlab.metrics.prdc import PRDC
from genlab.metrics.records import Record, unlike
from genlab.metrics.reference import Reference

__all__ = [
    "FID",
    "PRDC",
    "Accuracy",
    "Classifier",
    "Coordinates",
    "Evaluation",
    "Extractor",
    "Inception",
    "Metric",
    "Moments",
    "Record",
    "Reference",
    "Source",
    "StackedClassifier",
    "frechet_distance",
    "unlike",
]
