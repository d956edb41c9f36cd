from nbformat.v4 import new_code_cell, new_markdown_cell, new_output

from hybridlib.page_cells import merged

OUTPUT = [new_output("display_data", {"text/plain": "1"})]


def code(source, *, shows=False, tags=()):
    return new_code_cell(source, outputs=OUTPUT if shows else [], metadata={"tags": list(tags)})


def sources(*cells):
    return [cell.source for cell in merged(cells)]


def test_code_without_outputs_stands_before_that_of_the_next_cell():
    cells = [code("a"), code("b"), code("c", shows=True), code("d", shows=True)]
    assert sources(*cells) == ["a\n\nb\n\nc", "d"]
    assert [len(cell.outputs) for cell in merged([code("a"), code("c", shows=True)])] == [1]


def test_it_does_not_pass_a_text():
    cells = [code("a"), code("b"), new_markdown_cell("# Title"), code("c", shows=True)]
    assert sources(*cells) == ["a\n\nb", "# Title", "c"]


def test_at_the_end_it_stands_together():
    assert sources(code("c", shows=True), code("a"), code("b")) == ["c", "a\n\nb"]


def test_it_passes_a_cell_that_hides_its_code():
    cells = [code("a"), code("hidden", shows=True, tags=["hide-input"]), code("c", shows=True)]
    assert sources(*cells) == ["hidden", "a\n\nc"]


def test_what_hides_its_code_and_shows_nothing_stays_as_it_is():
    assert sources(code("hidden", tags=["hide-input"]), code("c", shows=True)) == ["hidden", "c"]


def test_nothing_is_nothing():
    assert merged([]) == []
