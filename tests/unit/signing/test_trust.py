"""From a policy to the keys, certificates and identities that are trusted."""

import pytest
from signing_pki import authority

from policies import Policy, SignaturePolicy, SignerRule
from provenance.errors import UsageError
from provenance.signing.keys import fingerprint, generate, write_key_pair
from provenance.signing.trust import TrustedIdentity, trust_from


def policy(*signers, accept=None):
    names = tuple(signer.name for signer in signers) if accept is None else accept
    return Policy(name="test", signers=signers, signatures=SignaturePolicy(accept=names))


@pytest.fixture
def public(tmp_path):
    return str(write_key_pair(tmp_path / "k", generate("ed25519")))


def test_everything_that_stands_for_an_accepted_signer_is_read(tmp_path, public):
    roots = [authority("one"), authority("two")]
    (tmp_path / "roots.pem").write_bytes(b"".join(root.pem for root in roots))
    trust = trust_from(
        policy(
            SignerRule(name="a", keys=(public,), certificates=(str(tmp_path / "roots.pem"),)),
            SignerRule(name="b", identity="x@y.z", issuer="https://i"),
        ),
        trusted_root=tmp_path / "t.json",
    )
    assert [(key.name, key.fingerprint) for key in trust.keys] == [("a", fingerprint(trust.keys[0].key))]
    assert [(each.name, each.certificates) for each in trust.roots] == [
        ("a", tuple(root.cert for root in roots))
    ]
    assert trust.identities == (TrustedIdentity("b", "x@y.z", "https://i"),)
    assert trust.trusted_root == tmp_path / "t.json"


def test_signers_that_are_named_but_not_accepted_are_not_trusted(public):
    signers = (
        SignerRule(name="a", keys=(public,)),
        SignerRule(name="b", identity="x@y.z", issuer="https://i"),
    )
    trust = trust_from(policy(*signers, accept=("b",)))
    assert (trust.keys, [each.name for each in trust.identities]) == ((), ["b"])
    assert trust_from(policy(*signers, accept=())) == trust_from(policy())


def test_files_that_cannot_be_used_are_told(tmp_path, public):
    (tmp_path / "junk").write_bytes(b"junk")
    for signer in (
        SignerRule(name="a", keys=(public, str(tmp_path / "absent.pub"))),
        SignerRule(name="a", keys=(str(tmp_path / "junk"),)),
        SignerRule(name="a", keys=(str(tmp_path / "k"),)),
        SignerRule(name="a", certificates=(str(tmp_path / "absent.pem"),)),
        SignerRule(name="a", certificates=(public,)),
    ):
        with pytest.raises(UsageError):
            trust_from(policy(signer))
