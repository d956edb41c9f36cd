"""Corpora: texts of concepts in several languages, and the loaders that make them."""

from hybridlib.corpora.corpus import Corpus, Split
from hybridlib.corpora.load import load_corpus

__all__ = ["Corpus", "Split", "load_corpus"]
