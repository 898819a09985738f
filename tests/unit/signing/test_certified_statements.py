"""Statements signed with a certified key."""

from signing_pki import authority, leaf

from provenance.attestations.statement import Statement, Subject
from provenance.lineage.statements import write_statement
from provenance.signing.keys import fingerprint
from provenance.signing.signers import certificate_signer

STATEMENT = Statement(
    subject=(Subject(name="x", digest={"sha256": "0" * 64}),),
    predicate_type="https://example.com",
    predicate={},
)


def test_a_certified_key_names_the_file_as_well(model, tmp_path):
    root = authority("root")
    certified = leaf("alice", root)
    (tmp_path / "leaf.pem").write_bytes(certified.pem)
    signer = certificate_signer(certified.key, tmp_path / "leaf.pem")
    path = write_statement(STATEMENT, signer=signer, artifact=model, kind="convert")
    assert fingerprint(certified.key.public_key()).removeprefix("SHA256:")[:12] in path.name
