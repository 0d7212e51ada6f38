"""Formulas: adversarial losses and penalties. Tensors in, one number a sample out."""

from genlab.losses.adversarial import AdversarialLoss, Hinge, LeastSquares, Minimax, NonSaturating, Wasserstein
from genlab.losses.penalties import R1, R2, Dragan, GradientPenalty, OneSidedGradientPenalty, Penalty
from genlab.losses.turn import Turn

__all__ = [
    "AdversarialLoss",
    "Dragan",
    "GradientPenalty",
    "Hinge",
    "LeastSquares",
    "Minimax",
    "NonSaturating",
    "OneSidedGradientPenalty",
    "Penalty",
    "R1",
    "R2",
    "Turn",
    "Wasserstein",
]
