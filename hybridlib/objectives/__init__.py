"""Contrastive objectives: embeddings of a batch in, a loss out. Needs torch alone."""

from hybridlib.objectives.infonce import InfoNCE

__all__ = ["InfoNCE"]
