import json
import sys
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from evaluate_cli import invoke

from hybridlib import __main__ as command_line
from hybridlib import evaluate_command, page_needs
from hybridlib.comparison import comparisons
from hybridlib.corpora.load import load_collection
from hybridlib.debias import DEBIASINGS
from hybridlib.encoders.encoder import DualEncoder
from hybridlib.errors import InputError
from hybridlib.evaluation import evaluate
from hybridlib.evaluator import Evaluator
from hybridlib.measures import DEFAULT
from hybridlib.results import Results
from hybridlib.system import Embedded, debiased
from hybridlib.vectors import write_vectors

pytestmark = pytest.mark.usefixtures("pages")

"""The commands evaluate, compare and texts; their page is written in tests/notebooks, here it is left out."""

torch.set_num_threads(1)

CODES = ("en", "de", "zh")
WORDS = {"en": "the {} and {}", "de": "das {} und {}", "zh": "{}和{}的", "fr": "le {} et {}"}


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """Thirty concepts in three languages, the first in French as well."""
    file = tmp_path_factory.mktemp("corpus") / "mine.jsonl"
    rows = [
        {"concept": f"c{c}", "language": code, "query": WORDS[code].format(c, 7 * c % 30), "passage": f"{code} {c}"}
        for c, code in [(0, "fr"), *product(range(30), CODES)]
    ]
    file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return file


def evaluated(corpus, out, *options, encoder="tiny"):
    outcome = invoke("evaluate", "--corpus", corpus, "--out", out, "--encoder", encoder, *options)
    return Results.read(out), outcome.stdout


def expected_of(corpus, languages=None) -> Embedded:
    collection, encoder = load_collection(str(corpus), languages), DualEncoder.load("tiny")
    return Evaluator(collection, encoder).embedded(encoder)


def same(found: pd.DataFrame, embedded: Embedded, **options) -> None:
    """The scores are those of these vectors."""
    expected = evaluate(embedded.collection, embedded.queries, embedded.passages, **options).scores
    pd.testing.assert_frame_equal(found.astype({"concept": "str"}), expected.astype({"concept": "str"}))


def test_encoder_is_evaluated(corpus, tmp_path, pages):
    read, said = evaluated(corpus, tmp_path / "out")
    same(read.scores()["tiny"], expected_of(corpus))
    assert (pages, said[-10:]) == ([([tmp_path / "out"], tmp_path / "out", "tiny on mine")], "page.html\n")
    for setting, means in read.result["means"]["none"].items():
        assert [line for line in said.splitlines() if "nDCG@10" in line and f"{means['nDCG@10']:.3f}" in line], setting


@pytest.mark.parametrize(
    ("modules", "reason"),
    [
        (
            None,
            "{tmp_path}: found no notebooks/2-train.ipynb here or above, expected the folder of the project, "
            "as the working directory",
        ),
        (["surely_absent"], "found no module surely_absent, expected those of pip install 'hybridlib[study]'"),
    ],
)
def test_results_stand_without_a_page_and_say_why(corpus, tmp_path, monkeypatch, pages, modules, reason):
    monkeypatch.chdir(tmp_path)
    if modules:
        monkeypatch.setattr(page_needs, "_MODULES", modules)
    for number in (8, 16):
        Path(f"out{number}").mkdir()
        Path(f"out{number}", "index.html").write_text("of an earlier evaluation")
        read, said = evaluated(corpus, Path(f"out{number}"), "--label", f"tiny {number}", "--max-length", number)
        reason = reason.format(tmp_path=tmp_path)
        assert said.splitlines()[-1] == f"results are in out{number}, without figures and HTML page: {reason}"
        assert read.scores()
        assert not Path(f"out{number}", "index.html").exists()
    compared = invoke("compare", "out8", "out16", "--out", "both")
    assert (compared.exit_code, compared.stdout.splitlines()[-1].partition(":")[0]) == (
        0,
        "results are in both, without figures and HTML page",
    )
    assert (tmp_path / "both" / "comparisons.csv").exists()
    assert pages == []


def test_a_trimmed_encoder_knows_the_words_of_other_texts(corpus, tmp_path):
    """Training trims the vocabulary to the texts of the run."""
    encoder = DualEncoder.load("tiny")
    encoder.trim(["the cat sleeps"])
    encoder.save(tmp_path / "trimmed")
    read, _ = evaluated(corpus, tmp_path / "out", "--label", "tiny", encoder=tmp_path / "trimmed")
    same(read.scores()["tiny"], expected_of(corpus))


def test_given_prefixes_are_put_before_the_texts(corpus, tmp_path):
    given = {"query_prefix": "ask ", "passage_prefix": ""}
    read, _ = evaluated(corpus, tmp_path, "--query-prefix", "ask ", "--passage-prefix", "")
    assert read.result["prefixes"] == {"query": "ask ", "passage": ""}
    collection, encoder = load_collection(str(corpus), None), DualEncoder.load("tiny", **given)
    same(read.scores()["tiny"], Evaluator(collection, encoder).embedded(encoder))


def test_result_describes_what_was_evaluated(corpus, tmp_path):
    result = evaluated(corpus, tmp_path, "--max-length", 64, "--threads", 1)[0].result
    collection = load_collection(str(corpus))
    assert (result["label"], result["encoder"], result["max_length"], result["seed"]) == ("tiny", "tiny", 64, None)
    assert result["collection"] == {
        "name": "mine", "languages": ["en", "de", "fr", "zh"], "concepts": 30, "queries": 91, "passages": 91,
        "relevant": 277, "notes": [], "fingerprint": collection.fingerprint,
    }  # fmt: skip
    assert (result["measures"], result["settings"]) == (list(DEFAULT), list(collection.settings))
    assert (result["fitted_on"], result["environment"]["threads"]) == (None, 1)
    assert result["seconds"].keys() == {"embed", "evaluate", "geometry"}
    assert result["geometry"]["none"] == pytest.approx(expected_of(corpus).geometry())


def test_a_seed_may_be_given_and_nothing_of_an_earlier_evaluation_stays(corpus, tmp_path):
    evaluated(corpus, tmp_path, "--trec-depth", 3, "--debias", "centring", "--fit-concepts", 5)
    assert len(list((tmp_path / "trec").iterdir())) == 2
    assert evaluated(corpus, tmp_path, "--seed", 3)[0].result["seed"] == 3
    assert not (tmp_path / "trec").exists()


def test_languages_settings_measures_and_label_are_chosen(corpus, tmp_path):
    options = ["--languages", "zh, de", "--settings", "multilingual,monolingual", "--measures", "P@3,AP"]
    read, _ = evaluated(corpus, tmp_path, *options, "--label", "my encoder")
    assert read.result["collection"]["languages"] == ["de", "zh"]
    chosen = {"settings": ["monolingual", "multilingual"], "measures": ["P@3", "AP"]}
    same(read.scores()["my encoder"], expected_of(corpus, ["de", "zh"]), **chosen)


def test_languages_without_passages_limit_no_cutoff(tmp_path):
    (tmp_path / "qrels").mkdir()
    for name, code in (("queries", "de"), ("corpus", "en")):
        lines = [json.dumps({"_id": str(i), "title": "", "text": f"{name} {i}", "language": code}) for i in range(6)]
        (tmp_path / f"{name}.jsonl").write_text("\n".join(lines))
    (tmp_path / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\n0\t1\t2\n3\t5\t1\n")
    read, _ = evaluated(f"beir:{tmp_path}", tmp_path / "out", "--measures", "R@6,nDCG@6")
    assert read.result["means"]["none"]["crosslingual"]["R@6"] == 1
    assert read.result["settings"] == ["crosslingual", "multilingual"]
    with pytest.raises(
        InputError, match=r"languages: found no query in 'en' in .*, expected queries in every language"
    ):
        evaluated(f"beir:{tmp_path}", tmp_path / "out", "--languages", "de,en")


def test_debiasing_is_fitted_on_concepts_that_are_held_out(corpus, tmp_path):
    options = ["--debias", ",".join(DEBIASINGS), "--fit-concepts", 10, "--languages", ",".join(CODES)]
    read, _ = evaluated(corpus, tmp_path, *options)
    fit, test = expected_of(corpus, CODES).divided(10)
    assert read.result["fitted_on"]["concepts"] == 10
    assert read.result["collection"]["concepts"] == 20
    for name in ("none", *DEBIASINGS):
        same(read.scores()[read.label(name)], test if name == "none" else debiased(name, fit, test))
    assert list(read.scores()) == ["tiny", *(f"tiny + {name}" for name in DEBIASINGS)]


@pytest.fixture
def embeddings(corpus, tmp_path):
    """Random vectors of the texts that `texts` writes, in another order and among others."""
    assert invoke("texts", "--corpus", corpus, "--out", tmp_path / "texts").stdout == ""
    rng = np.random.default_rng(0)
    for role, file in (("query", "queries"), ("passage", "passages")):
        ids = [json.loads(line)["id"] for line in (tmp_path / "texts" / f"{file}.jsonl").read_text().splitlines()]
        ids = [*rng.permutation(ids).tolist(), "another"]
        drawn = rng.standard_normal((len(ids), 8))
        vectors = (drawn / np.linalg.norm(drawn, axis=1, keepdims=True)).astype(np.float32)
        write_vectors(tmp_path / "bm25", role, ids, vectors)
    return tmp_path / "bm25"


def test_texts_are_those_of_the_collection(corpus, tmp_path):
    invoke("texts", "--corpus", corpus, "--out", tmp_path, "--languages", "zh")
    collection = load_collection(str(corpus), ["zh"])
    for name, rows in (("queries", collection.queries.to_dict("records")), ("passages", list(collection.passages))):
        written = [json.loads(line) for line in (tmp_path / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()]
        assert written == [{key: row[key] for key in ("id", "language", "text")} for row in rows]


def test_vectors_from_files_are_evaluated(corpus, embeddings, tmp_path):
    invoke("evaluate", "--corpus", corpus, "--embeddings", embeddings, "--out", tmp_path / "out")
    collection, rows = load_collection(str(corpus)), []
    for file, ids in (("queries", collection.queries["id"]), ("passages", collection.passages["id"][:])):
        there = (embeddings / f"{file}.ids.txt").read_text().split("\n")
        rows.append(np.load(embeddings / f"{file}.npy")[[there.index(name) for name in ids]])
    read = Results.read(tmp_path / "out")
    same(read.scores()["bm25"], Embedded(collection, *rows))
    assert read.result["embeddings"] == str(embeddings)


def test_systems_are_compared(corpus, tmp_path, pages):
    first, _ = evaluated(corpus, tmp_path / "first")
    second, _ = evaluated(corpus, tmp_path / "second", "--label", "other", "--max-length", 6)
    said = invoke("compare", first.folder, second.folder, "--out", tmp_path / "new" / "out").stdout
    counts = dict.fromkeys(("wins", "ties", "losses"), "Int64")
    table = pd.read_csv(tmp_path / "new" / "out" / "comparisons.csv", dtype=counts)
    expected = comparisons({"tiny": [first.scores()["tiny"]], "other": [second.scores()["other"]]})
    pd.testing.assert_frame_equal(table[list(expected)], expected, rtol=1e-4, check_dtype=False)
    assert "other − tiny: multilingual rank_distance" in said
    assert pages[-1] == ([first.folder, second.folder], tmp_path / "new" / "out", "tiny · other")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "compare: found one system, tiny, expected two at least"),
        (["--label", "tiny"], "found 'tiny' as in "),
        (["--label", "other", "--measures", "AP"], "found the measures nDCG@10 AP .*, and AP, expected the same"),
        (["--label", "other", "--languages", "en,de"], "found results on the test collections .* and .*second"),
    ],
)
def test_results_that_do_not_go_together_are_refused(corpus, tmp_path, options, message):
    folders = [evaluated(corpus, tmp_path / "first")[0].folder]
    if options:
        folders.append(evaluated(corpus, tmp_path / "second", *options)[0].folder)
    with pytest.raises(InputError, match=message):
        invoke("compare", *folders, "--out", tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("file", "change", "message"),
    [
        ("passages.npy", lambda data: data[:-8], "found"),
        (
            "queries.ids.txt",
            lambda data: data.replace(b"c1/en\n", b"c1/xx\n"),
            r"found 1 of 91 ids missing \('c1/en'\)",
        ),
    ],
)
def test_damaged_vectors_leave_no_result(corpus, embeddings, tmp_path, file, change, message):
    (embeddings / file).write_bytes(change((embeddings / file).read_bytes()))
    with pytest.raises(InputError, match=f"{file}: {message}"):
        invoke("evaluate", "--corpus", corpus, "--embeddings", embeddings, "--out", tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--embeddings", "x"], "evaluate: found encoder and embeddings, expected encoder, embeddings, run, or"),
        (["--debias", "lir,magic"], "debias: found 'magic', expected any of centring, shift, lir"),
        (["--measures", "nDCG@ten"], "measure: found 'nDCG@ten', expected nDCG"),
        (["--precision", "half"], "precision: found 'half', expected one of auto, bfloat16, float32"),
        (["--settings", "bilingual"], "evaluate: found setting 'bilingual', expected one that"),
        (["--languages", "en,xx"], "corpus mine: found language 'xx', expected one of: en de fr"),
        (["--measures", "R@2"], "measures: found R@2, expected K of at most 1, the passages in fr"),
        (
            ["--debias", "lir", "--fit-concepts", "10", "--languages", "en,de", "--measures", "R@21"],
            "measures: found R@21, expected K of at most 20, the passages in",
        ),
        (["--debias", "lir", "--fit-concepts", "30"], "fit-concepts: mine: found 30 concepts to hold out"),
    ],
)
def test_bad_input_ends_with_its_message_and_no_result(corpus, tmp_path, monkeypatch, capsys, options, message):
    monkeypatch.delattr(evaluate_command, "cached_text_vectors")  # nothing is embedded before
    given = ["evaluate", "--corpus", str(corpus), "--out", str(tmp_path / "out"), "--encoder", "tiny", *options]
    monkeypatch.setattr(sys, "argv", ["hybridlib", *given])
    with pytest.raises(SystemExit) as end:
        command_line.main()
    assert end.value.code == 2
    assert f"error: {message}" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("option", ["--max-length=3", "--threads=-1", "--fit-concepts=0", "--trec-depth=-5"])
def test_numbers_out_of_range_and_no_system_are_refused(tmp_path, option):
    outcome = invoke("evaluate", "--encoder", "tiny", "--out", tmp_path / "out", option)
    assert outcome.exit_code == 2
    assert option.partition("=")[0] in outcome.stderr
    with pytest.raises(InputError, match="evaluate: found no system, expected encoder, embeddings, run, or run and"):
        invoke("evaluate", "--out", tmp_path)
