"""A finished run of seconds: the tiny encoder as it was before training, tested on eight scenes."""

from hybridlib.config import RunConfig
from hybridlib.corpora.collection import Collection
from hybridlib.evaluator import Evaluator
from hybridlib.runs import load_encoder, write_run
from hybridlib.splits import run_splits

CONFIG = RunConfig(
    encoder="tiny", train_languages=("en", "de"), test_languages=("en", "zh"), train_concepts=20,
    validation_concepts=4, test_concepts=8, max_length=32, batch_size=4, threads=1,
)  # fmt: skip


def finished(folder, config):
    """A run whose encoder is as it was before training."""
    split = run_splits(config)
    encoder = load_encoder(config, split)
    scores = Evaluator(Collection.from_corpus(split.test), encoder).evaluate(encoder)
    write_run(folder, config, split, scores, scores, None, {}, {})
    encoder.save(folder / "encoder")
    return folder
