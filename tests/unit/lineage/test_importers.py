"""Notes of other tools: read within bounds, never run, asserted at most."""

from __future__ import annotations

import pytest
from lineage_world import World

from provenance.lineage.finding import Place, Stamp
from provenance.lineage.importers import unsigned_claims


@pytest.fixture
def world(tmp_path) -> World:
    return World(tmp_path)


def read(path, kind):
    return list(unsigned_claims(Place(str(path), kind, Stamp(0, 0, 0, 0))))


def edges(claims):
    return [
        ([each.name for each in claim.subjects], [each.reference.name for each in claim.inputs])
        for claim in claims
    ]


DVC = """
schema: '2.0'
stages:
  prepare:
    cmd: python prepare.py
    deps:
    - path: data/raw.csv
      hash: md5
      md5: 22a1a2931c8370d3aeedd7183606fd7f
      size: 14445097
    outs:
    - path: data/clean.csv
      md5: 153aad06d376b6595932470e459ef42a.dir
  train:
    cmd: python train.py
    deps:
    - path: data/clean.csv
    outs:
    - path: model/
"""


def test_dvc_lock(tmp_path):
    path = tmp_path / "dvc.lock"
    path.write_text(DVC)
    assert edges(read(path, "dvc")) == [(["clean.csv"], ["raw.csv"]), (["model"], ["clean.csv"])]


def test_model_cards(tmp_path):
    path = tmp_path / "my-model" / "README.md"
    path.parent.mkdir()
    path.write_text("---\nbase_model: org/base\ndatasets:\n- org/data\n- other\nlicense: mit\n---\n# Card\n")
    (claim,) = read(path, "card")
    assert edges([claim]) == [(["my-model"], ["base", "data", "other"])]
    assert [each.role for each in claim.inputs] == ["base", "dataset", "dataset"]
    path.write_text("# no front matter\n---\nbase_model: x\n---\n")
    assert read(path, "card") == []


def mlflow(root):
    run = root / "mlruns" / "1" / "abc"
    for name, text in {
        run / "meta.yaml": "run_id: abc\nstatus: 3\n",
        run / "inputs" / "i1" / "meta.yaml": "source_id: d1\nsource_type: DATASET\n",
        run / "inputs" / "i2" / "meta.yaml": "source_id: ../../secret\n",
        run / "artifacts" / "model" / "MLmodel": "flavors: {}\n",
        root
        / "mlruns"
        / "1"
        / "datasets"
        / "d1"
        / "meta.yaml": "name: train.csv\ndigest: 12ab34cd\nsource: s3://b\n",
        root / "mlruns" / "1" / "models" / "m-1" / "meta.yaml": "name: classifier\nsource_run_id: abc\n",
        root / "mlruns" / "1" / "models" / "m-2" / "meta.yaml": "name: other\nsource_run_id: xyz\n",
    }.items():
        name.parent.mkdir(parents=True, exist_ok=True)
        name.write_text(text)
    return run / "meta.yaml"


def test_mlflow_runs(tmp_path):
    path = mlflow(tmp_path)
    (claim,) = read(path, "mlflow")
    assert edges([claim]) == [(["classifier", "model"], ["train.csv"])]
    assert claim.inputs[0].uri == "s3://b"
    assert read(tmp_path / "mlruns" / "1" / "datasets" / "d1" / "meta.yaml", "mlflow") == []


def test_a_digest_of_mlflow_that_is_a_sha256_joins(tmp_path):
    path = mlflow(tmp_path)
    (tmp_path / "mlruns" / "1" / "datasets" / "d1" / "meta.yaml").write_text(f"name: t\ndigest: {'a' * 64}\n")
    (claim,) = read(path, "mlflow")
    assert claim.inputs[0].reference.sha256 == "a" * 64


BOMB = "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\nstages: {s: {deps: [{path: a}], outs: [{path: b}]}}\n"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe",
        b"- a\n",
        b"stages: [1]\n",
        b"stages: {a: 1, b: {deps: 3}, c: {deps: [{path: 5}], outs: [{}]}}\n",
        b"!!python/object/apply:os.system ['touch ran']\n",
        b"stages: !!python/object/apply:os.system ['touch ran']\n",
        BOMB.encode(),
        b"[" * 100_000,
        b"x" * (5 << 20),
    ],
    ids=lambda content: repr(content[:20]),
)
@pytest.mark.parametrize("kind", ["dvc", "card", "mlflow"])
def test_what_an_attacker_writes_says_nothing_and_does_nothing(tmp_path, monkeypatch, content, kind):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "file"
    path.write_bytes(content if kind != "card" else b"---\n" + content + b"\n---\n")
    assert read(path, kind) == []
    assert not (tmp_path / "ran").exists()


def test_unsigned_edges_are_asserted_and_lead_on(world):
    data = world.batch("alice")
    model = world.root / "model"
    model.mkdir()
    (model / "w").write_text("w")
    (world.root / "dvc.lock").write_text(
        "stages: {train: {deps: [{path: alice/alice.jsonl}], outs: [{path: model}]}}\n"
    )
    found = world.trace(model)
    assert (found.status, found.decision) == ("asserted", "refused")
    assert [[step.name for step in path.steps] for path in found.paths] == [
        ["model"],
        ["model", "alice.jsonl"],
    ]
    assert found.paths[1].contributor == "alice"
    assert [each.name for each in world.impact(data).tainted] == ["alice.jsonl", "model"]
    assert [each.certain for each in world.impact(data).tainted] == [True, False]


def test_a_card_beside_the_model_is_found_without_a_store(world):
    model = world.root / "model"
    model.mkdir()
    (model / "README.md").write_text("---\nbase_model: org/base\n---\n")
    found = world.trace(model, store=())
    assert found.status == "missing"
    assert [[step.name for step in path.steps] for path in found.paths] == [["model"], ["model", "base"]]


def test_what_is_signed_is_not_lowered_by_a_note(world):
    model = world.usual()
    (world.root / "dvc.lock").write_text("stages: {t: {deps: [{path: evil.csv}], outs: [{path: model}]}}\n")
    assert world.trace(model).status == "proven"


def test_a_name_joins_nothing_for_certain(world):
    """A signed statement of another tool names an input by name alone."""
    from provenance.attestations.slsa import ResourceDescriptor, derivation, provenance_statement
    from provenance.lineage.statements import write_statement
    from provenance.lineage.subjects import subject_of
    from provenance.signing.signers import open_key

    batch, model = world.batch("alice"), world.file("model.bin", "m")
    statement = provenance_statement(
        [subject_of(model)], derivation("train", inputs=[ResourceDescriptor(name=batch.name)], parameters={})
    )
    statement.predicate["buildDefinition"]["buildType"] = "https://example.org/build/v1"
    write_statement(statement, signer=open_key(world.key("trainer")), artifact=model, kind="train")
    found = world.trace(model)
    assert found.status == "asserted"
    assert [path.steps[-1].name for path in found.paths] == ["alice.jsonl"]
