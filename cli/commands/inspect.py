"""``provenance inspect``: what a bundle says, believed by nobody yet."""

from __future__ import annotations

from typing import Any

import click

from cli.console import write_out
from cli.options import FILE, command

__all__ = ["inspect"]

SHOWN = 20


@command()
@click.argument("path", type=FILE, metavar="BUNDLE|PATH")
@click.option(
    "--format", "format_", type=click.Choice(["text", "json"]), default="text", help="How to write it."
)
def inspect(path: str, format_: str) -> int:
    """Show what a bundle says, without verifying anything of it.

    PATH is a bundle, or an artifact whose bundles are looked for. A malformed bundle exits 1, an absent one 3.
    """
    from cli.rendering.json import dump

    documents = [_describe(source.where, source.data) for source in _sources(path)]
    if format_ == "json":
        write_out(dump({"schema": 1, "command": "inspect", "verified": False, "bundles": documents}))
    else:
        write_out("".join(_text(document) for document in documents))
    return 0


def _sources(path: str) -> tuple[Any, ...]:
    from pathlib import Path

    from provenance.attestations.discovery import find_bundles, read_bundle
    from provenance.errors import Unreadable

    try:
        found = find_bundles(Path(path))
    except Unreadable as error:
        if error.code != "SIG001" or not Path(path).is_file():
            raise
        return (read_bundle(Path(path)),)
    return (*found.primary, *found.additional)


def _describe(where: str, data: bytes) -> dict[str, Any]:
    from provenance.attestations.bundle import CertificateChain, KeyMaterial, parse_bundle
    from provenance.attestations.statement import parse_statement

    bundle = parse_bundle(data)
    statement = parse_statement(bundle.payload)
    material: dict[str, Any] = {"method": "sigstore"}
    if isinstance(bundle.material, KeyMaterial):
        material = {"method": "key", "hint": bundle.material.hint}
    elif isinstance(bundle.material, CertificateChain):
        material = {"method": "certificate", "certificates": len(bundle.material.certificates)}
    return {
        "bundle": where,
        "media_type": bundle.media_type,
        "material": material,
        "predicate_type": statement.predicate_type,
        "subjects": [{"name": each.name, "digest": each.digest} for each in statement.subject],
        "serialization": (statement.predicate or {}).get("serialization"),
        "resources": (statement.predicate or {}).get("resources", []),
    }


def _text(document: dict[str, Any]) -> str:
    from cli.rendering.escape import escape

    material = ", ".join(f"{name} {value}" for name, value in document["material"].items())
    lines = [
        "UNVERIFIED: nothing below has been checked; anybody can write it",
        f"bundle      {document['bundle']}",
        f"material    {material}",
        f"predicate   {document['predicate_type']}",
        *(
            f"subject     {each['name']} {' '.join(f'{name}:{value}' for name, value in each['digest'].items())}"
            for each in document["subjects"]
        ),
    ]
    resources = document["resources"] if isinstance(document["resources"], list) else []
    lines += [f"resource    {_resource(each)}" for each in resources[:SHOWN]]
    if len(resources) > SHOWN:
        lines.append(f"            and {len(resources) - SHOWN} more; --format json shows all")
    return "".join(f"{escape(line)}\n" for line in lines)


def _resource(wire: Any) -> str:
    if not isinstance(wire, dict):
        return "(not an object)"
    return f"{wire.get('name')} {wire.get('algorithm')}:{wire.get('digest')}"
