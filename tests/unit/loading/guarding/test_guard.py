"""The verb guard: what passes, what does not, and that everything is as before when the block ends."""

from __future__ import annotations

import concurrent.futures
import inspect
import io
import os
import pickle
import sys
import threading
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors
import safetensors.numpy
import safetensors.torch
import torch

import provenance
from policies import BUILTIN, FormatPolicy, Policy
from provenance.loading.guarding.active import ACTIVE

EVIL = b"cos\nsystem\n(S'true'\ntR."
CONTENT_ONLY = BUILTIN["harmless"]
early_loads = pickle.loads
holder = {"load": torch.load, "loads": pickle.loads}


def allowing(*names: str) -> Policy:
    import msgspec

    formats = FormatPolicy(allow=CONTENT_ONLY.formats.allow, pickle="allowlist", allow_globals=names)
    return msgspec.structs.replace(CONTENT_ONLY, name="allowing", formats=formats)


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    path = tmp_path / "checkpoint.pt"
    torch.save(OrderedDict(weight=torch.arange(6.0).reshape(2, 3), step=torch.tensor(3)), path)
    return path


# --- what is harmless passes ----------------------------------------------------------------------------------------


def test_a_checkpoint_loads_both_ways(checkpoint: Path) -> None:
    with provenance.guard(policy="harmless") as guard:
        for weights_only in (True, False):
            found = torch.load(checkpoint, weights_only=weights_only)
            assert torch.equal(found["weight"], torch.arange(6.0).reshape(2, 3))
        assert torch.load(str(checkpoint), mmap=True)["step"] == 3
    assert guard.decision == "accepted"
    assert {load.loader for load in guard.report().loads} == {"torch.load"}
    assert all(load.path == str(checkpoint) and load.format == "torch" for load in guard.report().loads)


def test_file_objects_are_left_where_a_load_leaves_them(tmp_path: Path) -> None:
    path = tmp_path / "several.pkl"
    path.write_bytes(pickle.dumps([1]) + pickle.dumps([2]) + b"rest")
    with provenance.guard(policy="harmless"), path.open("rb") as file:
        assert [pickle.load(file), pickle.load(file)] == [[1], [2]]
        assert file.read() == b"rest"
        with pytest.raises(EOFError):
            pickle.load(file)


def test_a_stream_that_cannot_go_back_is_judged_as_it_comes() -> None:
    class Pipe(io.RawIOBase):
        def __init__(self, data: bytes) -> None:
            self.inner = io.BytesIO(data)

        def readable(self) -> bool:
            return True

        def readinto(self, buffer: Any) -> int:
            data = self.inner.read(len(buffer))
            buffer[: len(data)] = data
            return len(data)

    with provenance.guard(policy="harmless"):
        assert pickle.load(io.BufferedReader(Pipe(pickle.dumps({"a": 1})))) == {"a": 1}
        with pytest.raises(provenance.Refused, match=r"os\.system"):
            pickle.load(io.BufferedReader(Pipe(EVIL)))


def test_arrays_and_tensors_load(tmp_path: Path) -> None:
    array = np.arange(12).reshape(3, 4)
    np.save(tmp_path / "a.npy", array)
    np.savez(tmp_path / "b.npz", x=array)
    safetensors.numpy.save_file({"x": array}, tmp_path / "c.safetensors")
    with provenance.guard(policy="harmless") as guard:
        assert (np.load(tmp_path / "a.npy") == array).all()
        assert (np.load(tmp_path / "a.npy", mmap_mode="r") == array).all()
        with np.load(tmp_path / "b.npz") as archive:
            assert (archive["x"] == array).all()
        with (tmp_path / "a.npy").open("rb") as file:
            assert (np.load(file) == array).all()
        assert (np.load(io.BytesIO((tmp_path / "a.npy").read_bytes())) == array).all()
        assert (safetensors.numpy.load_file(tmp_path / "c.safetensors")["x"] == array).all()
        assert torch.equal(
            safetensors.torch.load_file(tmp_path / "c.safetensors")["x"], torch.from_numpy(array)
        )
        with safetensors.safe_open(tmp_path / "c.safetensors", framework="np") as file:
            assert (file.get_tensor("x") == array).all()
        assert safetensors.torch.load((tmp_path / "c.safetensors").read_bytes())["x"].shape == (3, 4)
    assert guard.decision == "accepted"
    assert {load.loader for load in guard.report().loads} >= {"numpy.load", "safetensors.safe_open"}


def test_a_tensor_in_a_plain_pickle_loads(tmp_path: Path) -> None:
    """Its storage is a file of torch's within the pickle, which is loaded in turn; also where signatures are asked for."""
    (tmp_path / "t.pkl").write_bytes(pickle.dumps({"t": torch.arange(4)}))
    for policy in ("harmless", "training"):
        with provenance.guard(policy=policy):
            assert pickle.loads((tmp_path / "t.pkl").read_bytes())["t"].tolist() == [0, 1, 2, 3]
            with (tmp_path / "t.pkl").open("rb") as file:
                assert pickle.load(file)["t"].tolist() == [0, 1, 2, 3]


def test_a_name_that_is_not_utf_8(tmp_path: Path) -> None:
    """In this process and, by the journal, from another one."""
    path = os.fsdecode(os.fsencode(tmp_path) + b"/\xff.npy")
    np.save(path, np.ones(2))
    with provenance.guard(policy="harmless") as guard:
        assert np.load(path).tolist() == [1, 1]
        pid = os.fork()
        if not pid:
            np.load(path)
            os._exit(0)
        os.waitpid(pid, 0)
    assert [load.decision for load in guard.report().loads] == ["accepted", "accepted"]
    assert guard.report().loads[1].path.endswith(("\udcff.npy", "\\udcff.npy"))


def test_a_missing_file_is_missing(tmp_path: Path) -> None:
    with provenance.guard(policy="harmless"):
        for load in (torch.load, np.load, safetensors.torch.load_file):
            with pytest.raises(FileNotFoundError):
                load(tmp_path / "absent")


def test_a_name_of_the_policy_passes() -> None:
    with provenance.guard(policy=allowing("_io.BytesIO")):
        assert pickle.loads(pickle.dumps(io.BytesIO())).read() == b""
    with provenance.guard(policy="harmless"), pytest.raises(provenance.Refused, match=r"_io\.BytesIO"):
        pickle.loads(pickle.dumps(io.BytesIO()))


# --- references that are older than the guard -------------------------------------------------------------------------


def test_what_was_imported_before_is_guarded(checkpoint: Path, tmp_path: Path) -> None:
    evil = tmp_path / "evil.pkl"
    evil.write_bytes(EVIL)
    with provenance.guard(policy="harmless"):
        for load in (early_loads, holder["loads"]):
            with pytest.raises(provenance.Refused, match=r"os\.system"):
                load(EVIL)
        with pytest.raises(provenance.Refused, match=r"os\.system"):
            holder["load"](evil, weights_only=False)
        assert holder["load"](checkpoint)["step"] == 3
        assert "weights_only" in inspect.signature(torch.load).parameters


# --- refusals that others swallow -------------------------------------------------------------------------------------


def test_a_swallowed_refusal_is_still_reported() -> None:
    with provenance.guard(policy="harmless") as guard:
        try:
            pickle.loads(EVIL)
        except Exception:
            pass
    assert guard.decision == "refused"
    assert guard.exit_status == 1
    assert [found.rule for found in guard.findings] == ["PKL002"]


def test_a_refusal_that_a_library_swallows_is_raised_when_the_block_ends(tmp_path: Path) -> None:
    """``numpy.ctypeslib``, for one, has no such place; here a function is run as if it lay in the standard library."""
    swallow = (
        "def swallow(load, data):\n    try:\n        load(data)\n    except Exception:\n        return None\n"
    )
    space: dict[str, Any] = {}
    exec(compile(swallow, os.__file__, "exec"), space)
    with pytest.raises(provenance.Refused, match=r"os\.system"):
        with provenance.guard(policy="harmless"):
            space["swallow"](pickle.loads, EVIL)


def test_an_exception_made_of_a_refusal_is_the_refusal_again() -> None:
    def load() -> None:
        try:
            pickle.loads(EVIL)
        except Exception as error:
            raise pickle.UnpicklingError("cannot load") from error

    with pytest.raises(provenance.Refused, match=r"os\.system"), provenance.guard(policy="harmless"):
        load()


def test_another_error_stays_what_it_is() -> None:
    with pytest.raises(KeyError), provenance.guard(policy="harmless"):
        with pytest.raises(provenance.Refused):
            pickle.loads(EVIL)
        raise KeyError("of the program itself")


# --- what the guard leaves behind -------------------------------------------------------------------------------------


def test_leaving_gives_everything_back() -> None:
    before = (
        pickle.load,
        pickle.loads,
        pickle.Unpickler,
        torch.load.__code__,
        np.load.__code__,
        safetensors.safe_open,
    )
    surroundings = (dict(os.environ), list(sys.meta_path), torch.load.__kwdefaults__)
    with provenance.guard(policy="harmless"):
        assert pickle.load is not before[0]
        assert "PROVENANCE_GUARD" in os.environ
    after = (
        pickle.load,
        pickle.loads,
        pickle.Unpickler,
        torch.load.__code__,
        np.load.__code__,
        safetensors.safe_open,
    )
    assert after == before
    assert (dict(os.environ), list(sys.meta_path), torch.load.__kwdefaults__) == surroundings
    assert early_loads is before[1]
    assert not ACTIVE
    assert pickle.loads(EVIL) == 0


def test_a_class_that_was_made_inside_goes_on_outside() -> None:
    with provenance.guard(policy="harmless"):

        class Mine(pickle.Unpickler):
            def find_class(self, module: str, name: str) -> Any:
                return super().find_class(module, name)

        with pytest.raises(provenance.Refused):
            Mine(io.BytesIO(EVIL)).load()
    assert Mine(io.BytesIO(EVIL)).load() == 0


# --- several guards ---------------------------------------------------------------------------------------------------


def test_an_inner_guard_only_adds() -> None:
    data = pickle.dumps(io.BytesIO())
    with provenance.guard(policy="harmless"):
        with provenance.guard(policy=allowing("_io.BytesIO")) as inner:
            with pytest.raises(provenance.Refused):
                pickle.loads(data)
        assert inner.decision == "accepted", "it was the outer one that refused"
    with provenance.guard(policy=allowing("_io.BytesIO")):
        pickle.loads(data)
        with provenance.guard(policy="strict"), pytest.raises(provenance.Refused):
            pickle.loads(pickle.dumps(1))
        pickle.loads(data)


def test_two_threads_with_different_guards() -> None:
    data = pickle.dumps(io.BytesIO())
    both, done = threading.Barrier(2), threading.Barrier(2)

    def use(policy: Policy | str) -> str:
        with provenance.guard(policy=policy):
            both.wait(20)
            try:
                pickle.loads(data)
                return "loaded"
            except provenance.Refused:
                return "refused"
            finally:
                done.wait(20)

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        found = list(pool.map(use, [allowing("_io.BytesIO"), "harmless"]))
    assert found == ["loaded", "refused"]
    assert pickle.loads(data)


def test_threads_obey_whether_started_before_or_inside() -> None:
    def attempt() -> str:
        try:
            pickle.loads(EVIL)
            return "loaded"
        except provenance.Refused:
            return "refused"

    with concurrent.futures.ThreadPoolExecutor(1) as earlier:
        assert earlier.submit(int).result() == 0
        with provenance.guard(policy="harmless") as guard:
            assert earlier.submit(attempt).result() == "refused"
            with concurrent.futures.ThreadPoolExecutor(1) as inside:
                assert inside.submit(attempt).result() == "refused"
    assert guard.decision == "refused"


# --- signatures -------------------------------------------------------------------------------------------------------


def test_a_signed_model_loads_and_a_changed_one_does_not(signed: Path, public: Path) -> None:
    path = signed / "model.safetensors"
    with provenance.guard(keys=public) as guard:
        assert safetensors.numpy.load_file(path)["bias"].tolist() == list(range(10))
    (load,) = guard.report().loads
    assert (load.decision, load.sealed, len(load.digest), len(load.signers)) == ("accepted", True, 64, 1)
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with provenance.guard(keys=public), pytest.raises(provenance.Refused, match="differs"):
        safetensors.numpy.load_file(path)


def test_an_unsigned_file_is_undecided_and_a_malicious_one_refused(tmp_path: Path, public: Path) -> None:
    harmless, evil = tmp_path / "a.safetensors", tmp_path / "b.pt"
    safetensors.numpy.save_file({"x": np.ones(2)}, harmless)
    evil.write_bytes(EVIL)
    with provenance.guard(policy="training", keys=public):
        with pytest.raises(provenance.Undecided):
            safetensors.numpy.load_file(harmless)
        with pytest.raises(provenance.Refused, match=r"os\.system"):
            torch.load(evil)


def test_bytes_in_memory_bear_no_signature(signed: Path, public: Path) -> None:
    data = (signed / "model.safetensors").read_bytes()
    with provenance.guard(keys=public), pytest.raises(provenance.Undecided, match="no signature"):
        safetensors.numpy.load(data)


def test_a_nested_file_of_a_signed_directory(signed: Path, key: Path, public: Path) -> None:
    nested = signed / "adapter"
    nested.mkdir()
    safetensors.numpy.save_file({"x": np.ones(2)}, nested / "adapter.safetensors")
    provenance.sign(signed, key=key)
    with provenance.guard(keys=public):
        assert "x" in safetensors.numpy.load_file(nested / "adapter.safetensors")
        (nested / "other.safetensors").write_bytes((nested / "adapter.safetensors").read_bytes())
        with pytest.raises(provenance.Refused, match="no manifest|not cover|not list|sign"):
            safetensors.numpy.load_file(nested / "other.safetensors")


def test_what_is_loaded_is_what_was_judged(checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file is swapped after it was judged: the loader has the sealed copy."""
    from provenance.loading.guarding import loaders

    judge = loaders.judge_file

    def judge_and_swap(path: str, *rest: Any, **options: Any) -> None:
        judge(path, *rest, **options)
        Path(path).write_bytes(EVIL)

    monkeypatch.setattr(loaders, "judge_file", judge_and_swap)
    with provenance.guard(policy="harmless"):
        assert torch.load(checkpoint, weights_only=False)["step"] == 3
    assert checkpoint.read_bytes() == EVIL


# --- questions that are wrong -----------------------------------------------------------------------------------------


def test_a_wrong_policy_is_wrong_use() -> None:
    with pytest.raises(provenance.UsageError), provenance.guard(policy="no such policy"):
        pass
    assert not ACTIVE


def test_an_expired_policy_guards_nothing() -> None:
    import datetime as dt

    import msgspec

    old = msgspec.structs.replace(CONTENT_ONLY, expires=dt.date(2020, 1, 1))
    with pytest.raises(provenance.Refused, match="expired"), provenance.guard(policy=old):
        pass
