"""Training: the loop, its phases and turns, and the strategies that order them."""

from genlab.trainers.adversarial_autoencoding import AdversarialAutoencoding, VariationalAlternating
from genlab.trainers.alternating import Alternating
from genlab.trainers.autoencoding import Autoencoding, Variational, VectorQuantising
from genlab.trainers.closed_form import ClosedForm
from genlab.trainers.cycle import Cycle
from genlab.trainers.ema import EMA
from genlab.trainers.progressive import Progressive
from genlab.trainers.replay import Replay
from genlab.trainers.schedules import Constant, Cosine, Linear
from genlab.trainers.system import Player, Run, System
from genlab.trainers.top_k import TopK
from genlab.trainers.trainer import Trainer
from genlab.trainers.turns import Losses, Phase
from genlab.trainers.unrolled import Unrolled
