"""The pairs of a corpus as a dataset of ``torch``, for a ``DataLoader`` whose batch sampler is one of this package."""

from __future__ import annotations

from typing import TypedDict

from torch.utils.data import Dataset

from hybridlib.corpora.corpus import Corpus


class PairItem(TypedDict):
    """Two texts of one concept; ``default_collate`` makes lists of the texts and int64 [B] of the numbers."""

    query: str
    passage: str
    concept: int
    query_language: int
    passage_language: int


class PairDataset(Dataset[PairItem]):
    """Texts, concept and languages of a pair, looked up by its two rows of the corpus.

    Args:
        corpus: that the sampler's pairs are of.

    Example:
        >>> from torch.utils.data import DataLoader
        >>> from hybridlib.corpora import load_corpus
        >>> from hybridlib.samplers import HybridBatchSampler
        >>> corpus = load_corpus("scenes")
        >>> sampler = HybridBatchSampler(corpus.pairs, batch_size=8, alpha=0.5, seed=1)
        >>> batch = next(iter(DataLoader(PairDataset(corpus), batch_sampler=sampler)))
        >>> len(batch["query"]), tuple(batch["concept"].shape)
        (8, (8,))
    """

    def __init__(self, corpus: Corpus) -> None:
        self.pairs, self.texts = corpus.pairs, corpus.table["text"].tolist()

    def __getitem__(self, pair: tuple[int, int]) -> PairItem:
        """Return the pair of a query row and a passage row."""
        query, passage = pair
        return {
            "query": self.texts[query],
            "passage": self.texts[passage],
            "concept": int(self.pairs.concept[query]),
            "query_language": int(self.pairs.language[query]),
            "passage_language": int(self.pairs.language[passage]),
        }
