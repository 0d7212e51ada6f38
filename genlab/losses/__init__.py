"""Formulas: adversarial losses and penalties. Tensors in, one number a sample out."""

from genlab.losses.adversarial import (
    AdversarialLoss,
    DiscriminatorOnly,
    Hinge,
    LeastSquares,
    Minimax,
    NonSaturating,
    RandomMarginHinge,
    Wasserstein,
)
from genlab.losses.auxiliary import AuxiliaryClassification, MutualInformation, Supervised
from genlab.losses.batch_statistics import FeatureMatching, LeCam
from genlab.losses.conditioning import ConditioningKL, Mismatch
from genlab.losses.consistency import BalancedConsistency, Consistency, LatentConsistency
from genlab.losses.cycle_consistency import CycleConsistency, Identity
from genlab.losses.decoding import FeatureDecoding
from genlab.losses.f_divergences import KL, FDivergence, JensenShannon, Pearson, ReverseKL
from genlab.losses.mmd import MMD, WitnessPenalty
from genlab.losses.paired import L1, MSE, PairedFeatureMatching, Perceptual
from genlab.losses.parameters import HistoricalAveraging, Orthogonal, Spectral
from genlab.losses.path_length import PathLength
from genlab.losses.penalties import R1, R2, Dragan, Drift, GradientPenalty, OneSidedGradientPenalty, Penalty
from genlab.losses.reconstruction import Bernoulli, Gaussian, Reconstruction, SquaredError
from genlab.losses.relativistic import RelativisticAverage, RelativisticPairing
from genlab.losses.turn import Turn
