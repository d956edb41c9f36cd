import io
from pathlib import Path

import numpy as np
import pytest

from hybridlib import vectors
from hybridlib.errors import InputError
from hybridlib.vectors import read_vectors, write_vectors

IDS = ["a", "b c", "文書", "d%", "e"]


def unit(seed: int = 0, dtype: str = "float32") -> np.ndarray:
    rows = np.random.default_rng(seed).normal(size=(5, 7))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(dtype)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Unit vectors of both roles."""
    write_vectors(tmp_path, "query", IDS, unit(0))
    write_vectors(tmp_path, "passage", IDS, unit(1))
    return tmp_path


def replace(folder: Path, array: np.ndarray, **options) -> None:
    np.save(folder / "queries.npy", array, **options)


def test_vectors_come_back_memory_mapped(folder):
    for seed, role in enumerate(("query", "passage")):
        found = read_vectors(folder, role, IDS)
        assert found.tobytes() == unit(seed).tobytes()
        assert isinstance(found, np.memmap)


def test_folder_holds_four_plain_files(folder):
    assert sorted(path.name for path in folder.iterdir()) == [
        "passages.ids.txt", "passages.npy", "queries.ids.txt", "queries.npy",
    ]  # fmt: skip
    assert (folder / "queries.ids.txt").read_bytes() == "a\nb c\n文書\nd%\ne\n".encode()
    assert np.array_equal(np.load(folder / "queries.npy", allow_pickle=False), unit(0))


def test_vectors_are_in_the_order_of_the_ids(folder):
    assert np.array_equal(read_vectors(folder, "query", ["e", "a", "文書"]), unit(0)[[4, 0, 2]])


def test_first_rows_are_memory_mapped_too(folder):
    found = read_vectors(folder, "query", IDS[:2])
    assert isinstance(found, np.memmap)
    assert np.array_equal(found, unit(0)[:2])


@pytest.mark.parametrize(("dtype", "error"), [("float16", 2e-3), ("float64", 1e-7), (">f4", 1e-7)])
def test_other_floats_become_float32_of_unit_length(tmp_path, dtype, error):
    write_vectors(tmp_path, "query", IDS, unit(0, dtype))
    found = read_vectors(tmp_path, "query", IDS)
    assert found.dtype == np.dtype("=f4")
    assert found == pytest.approx(unit(0), abs=error)
    assert np.linalg.norm(found.astype(float), axis=1) == pytest.approx(np.ones(5), abs=2e-7)


@pytest.mark.parametrize("block", [1, 14, 1 << 20])
def test_other_lengths_become_1_and_unit_rows_stay_bit_for_bit(tmp_path, monkeypatch, block):
    monkeypatch.setattr(vectors, "_NUMBERS", block)
    scaled = unit(0) * np.array([[1], [3], [1], [1e-20], [1e20]], dtype=np.float32)
    write_vectors(tmp_path, "query", IDS, scaled)
    found = read_vectors(tmp_path, "query", IDS)
    assert found == pytest.approx(unit(0), abs=2e-7)
    assert found[[0, 2]].tobytes() == unit(0)[[0, 2]].tobytes()


def test_columns_in_fortran_order_are_read(tmp_path):
    write_vectors(tmp_path, "query", IDS, np.asfortranarray(unit(0)))
    found = read_vectors(tmp_path, "query", IDS)
    assert np.array_equal(found, unit(0))
    assert found.flags.c_contiguous


def test_ids_with_windows_line_ends_and_a_byte_order_mark(folder):
    (folder / "queries.ids.txt").write_bytes("\ufeffa\r\nb c\r\n文書\r\nd%\r\ne".encode())
    assert np.array_equal(read_vectors(folder, "query", IDS), unit(0))


def test_missing_ids_are_counted_and_three_are_named(folder):
    with pytest.raises(InputError, match=r"queries.ids.txt: found 4 of 5 ids missing \('w', 'x', 'y'\)"):
        read_vectors(folder, "query", ["w", "a", "x", "y", "z"])


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("a\nb\nc\nd\n", r"queries.ids.txt: found 4 ids, expected 5, as queries.npy has rows"),
        ("a\nb\n\nd\ne\n", r"queries.ids.txt:3: found id '' blank"),
        ("a\nb\n \t\r\nd\ne\n", r"queries.ids.txt:3: found id ' \\t' blank"),
        ("a\nb\nc\nb\ne\n", r"queries.ids.txt:4: found id 'b' that stands above"),
        (b"a\nb\nc\xff\nd\ne\n", r"queries.ids.txt:3: found bytes that are not UTF-8"),
        ("", r"queries.ids.txt:1: found id '' blank"),
    ],
)
def test_ids_that_cannot_be_used(folder, data, message):
    (folder / "queries.ids.txt").write_bytes(data if isinstance(data, bytes) else data.encode())
    with pytest.raises(InputError, match=message):
        read_vectors(folder, "query", ["a"])


@pytest.mark.parametrize("size", [0, 5, 40, 130, -1])
def test_cut_vectors_are_refused(folder, size):
    path = folder / "queries.npy"
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(InputError, match=r"queries.npy: found no array that can be read .*, expected a whole .npy"):
        read_vectors(folder, "query", IDS)


def test_bytes_after_the_vectors_are_refused(folder):
    path = folder / "queries.npy"
    path.write_bytes(path.read_bytes() + b"x")
    with pytest.raises(InputError, match=r"queries.npy: found 269 bytes, expected 268"):
        read_vectors(folder, "query", IDS)


@pytest.mark.parametrize("change", [(b"'<f4'", b"'xx4'"), (b"(5, 7)", b"((((((")])
def test_damaged_headers_are_refused(folder, change):
    path = folder / "queries.npy"
    path.write_bytes(path.read_bytes().replace(*change))
    with pytest.raises(InputError, match=r"queries.npy: found no array"):
        read_vectors(folder, "query", IDS)


def test_archives_and_pickles_are_refused(folder):
    stream = io.BytesIO()
    np.savez(stream, unit(0))
    (folder / "queries.npy").write_bytes(stream.getvalue())
    with pytest.raises(InputError, match="found no array that can be read"):
        read_vectors(folder, "query", IDS)
    replace(folder, np.array([[{}]] * 5), allow_pickle=True)
    with pytest.raises(InputError, match=r"found no array that can be read .*Python objects"):
        read_vectors(folder, "query", IDS)


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (unit(0)[0], r"found shape \(7,\), expected \(texts, dimensions\)"),
        (unit(0)[None], r"found shape \(1, 5, 7\)"),
        (unit(0)[:, :0], r"found shape \(5, 0\)"),
        (np.ones((5, 7), dtype=np.int8), "found int8 numbers, expected float16, float32 or float64"),
        (np.ones((5, 7), dtype=np.complex64), "found complex64 numbers"),
        (np.ones((5, 7), dtype=np.longdouble), "found float128 numbers"),
    ],
)
def test_arrays_of_another_kind_are_neither_read_nor_written(folder, array, message):
    with pytest.raises(InputError, match=f"queries.npy: {message}"):
        write_vectors(folder, "query", IDS, array)
    assert np.array_equal(read_vectors(folder, "query", IDS), unit(0))
    replace(folder, array)
    with pytest.raises(InputError, match=f"queries.npy: {message}"):
        read_vectors(folder, "query", IDS)


@pytest.mark.parametrize(("value", "length"), [(np.nan, "nan"), (np.inf, "inf"), (0.0, "0.0")])
def test_rows_without_a_direction_are_neither_read_nor_written(folder, monkeypatch, value, length):
    monkeypatch.setattr(vectors, "_NUMBERS", 14)
    array = unit(0)
    array[3] *= 0
    array[3, 2] = value
    message = rf"queries.npy:row 4 \(id 'd%'\): found a vector of length {length}, expected a finite one above 0"
    with pytest.raises(InputError, match=message):
        write_vectors(folder, "query", IDS, array)
    replace(folder, array)
    for ids in (IDS, IDS[::-1]):
        with pytest.raises(InputError, match=message):
            read_vectors(folder, "query", ids)
    assert np.array_equal(read_vectors(folder, "query", IDS[:3]), unit(0)[:3])


@pytest.mark.parametrize(
    ("ids", "message"),
    [
        (IDS[:4], "queries.ids.txt: found 4 ids, expected 5, one a vector"),
        (["a", "b", "c", "d", "a"], r"queries.ids.txt:5: found id 'a' that stands above"),
        (["a", "b\n", "c", "d", "e"], r"queries.ids.txt:2: found id 'b\\n', expected one line"),
        (["a", "b\r", "c", "d", "e"], r"queries.ids.txt:2: found id 'b\\r', expected one line"),
        (["a", "b", "\udc00", "d", "e"], r"queries.ids.txt:3: found id '\\udc00', expected one line of Unicode"),
        (["a", "b", " ", "d", "e"], r"queries.ids.txt:3: found id ' ' blank"),
    ],
)
def test_ids_that_cannot_be_written(tmp_path, ids, message):
    with pytest.raises(InputError, match=message):
        write_vectors(tmp_path / "new", "query", ids, unit(0))
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("missing", ["queries.npy", "queries.ids.txt"])
def test_missing_file_is_named(folder, missing):
    (folder / missing).unlink()
    with pytest.raises(InputError, match=f"{missing}: found no such file"):
        read_vectors(folder, "query", IDS)


def test_role_is_query_or_passage(tmp_path):
    with pytest.raises(InputError, match="found role 'text', expected query or passage"):
        write_vectors(tmp_path, "text", IDS, unit(0))


def test_vectors_that_are_mapped_can_be_written_over(folder):
    write_vectors(folder, "query", IDS[::-1], read_vectors(folder, "query", IDS)[::-1])
    assert np.array_equal(read_vectors(folder, "query", IDS), unit(0))


@pytest.mark.parametrize("moves", [0, 1])
def test_writing_that_is_cut_short_leaves_no_ids_beside_vectors_of_others(folder, monkeypatch, moves):
    """Once neither and once only the vectors came to their place."""
    done, move = [], Path.replace

    def break_down(self, target):
        if len(done) == moves:
            raise OSError("no")
        done.append(target)
        return move(self, target)

    monkeypatch.setattr(Path, "replace", break_down)
    with pytest.raises(OSError, match="no"):
        write_vectors(folder, "query", IDS, unit(2))
    with pytest.raises(InputError, match=r"queries.ids.txt: found no such file"):
        read_vectors(folder, "query", IDS)
    monkeypatch.undo()
    write_vectors(folder, "query", IDS, unit(2))
    assert np.array_equal(read_vectors(folder, "query", IDS), unit(2))
    assert len(list(folder.iterdir())) == 4


def test_writing_that_fails_for_want_of_space_keeps_what_was_there(folder, monkeypatch):
    def full(*_, **__):
        raise OSError("no space")

    monkeypatch.setattr(np, "save", full)
    with pytest.raises(OSError, match="no space"):
        write_vectors(folder, "query", IDS, unit(2))
    assert np.array_equal(read_vectors(folder, "query", IDS), unit(0))
    assert len(list(folder.iterdir())) == 4
