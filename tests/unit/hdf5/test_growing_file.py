"""Growing files: what plain readers find after each commit."""

from __future__ import annotations

import errno
import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from bliss_like.errors import SavingError
from bliss_like.hdf5 import GrowingFile, superblock


def found(path: Path, name: str) -> Any:
    """Return what a plain reader finds."""
    with h5py.File(path, "r") as h5:
        return h5[name][()]


def there(path: Path) -> list[str]:
    return sorted(os.listdir(path.parent))


@contextmanager
def room_of(nbytes: int) -> Iterator[None]:
    """Let no file of this process become larger."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (nbytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "file.h5"


def test_readers_find_what_was_committed_and_nothing_else(path: Path) -> None:
    with GrowingFile.open(str(path), new=True) as file:
        dataset = file.make_dataset(file.make_group(file.h5, "1.1", "NXentry"), "a", float, npoints=10)
        file.append(dataset, np.arange(3.0))
        with h5py.File(path, "r") as h5:
            assert list(h5) == []
        file.commit()
        assert found(path, "1.1/a").tolist() == [0, 1, 2]
        file.append(dataset, [3.0])
        assert (dataset.npoints, dataset.committed) == (4, 3)
        assert found(path, "1.1/a").tolist() == [0, 1, 2]
        file.commit()
        assert found(path, "1.1/a").tolist() == [0, 1, 2, 3]
        file.append(dataset, [4.0])
    assert found(path, "1.1/a").tolist() == [0, 1, 2, 3, 4]
    assert there(path) == ["file.h5"]


VALUES = {
    "float64": (np.linspace(-1, 1, 300), float, ()),
    "nan and inf": (np.array([np.nan, np.inf, -np.inf, 0] * 50), float, ()),
    "float32": (np.linspace(0, 1, 300, dtype="f4").reshape(100, 3), "f4", (3,)),
    "float16": (np.arange(300).astype("f2"), "f2", ()),
    "big-endian": (np.arange(300).astype(">i4"), ">i4", ()),
    "bool": (np.arange(300) % 3 == 0, bool, ()),
    "complex": (np.arange(300) * (1 - 2j), complex, ()),
    "uint64": (np.arange(300, dtype="u8") + 2**63, "u8", ()),
    "bytes": (np.array([b"a", b"abc", b""] * 100), "S3", ()),
    "images": (np.arange(20 * 96 * 128, dtype="u2").reshape(20, 96, 128), "u2", (96, 128)),
    "large rows": (np.arange(40 * 5000.0).reshape(40, 5000), float, (5000,)),
    "vectors of one": (np.arange(300.0).reshape(300, 1), float, (1,)),
}


@pytest.mark.parametrize("compression", ["auto", "none", "gzip", "bitshuffle"])
@pytest.mark.parametrize("npoints", [None, 7, 300])
@pytest.mark.parametrize("what", VALUES)
def test_values_come_back_as_they_were(path: Path, what: str, npoints: int | None, compression: Any) -> None:
    values, dtype, shape = VALUES[what]
    with GrowingFile.open(str(path)) as file:
        dataset = file.make_dataset(file.h5, "d", dtype, shape, npoints, compression)
        done, step = 0, 1
        while done < len(values):
            file.append(dataset, values[done : done + step])
            done, step = done + step, step * 3 % 17 + 1
            if done % 2:
                file.commit()
    got = found(path, "d")
    assert got.dtype == values.dtype and np.array_equal(got, values, equal_nan=values.dtype.kind in "fc")


def test_texts_and_points_of_different_lengths(path: Path) -> None:
    texts = ["", "é√", "nul\0nul", "lone \udc80", "x" * 5000]
    with GrowingFile.open(str(path)) as file:
        words = file.make_dataset(file.h5, "words", str)
        ragged = file.make_dataset(file.h5, "ragged", "f4", (-1,))
        for number in range(200):
            file.append(words, [texts[number % len(texts)], str(number)])
            file.append(ragged, [np.arange(number), np.zeros(0)])
            if number % 3 == 0:
                file.commit()
    got = [text.decode() for text in found(path, "words")]
    assert got[1::2] == [str(number) for number in range(200)]
    assert got[0:10:2] == ["", "é√", "nul\\0nul", "lone \\udc80", "x" * 5000]
    rows = found(path, "ragged")
    assert len(rows) == 400 and rows[398].dtype == np.float32
    assert all(
        np.array_equal(rows[2 * number], np.arange(number)) and not len(rows[2 * number + 1]) for number in range(200)
    )


@pytest.mark.parametrize(
    ("dtype", "shape", "message"),
    [
        (object, (), "save it as text"),
        ("datetime64[s]", (), "seconds as float64, or text"),
        ([("x", float)], (), "save it as text"),
        (str, (3,), "one text a point"),
        (float, (0,), "points that have values"),
        (np.uint8, (1 << 16, 1 << 16), "less than 4 GiB"),
    ],
)
def test_what_hdf5_cannot_hold_is_said(path: Path, dtype: Any, shape: tuple[int, ...], message: str) -> None:
    with GrowingFile.open(str(path)) as file, pytest.raises(SavingError, match=message) as caught:
        file.make_dataset(file.h5, "d", dtype, shape)
    assert "/d" in str(caught.value)


@pytest.mark.parametrize(
    ("dtype", "shape", "block", "message"),
    [
        (float, (3,), np.zeros((2, 4)), r"shape \(n, 3,\), got \(2, 4\)"),
        (float, (), 1.0, r"got \(\)"),
        (np.uint8, (), [1, 256], "values of uint8, got 1 to 256"),
        (np.int32, (), [0.5], "values of int32, got float64"),
        (float, (), ["x"], "values of float64, got <U1"),
        (float, (), [1j], "got complex128"),
        (str, (), [1], "expected text, got int"),
    ],
)
def test_blocks_that_do_not_fit_change_nothing(
    path: Path, dtype: Any, shape: tuple[int, ...], block: Any, message: str
) -> None:
    with GrowingFile.open(str(path)) as file:
        dataset = file.make_dataset(file.h5, "d", dtype, shape)
        with pytest.raises(SavingError, match=message):
            file.append(dataset, block)
        assert dataset.npoints == 0
    assert len(found(path, "d")) == 0


def test_a_file_is_gone_on_with(path: Path) -> None:
    image = np.ones((1, 100, 100), np.uint16)
    with GrowingFile.open(str(path)) as file:
        group = file.make_group(file.h5, "deep/er")
        file.append(file.make_dataset(group, "a", float), [1.0])
        file.append(file.make_dataset(group, "image", np.uint16, (100, 100)), image)
        file.append(file.make_dataset(group, "words", str), ["a"])
        file.append(file.make_dataset(group, "ragged", int, (-1,)), [[1, 2]])
        file.h5["fixed"] = 1
    with GrowingFile.open(str(path)) as file:
        with pytest.raises(FileExistsError):
            GrowingFile.open(str(path), new=True)
        with pytest.raises(SavingError, match="expected a dataset that can grow"):
            file.growing("fixed")
        again = {name: file.growing(f"deep/er/{name}") for name in ("a", "image", "words", "ragged")}
        assert [dataset.npoints for dataset in again.values()] == [1, 1, 1, 1]
        assert file.growing("/deep/er/a") is again["a"]
        for name, block in {"a": [2.0], "image": 2 * image, "words": ["b"], "ragged": [[3]]}.items():
            file.append(again[name], block)
    with h5py.File(path) as h5:
        assert h5["deep/er/a"][()].tolist() == [1, 2] and h5["deep/er/image"][:, 0, 0].tolist() == [1, 2]
        assert h5["deep/er/words"].asstr()[()].tolist() == ["a", "b"] and list(h5["deep/er/ragged"][1]) == [3]


def test_two_writers_are_refused_by_name(path: Path) -> None:
    with (
        GrowingFile.open(str(path)) as file,
        pytest.raises(SavingError, match=rf"process {os.getpid()} on .*\(since ") as caught,
    ):
        GrowingFile.open(str(path))
    assert str(path) in str(caught.value)
    file = GrowingFile.open(str(path))  # it is free again
    file.close()
    file.close()


@pytest.mark.parametrize("content", [b"", b"CDF\x01 not ours", b"\x89HDF\r\n\x1a\n\x03" + bytes(90)])
def test_a_file_of_another_program_is_left_as_it_is(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(SavingError, match=r"expected an HDF5 file.*(move it away)"):
        GrowingFile.open(str(path))
    assert path.read_bytes() == content and there(path) == ["file.h5"]


def test_abandoned_it_is_as_after_the_last_commit(path: Path) -> None:
    file = GrowingFile.open(str(path))
    dataset = file.make_dataset(file.h5, "a", float)
    file.append(dataset, [1.0])
    file.commit()
    size = len(found(path, "a"))
    file.append(dataset, np.zeros(2_000_000))  # some of it is on disk already
    file.h5["other"] = 1
    file.abandon()
    file.abandon()
    assert size == 1 and found(path, "a").tolist() == [1.0] and there(path) == ["file.h5"]
    with h5py.File(path) as h5:
        assert list(h5) == ["a"]
    assert path.stat().st_size < 100_000


def test_nothing_is_lost_when_the_disk_is_full_for_a_while(path: Path) -> None:
    rng = np.random.default_rng(1)
    values, images = rng.random(400_000), rng.integers(0, 60_000, (20, 128, 128), np.uint16)
    with GrowingFile.open(str(path)) as file:
        scalars = file.make_dataset(file.h5, "a", float)
        pictures = file.make_dataset(file.h5, "image", np.uint16, (128, 128))
        words = file.make_dataset(file.h5, "words", str)
        file.append(scalars, values[:10])
        file.commit()
        with room_of(1 << 20):
            for number in range(20):
                file.append(scalars, values[10 + number * 20_000 : 10 + (number + 1) * 20_000])
                file.append(pictures, images[number : number + 1])
                file.append(words, ["word" * 100])
                try:
                    file.commit()
                except OSError as error:
                    assert error.errno == errno.EFBIG and error.filename == str(path)
                else:
                    assert number < 19, "the disk was never full"
            assert 10 <= len(found(path, "a")) < 400_000
            with pytest.raises(OSError):
                file.close()
        file.append(scalars, values[400_010:])
        file.commit()
        file.append(scalars, values[-0:0])
    assert np.array_equal(found(path, "a"), values)
    assert np.array_equal(found(path, "image"), images)
    assert len(found(path, "words")) == 20


def test_no_room_for_a_new_file(path: Path) -> None:
    with room_of(1000), pytest.raises(OSError):
        GrowingFile.open(str(path))
    assert there(path) == []
    GrowingFile.open(str(path)).close()


def test_a_name_that_is_taken_meanwhile_is_not_overwritten(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    link = os.link

    def taken(part: str, new: str) -> None:
        path.write_text("another program's")
        link(part, new)

    monkeypatch.setattr(os, "link", taken)
    with pytest.raises(FileExistsError):
        GrowingFile.open(str(path))
    assert path.read_text() == "another program's" and there(path) == ["file.h5"]


def test_what_a_killed_writer_has_left_of_the_name_does_not_harm_a_file_that_was_moved(path: Path) -> None:
    """It may die between giving the file its name and taking the first one away."""
    with GrowingFile.open(str(path)) as file:
        file.append(file.make_dataset(file.h5, "a", float), [1.0])
    os.link(path, path.parent / ".file.h5.part")
    moved = path.rename(path.parent / "moved.h5")
    with GrowingFile.open(str(path)) as file:
        file.append(file.make_dataset(file.h5, "a", float), [2.0])
    assert found(moved, "a").tolist() == [1] and found(path, "a").tolist() == [2]
    assert there(path) == ["file.h5", "moved.h5"]


def test_links_beyond_what_was_expected(path: Path) -> None:
    with GrowingFile.open(str(path)) as file:
        for number in range(1, 60):
            group = file.make_group(file.h5, f"{number}.1", links=2)
            for name in "abcdefgh":
                group[name] = h5py.SoftLink("/1.1")
            file.commit()
    with h5py.File(path) as h5:
        assert list(h5) == [f"{number}.1" for number in range(1, 60)]
        assert all(list(group) == list("abcdefgh") for group in h5.values())


def test_thousands_of_images_are_found_while_their_index_grows(path: Path) -> None:
    with GrowingFile.open(str(path)) as file:
        dataset = file.make_dataset(file.h5, "d", np.uint8, (128, 128), compression="gzip")
        for number in range(0, 5000, 50):
            file.append(dataset, np.full((50, 128, 128), number // 50, np.uint8))
            file.commit()
            with h5py.File(path) as h5:
                assert h5["d"].shape[0] == number + 50
                assert (
                    h5["d"][:: 1 + number // 10, 0, 0].tolist()
                    == (np.arange(0, number + 50, 1 + number // 10) // 50).tolist()
                )
    with h5py.File(path) as h5:
        assert h5["d"].id.get_num_chunks() == 5000
        places = {h5["d"].id.get_chunk_info(number).chunk_offset[0] for number in range(0, 5000, 7)}
        assert places == set(range(0, 5000, 7))


def test_a_file_is_never_shorter_than_it_claims(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(superblock, "_LEAST", 1 << 16)
    monkeypatch.setattr(superblock, "_SECONDS", 0)
    with GrowingFile.open(str(path)) as file:
        dataset = file.make_dataset(file.h5, "a", float, npoints=7000)
        file.commit()
        claimed = superblock.length_in(path.read_bytes())
        with room_of(path.stat().st_size):  # it cannot be made ready for more
            file.append(dataset, np.arange(7000.0))
            file.commit()
            assert found(path, "a").tolist() == list(range(7000))
            assert path.stat().st_size >= claimed


def test_a_dataset_that_was_let_go_is_as_it_was(path: Path) -> None:
    with GrowingFile.open(str(path)) as file:
        dataset = file.make_dataset(file.h5, "a", float, npoints=10)
        file.append(dataset, [1.0])
        file.commit()
        file.let_go(dataset)
        file.append(file.growing("/a"), [2.0])
    assert found(path, "a").tolist() == [1, 2]
