"""Contrastive objectives: vectors of a batch in, a loss out. Needs torch alone."""

from hybridlib.objectives.batch import Batch
from hybridlib.objectives.compose import OBJECTIVES, WeightedSum, build
from hybridlib.objectives.infonce import InfoNCE
from hybridlib.objectives.objective import Objective, TemperatureObjective
from hybridlib.objectives.statistics import similarity_statistics
from hybridlib.objectives.symmetric_infonce import SymmetricInfoNCE

__all__ = [
    "OBJECTIVES",
    "Batch",
    "InfoNCE",
    "Objective",
    "SymmetricInfoNCE",
    "TemperatureObjective",
    "WeightedSum",
    "build",
    "similarity_statistics",
]
