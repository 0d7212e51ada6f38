"""Scores: extractors, metrics over their features, and records that say how each number was measured."""

from genlab.metrics.evaluation import Evaluation, Metric
from genlab.metrics.extractors import Classifier, Extractor, Inception
from genlab.metrics.fid import FID
from genlab.metrics.frechet import Moments, frechet_distance
from genlab.metrics.records import Record, unlike

__all__ = [
    "FID",
    "Classifier",
    "Evaluation",
    "Extractor",
    "Inception",
    "Metric",
    "Moments",
    "Record",
    "frechet_distance",
    "unlike",
]
