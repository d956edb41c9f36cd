from types import SimpleNamespace

import matplotlib as mpl
import pandas as pd
import pytest
from bs4 import BeautifulSoup
from IPython.display import HTML, Image, Markdown
from matplotlib import pyplot as plt

from hybridlib import show
from hybridlib.config import RunConfig
from hybridlib.study import papermill_command

mpl.use("Agg")


@pytest.fixture
def shown(monkeypatch):
    """What was displayed, in order."""
    displayed = []
    monkeypatch.setattr(show, "display", displayed.append)
    return displayed


@pytest.fixture
def drawn():
    return plt.subplots(figsize=(2, 1))[0]


def html_of(shown):
    return next(item.data for item in shown if isinstance(item, HTML))


def cells(html, tag="td"):
    return [cell.get_text() for cell in BeautifulSoup(html, "html.parser").find_all(tag)]


HOSTILE = "<img src=x onerror=alert(1)> & \"'"


def test_cells_heads_and_index_are_escaped(shown):
    show.table(pd.DataFrame({HOSTILE: [HOSTILE]}, index=pd.Index([HOSTILE], name=HOSTILE)))
    page = BeautifulSoup(html_of(shown), "html.parser")
    assert page.find("img") is None
    assert [cell.get_text() for cell in page.find_all(["th", "td"])] == [HOSTILE] * 4


def test_text_that_turns_the_direction_is_shown_as_an_escape(shown):
    turning = "a\u202eb\u2066c\x1b"
    show.table(pd.DataFrame({turning: [turning]}, index=pd.Index([turning], name=turning)))
    assert cells(html_of(shown), ["th", "td"]) == [r"a\u202eb\u2066c\x1b"] * 4


def test_cell_with_a_star_is_bold_and_loses_it(shown):
    show.table(pd.DataFrame({"a": ["*0.5", "0.4"]}))
    page = BeautifulSoup(html_of(shown), "html.parser")
    assert cells(str(page)) == ["0.5", "0.4"]
    assert [cell.get_text() for cell in page.find_all("strong")] == ["0.5"]


def test_only_the_first_star_is_the_marker(shown):
    show.table(pd.DataFrame({"a": ["**x*", "y*"]}))
    assert cells(html_of(shown)) == ["*x*", "y*"]


def test_bold_cells_are_escaped_too(shown):
    show.table(pd.DataFrame({"a": [f"*{HOSTILE}"]}))
    assert BeautifulSoup(html_of(shown), "html.parser").find("img") is None
    assert cells(html_of(shown)) == [HOSTILE]


def test_rows_and_columns_keep_their_order(shown):
    show.table(pd.DataFrame({"b": [1, 2], "a": [3, 4]}, index=["z", "y"]))
    assert cells(html_of(shown), "th") == ["", "b", "a", "z", "y"]
    assert cells(html_of(shown)) == ["1", "3", "2", "4"]


def test_sentences_stand_below_the_table(shown):
    show.table(pd.DataFrame({"a": [1]}), read="Up is better.", finding="It is up.")
    assert [item.data for item in shown[1:]] == ["*How to read it.* Up is better.", "*Result.* It is up."]


def test_table_without_sentences_is_alone(shown):
    show.table(pd.DataFrame({"a": [1]}))
    assert len(shown) == 1


def test_a_folded_table_opens_at_a_line(shown):
    show.folded_table(pd.DataFrame({"a": [HOSTILE]}), summary=f"1 row {HOSTILE}", read="Up is better.")
    (html,) = shown
    page = BeautifulSoup(html.data, "html.parser")
    assert page.details.summary.get_text() == f"1 row {HOSTILE}"
    assert page.details.p.get_text() == "How to read it. Up is better."
    assert cells(str(page.details.table)) == [HOSTILE]
    assert page.find("img") is None


def test_a_long_table_is_folded_with_its_number_of_rows(shown, tmp_path):
    """What it shows, and links to its files, are not."""
    show.long_table(pd.DataFrame({"a": range(31)}), read="Up.", finding="It is up.", file=tmp_path / "tables" / "long")
    page = BeautifulSoup(html_of(shown), "html.parser")
    assert page.details["class"] == ["folded"]
    assert page.details.summary.get_text() == "31 rows"
    assert cells(str(page.details.table)) == [str(n) for n in range(31)]
    assert "<details" not in "".join(str(item.data) for item in shown[1:])
    assert [item.data for item in shown[2:]] == ["*How to read it.* Up.", "*Result.* It is up."]
    assert (tmp_path / "tables" / "long.csv").is_file()


def test_a_table_that_is_not_long_is_not_folded(shown):
    show.long_table(pd.DataFrame({"a": range(30)}), read="Up.")
    show.table(pd.DataFrame({"a": range(30)}), read="Up.")
    assert shown[0].data == shown[2].data
    assert "details" not in shown[0].data


def test_links_below_a_table_lead_to_its_files(shown, tmp_path):
    content = pd.DataFrame({"a & b": ["*0.5", HOSTILE]}, index=pd.Index(["x", "y"], name="system"))
    show.table(content, file=tmp_path / "tables" / "alpha-0.5")
    links = BeautifulSoup(shown[1].data, "html.parser").find_all("a")
    assert [(link.get_text(), link["href"]) for link in links] == [
        ("CSV", "tables/alpha-0.5.csv"),
        ("LaTeX", "tables/alpha-0.5.tex"),
    ]
    kept = pd.read_csv(tmp_path / links[0]["href"], dtype=str)
    assert kept.to_dict("list") == {"system": ["x", "y"], "a & b": ["0.5", HOSTILE]}
    assert r"x & \textbf{0.5}" in (tmp_path / links[1]["href"]).read_text()


def test_figure_is_a_picture_with_its_alt_text(shown, drawn):
    show.figure(drawn, alt='Bars: "a" < b.', read="r", finding="f")
    picture = shown[0]
    assert isinstance(picture, Image)
    data, metadata = picture._repr_mimebundle_()
    assert set(data) == {"image/png"}
    assert metadata["image/png"]["alt"] == 'Bars: "a" < b.'


def test_sentences_stand_below_the_figure(shown, drawn):
    show.figure(drawn, alt="a", read="Up is better.", finding="It is up.")
    assert isinstance(shown[1], Markdown)
    assert shown[1].data == "*How to read it.* Up is better.\n\n*Result.* It is up."


def test_figure_is_closed(shown, drawn):
    show.figure(drawn, alt="a", read="r", finding="f")
    assert not plt.fignum_exists(drawn.number)


def test_file_is_the_picture_that_is_shown(shown, drawn, tmp_path):
    file = tmp_path / "figures" / "a.png"
    show.figure(drawn, alt="a", read="r", finding="f", file=file)
    assert file.read_bytes() == shown[0].data
    assert file.read_bytes().startswith(b"\x89PNG")
    assert list(file.parent.iterdir()) == [file]


def test_file_is_replaced_whole_or_not_at_all(shown, drawn, tmp_path, monkeypatch):
    file = tmp_path / "a.png"
    file.write_bytes(b"old")

    def full_disk(_descriptor):
        raise OSError("no space left on device")

    monkeypatch.setattr("os.fsync", full_disk)
    with pytest.raises(OSError, match="no space"):
        show.figure(drawn, alt="a", read="r", finding="f", file=file)
    assert file.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [file]


def finished_run(name="mixed-seed1-0", **config):
    means = {
        "monolingual": {"nDCG@10": 0.7},
        "multilingual": {"nDCG@10": 0.5, "rank_distance": 1234.5},
    }
    result = {"means": {"all": means}, "seconds": {"train": 61.4}}
    return SimpleNamespace(folder=SimpleNamespace(name=name), config=RunConfig(**config), result=result)


def test_runs_link_to_their_pages(shown):
    show.runs(SimpleNamespace(name="quick"), [finished_run("a"), finished_run("b")])
    links = BeautifulSoup(html_of(shown), "html.parser").find_all("a")
    assert [(link["href"], link.get_text()) for link in links] == [
        ("runs/a/index.html", "a"),
        ("runs/b/index.html", "b"),
    ]


@pytest.mark.parametrize(("count", "folded"), [(8, False), (9, True)])
def test_many_runs_are_folded_into_a_line(shown, count, folded):
    show.runs(SimpleNamespace(name="quick"), [finished_run(f"run-{i}") for i in range(count)])
    page = BeautifulSoup(html_of(shown), "html.parser")
    assert len(page.find_all("a")) == count
    assert [line.get_text() for line in page.select("details.folded > summary")] == [
        "9 runs, each with its command"
    ] * folded


def test_systems_made_of_runs_link_to_their_pages(shown):
    made = SimpleNamespace(
        folder=SimpleNamespace(name="averaged-1"),
        result={"debiasings": ["none", "centring"]},
        label=lambda debiasing: f"averaged <{debiasing}>",
    )
    show.systems([made])
    assert BeautifulSoup(html_of(shown), "html.parser").tbody.th.a["href"] == "systems/averaged-1/index.html"
    assert cells(html_of(shown)) == ["averaged <none>, averaged <centring>"]


def test_no_system_made_of_runs_no_table(shown):
    show.systems([])
    assert shown == []


def test_runs_show_scores_and_cost(shown):
    show.runs(SimpleNamespace(name="quick"), [finished_run()])
    assert cells(html_of(shown))[:3] == ["0.700 monolingual, 0.500 multilingual", "1,234", "61"]


def test_untrained_run_took_no_training(shown):
    run = finished_run(sampler="untrained")
    run.result["seconds"] = {}
    show.runs(SimpleNamespace(name="quick"), [run])
    assert cells(html_of(shown))[2] == "0"


def test_command_of_a_run_is_escaped(shown):
    run = finished_run(corpus="<script>a & b.jsonl")
    show.runs(SimpleNamespace(name="quick"), [run])
    page = BeautifulSoup(html_of(shown), "html.parser")
    assert page.find("script") is None
    assert page.find("code").get_text() == papermill_command(run.config, "quick", "mixed-seed1-0")


@pytest.mark.parametrize(("rows", "kind"), [(400, ["folded"]), (401, ["folded", "unprinted"])])
def test_a_table_that_would_fill_a_book_is_not_printed(shown, rows, kind):
    show.folded_table(pd.DataFrame({"a": range(rows)}), summary="rows", read="Up.")
    assert BeautifulSoup(shown[0].data, "html.parser").details["class"] == kind
