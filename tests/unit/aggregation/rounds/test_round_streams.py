"""Updates as columns: the first read, later reads that are proven by it, and the result's file."""

from __future__ import annotations

import hashlib
import math
import os
from contextlib import ExitStack
from pathlib import Path

import ml_dtypes
import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import load_file, save_file

from provenance.aggregation.passes import ranges_of
from provenance.aggregation.rounds.examining import Examination, examine_update, read_header
from provenance.aggregation.rounds.folder import opened_updates
from provenance.aggregation.rounds.layout import GRID, difference, layout_of, pieces
from provenance.aggregation.rounds.output import written
from provenance.aggregation.rounds.sealing import new_tag
from provenance.aggregation.rounds.side_by_side import SideBySide
from provenance.aggregation.rounds.stream import OpenUpdate, StreamedUpdates
from provenance.errors import Malformed, Refused


def tensors(seed: int, columns: int = 3 * GRID + 5) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {
        "b.weight": rng.normal(size=(columns // 5, 5)).astype("f4"),
        "a": rng.normal(size=(7,)).astype("f4"),
        "c": rng.normal(size=(2 * GRID + 1,)).astype("f2"),
        "d": rng.normal(size=(3, 3)).astype(ml_dtypes.bfloat16),
    }


@pytest.fixture
def stack():
    with ExitStack() as stack:
        yield stack


def opened(path: Path, stack: ExitStack) -> OpenUpdate:
    descriptor = os.open(path, os.O_RDONLY)
    stack.callback(os.close, descriptor)
    return OpenUpdate(path.name, descriptor, examine_update(descriptor))


def save(path: Path, **values: np.ndarray) -> Path:
    save_file(values, path)
    return path


def test_the_first_read_gives_the_digests_and_the_norm(tmp_path, stack):
    values = tensors(1)
    save_file(values, tmp_path / "u.safetensors")
    found = opened(tmp_path / "u.safetensors", stack).examined
    plain = hashlib.sha256((tmp_path / "u.safetensors").read_bytes()).digest()
    assert found.sha256 == plain
    assert found.digest == hashlib.sha256(plain).digest()
    assert [span.name for span in found.layout.spans] == sorted(values)
    expected = math.sqrt(sum(float(np.sum(each.astype("f8") ** 2)) for each in values.values()))
    assert math.isclose(math.sqrt(found.square), expected, rel_tol=1e-5)
    assert found.finite
    assert not found.overflowing


def test_columns_are_the_tensors_in_the_order_of_their_names(tmp_path, stack):
    values = tensors(2)
    save_file(values, tmp_path / "u.safetensors")
    update = opened(tmp_path / "u.safetensors", stack)
    stream = StreamedUpdates([update, update], update.examined.layout)
    expected = np.concatenate([values[name].astype("f4").ravel() for name in sorted(values)])
    assert stream.dtype == np.float32
    assert np.array_equal(stream.chunks(0, stream.d), np.stack([expected, expected]))


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_any_block_is_the_same_columns(tmp_path_factory, data):
    directory = tmp_path_factory.getbasetemp()
    path = directory / "block.safetensors"
    if not path.exists():
        save_file(tensors(3), path)
    with ExitStack() as stack:
        update = opened(path, stack)
        stream = StreamedUpdates([update], update.examined.layout, base=update)
        plain = StreamedUpdates([update], update.examined.layout)
        start = data.draw(st.integers(0, plain.d - 1))
        stop = data.draw(st.integers(start + 1, plain.d))
        assert np.array_equal(plain.chunks(start, stop), plain.chunks(0, plain.d)[:, start:stop])
        assert not stream.chunks(start, stop).any()


def test_pieces_cover_every_column_once_and_respect_the_grid(tmp_path, stack):
    layout = opened(save(tmp_path / "u.safetensors", **tensors(4)), stack).examined.layout
    position = 0
    for piece in pieces(layout):
        assert piece.start == position
        assert piece.start // GRID == (piece.start + piece.length - 1) // GRID
        position += piece.length
    assert position == layout.columns


def test_a_file_that_is_written_to_between_two_reads_is_noticed(tmp_path, stack):
    path = save(tmp_path / "u.safetensors", w=np.ones(5 * GRID, "f4"))
    update = opened(path, stack)
    stream = StreamedUpdates([update], update.examined.layout)
    stream.chunks(0, stream.d)
    with path.open("r+b") as file:
        file.seek(-4, os.SEEK_END)
        file.write(b"\0\0\0\0")
    stream.chunks(0, GRID)  # what did not change can still be read
    with pytest.raises(Refused, match="changed while it was aggregated") as caught:
        stream.chunks(4 * GRID, stream.d)
    assert caught.value.code == "AGG015"


def test_longer_pieces_are_proven_and_read_as_the_shorter_ones(tmp_path, stack):
    path = save(tmp_path / "u.safetensors", v=np.arange(5 * GRID + 9, dtype="f4"), w=np.ones(GRID, "f4"))
    short = opened(path, stack)
    one = Examination(short.descriptor, new_tag())
    together = SideBySide({"u": one}, {"u": short.descriptor}, [short.examined.digest.hex()])
    list(together.passes(together, lambda *_: None))
    long = OpenUpdate("u", short.descriptor, together.examined["u"])
    assert (len(long.examined.tags), len(short.examined.tags)) == (2, 8)
    assert (long.examined.square, long.examined.finite) == (short.examined.square, True)
    both = StreamedUpdates([long, short], long.examined.layout, base=short)
    assert not both.chunks(GRID + 1, 6 * GRID).any()
    assert [start % both.step for start, _ in ranges_of(both, 1)] == [0]
    with path.open("r+b") as file:
        file.seek(-4, os.SEEK_END)
        file.write(b"\0\0\0\0")
    with pytest.raises(Refused):
        StreamedUpdates([long], long.examined.layout).chunks(5 * GRID, 6 * GRID)


def test_a_file_that_shrinks_is_an_error_and_no_signal(tmp_path, stack):
    path = save(tmp_path / "u.safetensors", w=np.ones(5 * GRID, "f4"))
    update = opened(path, stack)
    os.truncate(path, 1000)
    with pytest.raises(Refused):
        StreamedUpdates([update], update.examined.layout).chunks(0, GRID)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", ml_dtypes.bfloat16])
def test_one_value_that_is_no_number_is_noticed(tmp_path, stack, value, dtype):
    values = np.ones(2 * GRID + 3, dtype)
    values[GRID + 1] = value
    assert not opened(save(tmp_path / "u.safetensors", w=values), stack).examined.finite


def test_a_norm_that_its_dtype_cannot_hold_names_the_tensor(tmp_path, stack):
    found = opened(save(tmp_path / "u.safetensors", w=np.full(4, 3e38, "f4"), x=np.ones(3, "f4")), stack)
    assert found.examined.finite
    assert found.examined.overflowing == "w"
    fine = opened(save(tmp_path / "v.safetensors", w=np.full(4, 1e38, "f4")), stack)
    assert not fine.examined.overflowing


def test_a_tensor_without_a_mean_is_refused(tmp_path, stack):
    with pytest.raises(Malformed, match="of which there is no mean"):
        opened(save(tmp_path / "u.safetensors", mask=np.ones(3, bool)), stack)


def test_differences_of_layouts_are_said_in_words(tmp_path, stack):
    one = opened(save(tmp_path / "a.safetensors", w=np.ones((2, 3), "f4")), stack).examined.layout
    shape = opened(save(tmp_path / "b.safetensors", w=np.ones((3, 2), "f4")), stack).examined.layout
    more = opened(save(tmp_path / "c.safetensors", w=np.ones((2, 3), "f4"), x=np.ones(1)), stack).examined
    assert difference(one, one) == ""
    assert difference(shape, one) == "tensor w is F32 [3, 2] in it and F32 [2, 3] in the base model"
    assert difference(more.layout, one) == "it has tensor x, which the base model has not"
    assert difference(one, more.layout) == "it lacks tensor x"


def test_a_result_has_the_base_models_tensors_and_dtypes(tmp_path, stack):
    values = {**tensors(5), "n": np.array(3, "i8")}
    update = opened(save(tmp_path / "u.safetensors", **values), stack)
    layout = update.examined.layout
    stream = StreamedUpdates([update], layout)
    assert stream.dtype == np.float64
    with written(tmp_path / "o.safetensors", layout, {"round": "t@1"}) as output:
        for start in range(0, stream.d, 1000):
            output.store(start, stream.chunks(start, min(start + 1000, stream.d))[0])
    found = load_file(tmp_path / "o.safetensors")
    for name, value in values.items():
        assert found[name].dtype == value.dtype
        assert np.array_equal(found[name], value)
    with (tmp_path / "o.safetensors").open("rb") as file:
        header, _ = read_header(file.fileno())
    assert layout_of(header) == layout
    assert all(tensor.start % 8 == 0 or tensor.dtype != "I64" for tensor in header.tensors)


def test_a_result_that_fails_leaves_nothing_behind(tmp_path, stack):
    layout = opened(save(tmp_path / "u.safetensors", w=np.ones(3, "f4")), stack).examined.layout
    (tmp_path / "out").mkdir()
    with pytest.raises(ZeroDivisionError), written(tmp_path / "out" / "o.safetensors", layout, {}):
        raise ZeroDivisionError
    assert list((tmp_path / "out").iterdir()) == []


def test_a_folder_says_what_is_no_update(tmp_path):
    save(tmp_path / "u.safetensors", w=np.ones(3, "f4"))
    (tmp_path / "notes.txt").write_text("a note\n")
    (tmp_path / "broken.safetensors").write_bytes((100).to_bytes(8, "little") + b'{"w"' + b" " * 96)
    (tmp_path / "model.bin").write_bytes(b"\x80\x02cos\nsystem\nX\x04\x00\x00\x00trueq\x00\x85R.")
    (tmp_path / "link.safetensors").symlink_to("u.safetensors")
    (tmp_path / ".provenance").mkdir()
    (tmp_path / ".provenance" / "u.sigstore.json").write_text("{}")
    with opened_updates(tmp_path) as folder:
        assert [update.name for update in folder.updates] == ["u.safetensors"]
        descriptor = folder.updates[0].descriptor
        assert {each.path for each in folder.rejected} == {
            "broken.safetensors",
            "model.bin",
            "link.safetensors",
        }
        assert {each.rule for each in folder.rejected} == {"AGG011"}
    with pytest.raises(OSError, match="Bad file"):
        os.fstat(descriptor)


def test_rows_that_count_for_nothing_are_not_read_again(tmp_path, stack):
    updates = []
    for number in range(3):
        path = save(tmp_path / f"{number}.safetensors", w=np.full(10, number + 1, "f4"))
        updates.append(opened(path, stack))
    stream = StreamedUpdates(updates, updates[0].examined.layout, base=updates[0])
    os.truncate(tmp_path / "1.safetensors", 8)
    assert stream.sparing([1]).chunks(0, 10)[:, 0].tolist() == [0, 0, 2]
    with pytest.raises(Refused, match=r"1\.safetensors changed"):
        stream.chunks(0, 10)


def test_a_first_read_without_tags_is_proven_by_its_digest_before_another(tmp_path, stack):
    path = save(tmp_path / "u.safetensors", w=np.arange(10, dtype="f4"))
    update = opened(path, stack)
    bare = OpenUpdate(
        update.name, update.descriptor, msgspec.structs.replace(update.examined, tag=None, tags=())
    )
    with pytest.raises(Refused, match="changed"):
        StreamedUpdates([bare], bare.examined.layout).chunks(0, 10)
    again = StreamedUpdates([bare.tagged()], bare.examined.layout)
    assert again.chunks(0, 10).tolist() == [list(range(10))]
    with path.open("r+b") as file:
        file.seek(-1, os.SEEK_END)
        file.write(b"\1")
    with pytest.raises(Refused, match="changed"):
        bare.tagged()
