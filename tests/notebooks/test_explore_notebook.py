"""The notebook to look at retrieved passages: untrained encoders, finished runs, and its page without a kernel."""

import json
import shutil

import pytest
from bs4 import BeautifulSoup
from notebook_runs import PROJECT, SMALL, TRAIN, environment, execute, run_here

from hybridlib.corpora import load_corpus
from hybridlib.encoders.encoder import DualEncoder
from hybridlib.encoders.tiny import tiny_encoder
from hybridlib.errors import InputError
from hybridlib.execute import html_page
from hybridlib.explore import UNTRAINED, Systems

EXPLORE = PROJECT / "notebooks" / "explore.ipynb"
HOSTILE = "<img src=x onerror=alert(1)> [a](javascript:b) **c**"


@pytest.fixture
def other(folders):
    """Save a tiny encoder of other random weights; returns its folder."""
    DualEncoder(*tiny_encoder(1), prefixes={"query": "", "passage": ""}, max_length=32).save(folders / "other")
    return str(folders / "other")


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Train a tiny run; returns its folder."""
    folder = tmp_path_factory.mktemp("trained")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment(folder).items():
            patch.setenv(name, value)
        patch.chdir(PROJECT)
        run = run_here(TRAIN, **SMALL, study="mine")["result"]["run"]
    return folder / "reports" / "mine" / "runs" / run


@pytest.fixture
def run(folders, trained):
    """Copy the run to the reports of a test; returns its folder."""
    return shutil.copytree(trained, folders / "reports" / "mine" / "runs" / trained.name)


def test_page_of_two_untrained_encoders_on_scenes(folders, other):
    """No run is finished; the page is rendered without a kernel."""
    output = folders / "out.ipynb"
    shown = execute(EXPLORE, output, first="tiny", second=other, queries=["ein Hund?", HOSTILE], top=3)
    assert "**A demonstration.**" in shown
    assert "*Data.* Study quick has no finished run with its encoder" in shown
    assert shown.count("*How to read it.*") == shown.count("*Result.*") == 1
    page = BeautifulSoup(html_page(output, "Explore"), "html.parser")
    assert [title.get_text() for title in page.find_all("h3")] == ["Query 1", "Query 2"]
    assert [query.get_text() for query in page.find_all("blockquote")] == ["ein Hund?", HOSTILE]
    for table in page.find_all("table"):
        assert [head.get_text() for head in table.thead.find_all("th")] == ["rank", "tiny", other]
        assert [len(row.find_all("td")) for row in table.tbody.find_all("tr")] == [2] * 3
    assert [picture["src"][:15] for picture in page.find_all("img")] == ["data:image/png;"]
    assert page.find(["script", "input"]) is None


def test_notebook_compares_a_run_with_the_encoder_it_started_from(folders, run):
    variables = run_here(EXPLORE, study="mine", top=5)
    systems, panel = variables["systems"], variables["panel"]
    assert (systems.first, systems.second) == ("tiny", run.name)
    assert systems.names == [run.name, "tiny", *UNTRAINED]
    result = json.loads((run / "result.json").read_text())
    assert systems.collection.languages == ["en", "de", "zh"]
    assert set(systems.collection.queries["concept"]) == set(variables["collection"].passage_concept)
    assert len(set(systems.collection.queries["concept"])) == result["concepts"]["test"]
    assert list(variables["searches"]) == ["Query 1, in English", "Query 2, in German", "Query 3, in Chinese"]
    for text, hits in zip(variables["queries"], variables["searches"].values(), strict=True):
        (concept,) = set(systems.collection.queries.set_index("text").loc[[text], "concept"])
        for found in hits.values():
            assert found["relevant"].tolist() == (found["concept"] == concept).tolist()
    panel.text.value = "ένας σκύλος"  # of letters that no text of the run has
    cells = BeautifulSoup(panel.output.value, "html.parser").find_all("td")
    assert len(cells) == 10


def test_vectors_with_the_full_vocabulary_are_those_of_the_run(folders, run):
    systems = Systems("mine")
    text = systems.collection.queries["text"].iloc[0]
    found = systems.explorer(run.name).search(text, top=100)
    trimmed = DualEncoder.load(str(run / "encoder"), max_length=32, precision="float32")
    query = trimmed.encode([text], "query", progress=False)[0]
    passages = trimmed.encode(found["text"].tolist(), "passage", progress=False)
    assert found["similarity"].to_numpy() == pytest.approx(passages @ query, abs=1e-5)


def test_systems_name_runs_that_they_cannot_use(folders, run):
    moved = shutil.copytree(run, run.parent / "moved")
    bare = shutil.copytree(run, run.parent / "bare", ignore=shutil.ignore_patterns("encoder"))
    result = json.loads((moved / "result.json").read_text())
    result["fingerprint"]["test"] = "0"
    (moved / "result.json").write_text(json.dumps(result))
    assert Systems("mine", second="moved", first=run.name).notes[-1].startswith("moved was not tested on these texts")
    with pytest.raises(InputError, match="moved: found another corpus than the run was tested on"):
        Systems("mine", first="moved")
    assert bare.name not in Systems("mine").names
    with pytest.raises(InputError, match="bare: found a finished run without its encoder"):
        Systems("mine", second="bare").explorer("bare")


def test_another_corpus_is_searched_from_its_end(folders, run):
    lines = [{"concept": f"c{n:03}", "language": "en", "query": f"{n}?", "passage": f"{n}"} for n in range(230)]
    file = folders / "own.jsonl"
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    searched = Systems("mine", corpus=str(file)).collection
    assert set(searched.queries["concept"]) == set(load_corpus(str(file)).concepts[-200:])
    assert set(Systems("mine", corpus="scenes").collection.languages) == {"en", "de", "zh"}


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"study": "../elsewhere"}, "study: found the name '../elsewhere'"),
        ({"first": ""}, "explore: found '', expected a name or None"),
        ({"corpus": "absent"}, "corpus: found corpus 'absent', expected scenes"),
        ({"queries": "cat", "first": "tiny"}, "queries: found 'cat', expected a list of texts"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_bad_parameters_are_named(folders, parameters, message):
    with pytest.raises(InputError) as error:
        run_here(EXPLORE, **parameters)
    assert str(error.value).startswith(message)
