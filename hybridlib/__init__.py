"""Samplers, losses and measures for training multilingual dense retrievers."""
