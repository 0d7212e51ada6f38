"""Scores: extractors, metrics over their features, and records that say how each number was measured."""

from genlab.metrics.evaluation import Evaluation
from genlab.metrics.extractors.custom import CustomExtractor, Pixels
from genlab.metrics.extractors.digit_classifier import Classifier, StackedClassifier
from genlab.metrics.extractors.extractor import Coordinates, Extractor, Inception
from genlab.metrics.extractors.own_classifier import OwnClassifier
from genlab.metrics.extractors.pixel_faces_classifier import PixelFacesClassifier
from genlab.metrics.metric import Metric
from genlab.metrics.records import Record, differing_fields
from genlab.metrics.references.frechet import Moments, frechet_distance
from genlab.metrics.references.reference import Reference
from genlab.metrics.sample_source import SampleSource
from genlab.metrics.scores.accuracy import Accuracy, BalancedAccuracy
from genlab.metrics.scores.attribute_accuracy import AttributeAccuracy
from genlab.metrics.scores.attribute_changes import AttributeChanges
from genlab.metrics.scores.birthday import Birthday
from genlab.metrics.scores.fid import FID
from genlab.metrics.scores.inception_score import InceptionScore
from genlab.metrics.scores.intra_fid import IntraFID
from genlab.metrics.scores.kid import KID
from genlab.metrics.scores.memorisation import Memorisation
from genlab.metrics.scores.modes import ClassCoverage
from genlab.metrics.scores.prdc import PRDC
from genlab.metrics.scores.word_agreement import Described
