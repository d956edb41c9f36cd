import ir_measures
import numpy as np
import pytest
from ir_measures import AP, R, nDCG

from hybridlib import trec, trec_export
from hybridlib.corpora.collection import Collection
from hybridlib.corpora.corpus import Corpus
from hybridlib.errors import InputError
from hybridlib.evaluation import macro_means
from hybridlib.retrieval import exact_ranks
from hybridlib.system import Embedded, evaluate_system
from hybridlib.trec_export import export_runs


def system(concept: str = "c{}") -> Embedded:
    """Twenty concepts in two languages; in German every other cell has one text, which is query and passage."""
    rows = []
    for i in range(20):
        rows += [(concept.format(i), "en", "passage", f"p {i}"), (concept.format(i), "en", "query", f"q {i}")]
        roles = ["text"] if i % 2 else ["passage", "query"]
        rows += [(concept.format(i), "de", role, f"{role} {i}") for role in roles]
    collection = Collection.from_corpus(Corpus.from_rows(rows, "mine"))
    rng = np.random.default_rng(0)
    queries, passages = (rng.standard_normal((n, 8)) for n in (len(collection.queries), len(collection.passages)))
    unit = [(v / np.linalg.norm(v, axis=1, keepdims=True)).astype(np.float32) for v in (queries, passages)]
    return Embedded(collection, *unit)


def test_ir_measures_scores_the_files_as_we_do(tmp_path):
    tested = system()
    export_runs(tmp_path, tested, 1000, "mine")
    assert sorted(file.name for file in tmp_path.iterdir()) == [
        "monolingual-de.run.gz", "monolingual-en.run.gz", "multilingual.run.gz", "qrels.gz",
    ]  # fmt: skip
    qrels = trec.read_qrels(tmp_path / "qrels.gz").astype({"query": str, "passage": str})
    means = evaluate_system(tested)["none"][1].means()
    for name, place in (
        ("monolingual-en", ("monolingual", "en", "en")),
        ("monolingual-de", ("monolingual", "de", "de")),
        ("multilingual", None),
    ):
        run = trec.read_run(tmp_path / f"{name}.run.gz").astype({"query": str, "passage": str})
        judged = qrels[qrels["query"].isin(run["query"])]
        if place:
            judged = judged[judged["passage"].str.contains(f"/{place[1]}/")]
        found = ir_measures.calc_aggregate(
            [nDCG @ 10, AP, R @ 10],
            judged.set_axis(["query_id", "doc_id", "relevance"], axis=1),
            run.rename(columns={"query": "query_id", "passage": "doc_id"}),
        )
        ours = means.loc[place] if place else macro_means(means).loc["multilingual"]
        assert {str(k): v for k, v in found.items()} == pytest.approx(
            {k: ours[k] for k in ("nDCG@10", "AP", "R@10")}, abs=1e-6
        )


def test_depth_cuts_the_runs(tmp_path):
    export_runs(tmp_path, system(), 3, "mine")
    run = trec.read_run(tmp_path / "multilingual.run.gz")
    assert (run.groupby("query", observed=True).size() == 3).all()


def test_ids_with_whitespace_are_refused_and_leave_no_folder(tmp_path):
    with pytest.raises(InputError, match="expected"):
        export_runs(tmp_path / "trec", system("a concept {}"), 3, "mine")
    assert not (tmp_path / "trec").exists()


def test_vectors_of_the_pool_are_not_copied(tmp_path, monkeypatch):
    tested, ranked = system(), []

    def watched(queries, passages, *given, **options):
        ranked.append(np.shares_memory(queries, tested.queries) and np.shares_memory(passages, tested.passages))
        return exact_ranks(queries, passages, *given, **options)

    monkeypatch.setattr(trec_export, "exact_ranks", watched)
    export_runs(tmp_path, tested, 3, "mine")
    assert ranked[0]
