"""Exports, each held against its published schema or the reference library of its format."""

from __future__ import annotations

import io
import json
import re
from datetime import UTC, datetime

import pytest

from provenance.lineage.exports import EXPORTS, export
from provenance.lineage.exports.graph import Artifact, ExportGraph, Making

HOSTILE = 'a"]; evil --> b\n%%{init: {}}%% </script>\u202e\x1b[31m \\ {x} | `y` & <img>'
MADE = datetime(2026, 11, 24, 10, 30, tzinfo=UTC)


def graph(name: str = "model") -> ExportGraph:
    digests = [f"{number:064x}" for number in range(4)]
    return ExportGraph(
        artifacts=(
            Artifact(name=name, digest=digests[0], kind="model", status="asserted"),
            Artifact(
                name="digits.jsonl", digest=digests[1], kind="data", status="proven", file_sha256=digests[3]
            ),
            Artifact(
                name=name,
                digest=digests[2],
                kind="data",
                status="proven",
                contributor=name,
                licence="CC-BY-4.0",
            ),
            Artifact(name="base", digest="", kind="model", status="missing", licence="MIT OR Apache-2.0"),
        ),
        makings=(
            Making(
                output=0,
                inputs=((1, "dataset"), (3, "base")),
                kind="train",
                signer=name,
                statement="s1",
                time=MADE,
            ),
            Making(output=1, inputs=((2, "batch"),), kind="curate", signer="curator", statement="s2"),
        ),
        status="missing",
        made=MADE,
    )


ALONE = ExportGraph(
    artifacts=(Artifact(name="alone", digest="a" * 64, kind="model", status="missing"),),
    makings=(),
    status="missing",
    made=MADE,
)
GRAPHS = pytest.mark.parametrize("given", [graph(), graph(HOSTILE), ALONE], ids=["plain", "hostile", "alone"])


@GRAPHS
def test_cyclonedx_is_valid_by_its_strict_schema(given):
    validation = pytest.importorskip("cyclonedx.validation.json")
    from cyclonedx.schema import SchemaVersion

    assert validation.JsonStrictValidator(SchemaVersion.V1_7).validate_str(export(given, "cyclonedx")) is None


@GRAPHS
def test_spdx_is_read_by_its_model(given):
    models = pytest.importorskip("spdx_python_model")
    model = models.v3_0_1
    found = model.SHACLObjectSet()
    model.JSONLDDeserializer().read(io.BytesIO(export(given, "spdx").encode()), found)
    packages = list(found.foreach_type("software_Package", match_subclass=True))
    assert len(packages) == len(given.artifacts)
    related = sum(len(making.inputs) for making in given.makings)
    assert len(list(found.foreach_type("Relationship", match_subclass=True))) == related
    assert not found.missing_ids, "every reference leads somewhere"


@GRAPHS
def test_prov_json_is_read_by_its_library(given):
    prov = pytest.importorskip("prov.model")
    found = prov.ProvDocument.deserialize(content=export(given, "prov-json"), format="json")
    entities = list(found.get_records(prov.ProvEntity))
    assert len(entities) == len(given.artifacts)
    derived = sum(len(making.inputs) for making in given.makings)
    assert len(list(found.get_records(prov.ProvDerivation))) == derived


@GRAPHS
def test_openlineage_events_have_what_the_client_demands(given):
    run = pytest.importorskip("openlineage.client.event_v2")
    for event in json.loads(export(given, "openlineage")):
        made = run.RunEvent(
            eventType=run.RunState(event["eventType"]),
            eventTime=event["eventTime"],
            run=run.Run(runId=event["run"]["runId"]),
            job=run.Job(namespace=event["job"]["namespace"], name=event["job"]["name"]),
            inputs=[run.InputDataset(each["namespace"], each["name"]) for each in event["inputs"]],
            outputs=[run.OutputDataset(each["namespace"], each["name"]) for each in event["outputs"]],
            producer=event["producer"],
        )
        assert made.outputs


@GRAPHS
def test_croissant_names_every_data_file(given):
    document = json.loads(export(given, "croissant"))
    assert document["@type"] == "sc:Dataset"
    assert document["conformsTo"] == "http://mlcommons.org/croissant/1.1"
    assert len(document["distribution"]) == sum(each.kind == "data" for each in given.artifacts)


def test_hostile_names_stay_names_in_diagrams():
    mermaid, dot = export(graph(HOSTILE), "mermaid"), export(graph(HOSTILE), "dot")
    for line in mermaid.splitlines()[1:]:
        assert re.fullmatch(
            r'  (n\d+\["[^"<>\[\]]*(<br/>[^"<>\[\]]*)?"\]:::\w+|n\d+ -->\|"[^"|]*"\| n\d+|classDef .*)', line
        )
    for line in dot.splitlines()[3:-1]:
        assert re.fullmatch(r'  n\d+( -> n\d+)? \[label="([^"\\]|\\.)*"(, style=\w+)?\];', line)


@pytest.mark.parametrize("form", EXPORTS)
def test_the_same_lineage_is_the_same_text(form):
    assert export(graph(), form) == export(graph(), form)
    assert "\x1b" not in export(graph(HOSTILE), form)


def test_another_format_is_an_error():
    with pytest.raises(ValueError, match="there are cyclonedx"):
        export(graph(), "xml")
