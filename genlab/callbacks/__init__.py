"""Callbacks: work between steps, at intervals in images."""

from genlab.callbacks.classification_accuracy import ClassificationAccuracy
from genlab.callbacks.codes import Codes
from genlab.callbacks.early_stop import EarlyStop
from genlab.callbacks.encoder_statistics import Encoding
from genlab.callbacks.environment import Environment
from genlab.callbacks.health import Health
from genlab.callbacks.jsonl import JSONL
from genlab.callbacks.latent_plane import LatentPlane
from genlab.callbacks.log import Log
from genlab.callbacks.progress import Progress
from genlab.callbacks.reconstructions import Reconstructions
from genlab.callbacks.sample_grid import Grid
from genlab.callbacks.save_checkpoints import Checkpoint
from genlab.callbacks.scores import Scores
from genlab.callbacks.summary import Summary
from genlab.callbacks.tensorboard import TensorBoard
from genlab.callbacks.trackers import MLflow, Wandb
from genlab.callbacks.translations import Translations
from genlab.callbacks.truncation_grid import Truncation
from genlab.trainers.callback import Callback
