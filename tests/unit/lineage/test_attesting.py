"""The verbs ``attest`` and ``recorder``: what they sign, and when they do not."""

from __future__ import annotations

import contextvars
import json
import threading

import numpy as np
import pytest
from lineage_world import World, bundle_of, payload_of
from safetensors.numpy import save_file

import provenance
from provenance.errors import UsageError
from provenance.lineage.subjects import subject_of
from provenance.lineage.surroundings import code_commit, environment


@pytest.fixture
def world(tmp_path) -> World:
    return World(tmp_path)


def build_of(bundle) -> dict:
    return payload_of(bundle)["predicate"]["buildDefinition"]


def test_inputs_are_named_by_digest_and_role(world):
    data, other = world.file("data.jsonl", "1\n"), world.file("other.jsonl", "2\n")
    base = world.model([data], name="base")
    model = world.root / "model"
    model.mkdir()
    (model / "w").write_text("w")
    bundle = provenance.attest(
        model,
        kind="fine-tune",
        inputs={"dataset": [data, other], "base": base},
        key=world.key("trainer"),
        parameters={"epochs": 3, "note": "x"},
    )
    assert bundle == bundle_of(model, "fine-tune")
    payload = payload_of(bundle)
    assert payload["subject"][0]["digest"] == subject_of(model).digest
    build = build_of(bundle)
    assert build["buildType"].endswith("/build-types/fine-tune/v1")
    assert build["externalParameters"] == {"epochs": 3, "note": "x"}
    assert [(each["annotations"]["role"], each["digest"]) for each in build["resolvedDependencies"]] == [
        ("dataset", subject_of(data).digest),
        ("dataset", subject_of(other).digest),
        ("base", subject_of(base).digest),
    ]
    assert build["internalParameters"]["environment"]["packages"]["numpy"] == np.__version__


def test_pairs_are_taken_too_and_signing_again_replaces_ones_own(world):
    data, model = world.file("data.jsonl", "1\n"), world.file("model.bin", "m")
    options = {"kind": "train", "inputs": [("dataset", data)], "key": world.key("trainer")}
    assert provenance.attest(model, **options) == provenance.attest(model, **options)


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": "guess"},
        {"inputs": {}},
        {"inputs": {"": "data/data.jsonl"}},
        {"inputs": {"x" * 101: "data/data.jsonl"}},
        {"inputs": {"a\nb": "data/data.jsonl"}},
        {"parameters": {"deep": object()}},
    ],
)
def test_what_cannot_be_attested(world, changes, monkeypatch):
    monkeypatch.chdir(world.root)
    world.file("data.jsonl", "1\n")
    options = {
        "kind": "train",
        "inputs": {"dataset": "data/data.jsonl"},
        "key": world.key("trainer"),
        **changes,
    }
    with pytest.raises(UsageError):
        provenance.attest(world.file("model.bin", "m"), **options)


def test_curating_counts_and_lists(world):
    alice, bob = world.batch("alice"), world.batch("bob")
    lines = alice.read_text().splitlines(keepends=True)
    data = world.curated([alice, bob], [*lines[:3], '{"edited": 1}\n', *lines[4:], "new\n"])
    told = build_of(bundle_of(data, "curate"))["internalParameters"]["records"]
    assert (told["count"], told["unchanged"], told["edited"], told["unknown"]) == (11, 9, 1, 1)
    assert told["inputs"] == [{"unchanged": 9, "edited": 1}, {"unchanged": 0, "edited": 0}]
    assert (told["editedRecords"], told["unknownRecords"]) == ([3], [10])
    origins = bundle_of(data, "curate").with_suffix("").with_suffix(".origins")
    assert len(origins.read_bytes()) == 11 * 8
    assert provenance.verify(world.root / "alice", keys=[]).decision != "accepted"


def test_a_folder_of_files_is_curated_file_by_file(world):
    raw, kept = world.root / "raw", world.root / "kept"
    for path, names in ((raw, "abc"), (kept, "ac")):
        path.mkdir()
        for name in names:
            (path / f"{name}.txt").write_text(name)
    bundle = provenance.attest(kept, kind="curate", inputs={"batch": raw}, key=world.key("curator"))
    told = build_of(bundle)["internalParameters"]["records"]
    assert (told["format"], told["unchanged"], told["unknown"]) == ("files", 2, 0)


def test_what_cannot_be_cut_into_records_is_attested_by_its_digest(world):
    batch, data = world.batch("alice"), world.file("data.jsonl", "1\r\n")
    bundle = provenance.attest(data, kind="curate", inputs={"batch": batch}, key=world.key("curator"))
    assert "records" not in build_of(bundle)["internalParameters"]


# --- the recorder


def test_a_recorder_signs_what_it_noted(world):
    data, model = world.file("data.jsonl", "1\n"), world.file("model.bin", "m")
    with provenance.recorder(model, key=world.key("trainer"), parameters={"epochs": 1}) as record:
        record.input(data, role="dataset")
        record.parameter("rate", 0.1)
        model.write_text("trained")
    build = build_of(record.bundle)
    assert build["externalParameters"] == {"epochs": 1, "rate": 0.1}
    assert [each["name"] for each in build["resolvedDependencies"]] == ["data.jsonl"]
    assert payload_of(record.bundle)["subject"][0]["digest"] == subject_of(model).digest


def test_an_input_is_digested_when_it_is_named(world):
    data, model = world.file("data.jsonl", "1\n"), world.file("model.bin", "m")
    before = subject_of(data).digest
    with provenance.recorder(model, key=world.key("trainer")) as record:
        record.input(data, role="dataset")
        data.write_text("2\n")
    assert build_of(record.bundle)["resolvedDependencies"][0]["digest"] == before


def test_directories_of_the_same_bytes_under_other_names_are_two_inputs(world):
    for name, file in (("one", "a.txt"), ("two", "b.txt")):
        (world.root / name).mkdir()
        (world.root / name / file).write_text("same")
    with provenance.recorder(world.file("model.bin", "m"), key=world.key("trainer")) as record:
        record.input(world.root / "one", role="dataset")
        record.input(world.root / "two", role="dataset")
        record.input(world.root / "two", role="dataset")
    assert [each.subject.name for each in record.inputs] == ["one", "two"]


def test_after_an_exception_nothing_is_signed(world):
    model = world.file("model.bin", "m")
    with pytest.raises(ZeroDivisionError), provenance.recorder(model, key=world.key("trainer")) as record:
        record.input(world.file("data.jsonl", "1\n"), role="dataset")
        _ = 1 / 0
    assert record.bundle is None
    assert not (model.parent / ".provenance").exists()


def test_without_an_input_nothing_is_signed(world):
    model = world.file("model.bin", "m")
    with (
        pytest.raises(UsageError, match="noted no input"),
        provenance.recorder(model, key=world.key("trainer")),
    ):
        pass


def test_a_wrong_key_shows_before_the_work(world):
    with pytest.raises(UsageError), provenance.recorder("model", key=world.root / "absent"):
        raise AssertionError


@pytest.fixture
def weights(world):
    path = world.root / "weights.safetensors"
    save_file({"w": np.zeros(4, dtype=np.float32)}, path)
    provenance.sign(path, key=world.key("trainer"))
    return path


def open_lazily(path, **options):
    with provenance.open_tensors(path, **options) as tensors:
        tensors.tensor("w")


def seal(path, **options):
    with provenance.sealed(path, **options) as place:
        place.read_bytes()


@pytest.mark.parametrize("load", [provenance.load, open_lazily, seal])
def test_verified_loads_are_noted_by_themselves(world, weights, load):
    model = world.file("model.bin", "m")
    with provenance.recorder(model, key=world.key("trainer")) as record:
        load(weights, keys=[world.pub("trainer")])
        load(weights, keys=[world.pub("trainer")])
    (only,) = build_of(record.bundle)["resolvedDependencies"]
    assert only["digest"] == subject_of(weights).digest
    assert only["annotations"] == {"role": "loaded", **subject_of(weights).annotations}


def test_a_load_that_is_named_too_has_its_own_role(world, weights):
    with provenance.recorder(world.file("model.bin", "m"), key=world.key("trainer")) as record:
        provenance.load(weights, keys=[world.pub("trainer")])
        record.input(weights, role="base")
        provenance.load(weights, keys=[world.pub("trainer")])
    assert [each.role for each in record.inputs] == ["base"]


def test_a_refused_load_is_not_noted(world, weights):
    with pytest.raises(UsageError, match="noted no input"):
        with provenance.recorder(world.file("model.bin", "m"), key=world.key("trainer")):
            with pytest.raises(provenance.Refused):
                provenance.load(weights, keys=[world.pub("alice")])


def test_loads_outside_are_not_noted(world, weights):
    provenance.load(weights, keys=[world.pub("trainer")])
    with provenance.recorder(world.file("model.bin", "m"), key=world.key("trainer")) as record:
        record.input(world.file("data.jsonl", "1\n"), role="dataset")
    provenance.load(weights, keys=[world.pub("trainer")])
    assert [each.role for each in record.inputs] == ["dataset"]


def test_a_thread_takes_part_in_a_copy_of_the_context(world, weights):
    with provenance.recorder(world.file("model.bin", "m"), key=world.key("trainer")) as record:
        context = contextvars.copy_context()
        thread = threading.Thread(
            target=context.run, args=(provenance.load, weights), kwargs={"keys": [world.pub("trainer")]}
        )
        thread.start()
        thread.join()
    assert len(record.inputs) == 1


# --- code and environment


def repository(root, head="ref: refs/heads/main\n", **files):
    git = root / ".git"
    for name, text in {"HEAD": head, **files}.items():
        path = git / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


COMMIT = "0123456789abcdef0123456789abcdef01234567"


def test_the_commit_is_read_and_git_is_not_run(tmp_path):
    hook = {"hooks/post-checkout": "#!/bin/sh\ntouch ran\n", "config": "[core]\n\tfsmonitor = touch ran\n"}
    root = repository(tmp_path, **{"refs/heads/main": COMMIT + "\n", **hook})
    (root / "deep" / "er").mkdir(parents=True)
    assert code_commit(root / "deep" / "er") == COMMIT
    assert not list(tmp_path.rglob("ran"))


@pytest.mark.parametrize(
    ("head", "files", "expected"),
    [
        (COMMIT + "\n", {}, COMMIT),
        ("ref: refs/heads/main\n", {"packed-refs": f"# pack-refs\n{COMMIT} refs/heads/main\n"}, COMMIT),
        ("ref: refs/heads/none\n", {}, ""),
        ("ref: refs/heads/../../secret\n", {"secret": COMMIT}, ""),
        ("ref: ../../etc/passwd\n", {}, ""),
        ("nonsense", {}, ""),
    ],
)
def test_the_forms_of_a_head(tmp_path, head, files, expected):
    assert code_commit(repository(tmp_path, head, **files)) == expected


def test_a_linked_work_tree(tmp_path):
    main = repository(
        tmp_path / "main",
        **{
            "refs/heads/side": COMMIT,
            "worktrees/side/HEAD": "ref: refs/heads/side",
            "worktrees/side/commondir": "../..\n",
        },
    )
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / ".git").write_text(f"gitdir: {main}/.git/worktrees/side\n")
    assert code_commit(tree) == COMMIT


def test_the_environment_is_json(tmp_path):
    assert json.loads(json.dumps(environment()))["packages"]["ml-provenance"]
