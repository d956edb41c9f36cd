"""Pages in headless Chromium, on a phone and on a wide screen: one with every kind of output, and committed ones."""

import io
import subprocess
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import unquote, urldefrag, urlsplit

import matplotlib as mpl
import numpy as np
import PIL.Image
import pytest
from axe_playwright_python.sync_playwright import Axe
from small_page import make

mpl.use("Agg")
PROJECT = Path(__file__).parents[2]
GENERATOR = "hybridlib page 4"
ACCESSIBLE = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"], "resultTypes": ["violations"]}
SMALL = "everything"


def committed_pages():
    """Pages that git tracks, as paths in the project: all of studies, two of runs, two of evaluations."""
    listed = subprocess.run(["git", "ls-files", "-z", "reports"], cwd=PROJECT, capture_output=True, text=True)
    tracked = [Path(name) for name in sorted(listed.stdout.split("\0")) if Path(name).name == "index.html"]
    there = [file for file in tracked if (PROJECT / file).is_file()]
    runs = [file for file in there if file.parent.parent.name in ("runs", "systems")]
    evaluations = [file for file in there if file.parts[1] == "evaluate" and file not in runs]
    return [str(file) for file in there if file not in runs[1:-1] and file not in evaluations[1:-1]]


@pytest.fixture(scope="module")
def everything(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        return make(tmp_path_factory.mktemp("report"), patch)


VIEWS = [(SMALL, width, colours) for width in (390, 1440) for colours in ("light", "dark")]
VIEWS += [(file, *view) for file in committed_pages() for view in ((390, "light"), (1440, "dark"))]


@pytest.fixture(scope="module", params=VIEWS, ids=lambda view: "-".join(map(str, view)))
def opened(request, chromium, everything):
    """A page that was opened, everything unfolded, with what it said on the console and what it asked for."""
    name, width, colours = request.param
    file = everything if name == SMALL else PROJECT / name
    context = chromium.new_context(viewport={"width": width, "height": 900}, color_scheme=colours, offline=True)
    page, said, asked = context.new_page(), [], []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda sent: asked.append(sent.url))
    context.route("**/*", lambda route: route.continue_() if route.request.url.startswith("file:") else route.abort())
    page.goto(file.as_uri(), wait_until="load")
    page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true })")
    yield SimpleNamespace(page=page, said=said, asked=asked, file=file)
    context.close()


@pytest.fixture
def current(opened):
    if opened.page.locator(f'meta[name="generator"][content="{GENERATOR}"]').count() == 0:
        pytest.skip("made by an older template")
    return opened.page


def test_console_is_silent(opened):
    assert opened.said == []


def test_no_request_leaves_the_machine(opened):
    assert opened.asked[0] == opened.file.as_uri()
    assert {url for url in opened.asked[1:] if not url.startswith("data:image/png;base64,")} == set()


def test_every_picture_is_shown_and_described(opened):
    pictures = opened.page.evaluate("[...document.images].map(one => [one.complete && one.naturalWidth > 0, one.alt])")
    assert [picture for picture in pictures if not picture[0] or len(picture[1]) < 10] == []


def test_every_local_link_leads_somewhere(opened):
    links = opened.page.evaluate("[...document.querySelectorAll('a[href]')].map(one => one.href)")
    identifiers = set(opened.page.evaluate("[...document.querySelectorAll('[id]')].map(one => one.id)"))
    for link in links:
        place, fragment = urldefrag(link)
        if place == opened.file.as_uri():
            assert {fragment, unquote(fragment)} & identifiers, link
        elif not place.startswith("https:"):
            assert Path(unquote(urlsplit(place).path)).is_file(), link


def test_page_does_not_scroll_sideways(current):
    assert current.evaluate("[document.documentElement.scrollWidth - innerWidth, scrollX]") == [0, 0]


def test_headings_are_in_order(current):
    names = current.evaluate("[...document.querySelectorAll('h1, h2, h3, h4, h5, h6')].map(one => one.tagName)")
    levels = [int(name[1]) for name in names]
    assert (levels[0], levels.count(1)) == (1, 1)
    assert [pair for pair in pairwise(levels) if pair[1] > pair[0] + 1] == []


def test_accessibility_checker_finds_nothing(current):
    """On five rows of each table and three pieces of code: more are alike, and take the checker a minute."""
    current.evaluate("document.querySelectorAll('tr:nth-child(n + 6)').forEach(row => row.remove())")
    code = "main details:not(.claims *, .folded)"
    current.evaluate(f"[...document.querySelectorAll('{code}')].slice(3).forEach(one => one.remove())")
    results = Axe().run(current, options=ACCESSIBLE)
    assert results.violations_count == 0, results.generate_report()


@pytest.fixture(params=[390, 1440])
def untouched(request, chromium, everything):
    """The page with everything as a reader finds it, and the width of the screen."""
    page = chromium.new_page(viewport={"width": request.param, "height": 900})
    page.goto(everything.as_uri())
    yield page, request.param
    page.close()


def test_contents_are_folded_away_on_a_phone_alone(untouched):
    page, width = untouched
    assert page.locator("nav a").first.is_visible() == (width == 1440)
    assert page.locator("nav summary").is_visible() == (width == 390)


def test_table_that_is_too_wide_scrolls_by_key(untouched):
    assert_scrolls(untouched[0], widest_table(untouched[0]))


def assert_scrolls(page, region):
    region.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("region => region.scrollLeft > 0", arg=region.element_handle())


def test_wide_picture_keeps_its_size_on_a_phone_and_scrolls_by_key(untouched):
    page, width = untouched
    region = page.locator(".wide:has(img)").first
    shown, natural = region.locator("img").evaluate("one => [one.getBoundingClientRect().width, one.naturalWidth]")
    if width == 390:
        assert shown == pytest.approx(0.75 * natural, abs=1)
        assert_scrolls(page, region)
    else:
        assert shown == pytest.approx(min(natural, region.evaluate("one => one.clientWidth")), abs=1)


def test_first_column_stays_while_a_table_scrolls(untouched):
    page, _ = untouched
    region = widest_table(page)
    cell = region.locator("tbody tr > :first-child").first
    left = region.evaluate("one => one.getBoundingClientRect().left")
    region.evaluate("one => { one.scrollLeft = 300 }")
    assert region.evaluate("one => one.scrollLeft") > 0
    assert cell.evaluate("one => one.getBoundingClientRect().left") == pytest.approx(left, abs=1)
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert cell.evaluate("one => getComputedStyle(one).backgroundColor") == paper


def test_words_begin_at_the_left(untouched):
    page, _ = untouched
    page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true })")
    for cell in page.locator("th:text-is('command'), td:has(code)").all():
        assert cell.evaluate("one => getComputedStyle(one).textAlign") in ("left", "start")


def test_verdicts_do_not_reach_into_the_claims(untouched):
    page, _ = untouched
    verdicts = page.locator(".verdict").all()
    assert len(verdicts) == 3
    for verdict in verdicts:
        width, needed = verdict.evaluate("one => [one.clientWidth, one.scrollWidth]")
        assert needed <= width
    if page.viewport_size["width"] == 1440:
        assert len({verdict.evaluate("one => one.getBoundingClientRect().width") for verdict in verdicts}) == 1


def test_edges_beyond_which_there_is_more_have_a_shadow(untouched):
    """The usual pixel at the right is darker than paper before a region is scrolled to its end, and not after."""
    page, _ = untouched
    region = widest_table(page)
    assert lightness_at_the_right(region) < 250
    region.evaluate("one => { one.scrollLeft = one.scrollWidth }")
    assert lightness_at_the_right(region) == 255


def widest_table(page):
    """The region of the table that reaches furthest beyond it."""
    regions = page.locator(".wide:has(table)").filter(visible=True).all()
    return max(regions, key=lambda one: one.evaluate("one => one.scrollWidth - one.clientWidth"))


def lightness_at_the_right(region):
    """Of the darkest of the last five columns of pixels, the median."""
    with PIL.Image.open(io.BytesIO(region.screenshot())) as picture:
        grey = np.asarray(picture.convert("L"))[:, -5:]
    return np.median(grey, axis=0).min()


def test_paper_has_whole_tables_what_folds_open_to_and_no_code(untouched):
    page, _ = untouched
    page.emulate_media(media="print")
    assert page.locator("nav, details:not(.claims *, .folded), .download").filter(visible=True).count() == 0
    assert page.locator("img, table").filter(visible=True).count() == page.locator("img, table").count() == 9
    opened = page.locator(".claims details p, .folded p")
    assert opened.filter(visible=True).count() == opened.count() == 10
    assert {table.evaluate("one => getComputedStyle(one).overflowX") for table in page.locator(".wide").all()} == {
        "visible"
    }
