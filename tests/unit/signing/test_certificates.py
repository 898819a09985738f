"""Certificate chains: which lead to a trusted root, and which only seem to."""

import warnings
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa, rsa
from signing_pki import CODE_SIGNING, NOW, SERVER_AUTH, YEAR, authority, issue, leaf, usage

from provenance.errors import Malformed, UsageError
from provenance.signing.certificates import (
    ChainError,
    leaf_key,
    leaf_name,
    load_certificates,
    parse_chain,
    verify_chain,
)


def verified(chain, roots, at=NOW):
    return verify_chain([one.cert for one in chain], [one.cert for one in roots], at=at)


def refused(chain, roots, match, at=NOW):
    with pytest.raises(ChainError, match=match):
        verified(chain, roots, at)


@pytest.fixture
def root():
    return authority("root")


@pytest.fixture
def middle(root):
    return authority("middle", root)


def test_a_chain_leads_to_its_root(root, middle):
    signer = leaf("signer", middle)
    assert verified([signer, middle], [root]) == (signer.cert, middle.cert, root.cert)


def test_a_root_may_be_sent_along(root, middle):
    signer = leaf("signer", middle)
    assert verified([signer, middle, root], [root])[-1] == root.cert


def test_the_trusted_root_may_be_the_direct_issuer_or_the_signer_itself(root, middle):
    signer = leaf("signer", middle)
    assert verified([signer], [middle]) == (signer.cert, middle.cert)
    assert verified([signer, middle], [middle]) == (signer.cert, middle.cert)
    assert verified([signer], [signer]) == (signer.cert,)


def test_the_order_of_intermediates_does_not_matter(root):
    one = authority("one", root)
    two = authority("two", one)
    three = authority("three", two)
    signer = leaf("signer", three)
    assert len(verified([signer, one, two, three], [root])) == 5


def test_a_dead_end_does_not_hide_the_way(root):
    """The intermediate was certified by two roots, and the one that is not trusted stands first."""
    key = ec.generate_private_key(ec.SECP256R1())
    other = authority("other root")
    elsewhere = authority("middle", other, key=key)
    here = authority("middle", root, key=key)
    signer = leaf("signer", here)
    assert verified([signer, elsewhere, here, other], [root]) == (signer.cert, here.cert, root.cert)


def test_a_certificate_that_is_not_needed_must_be_whole(root, middle):
    signer = leaf("signer", middle)
    lost = authority("lost", authority("somewhere"))
    refused([signer, middle, lost], [root], "CN=lost is by an issuer that is not known")
    changed = authority("root")  # the trusted root, as it looks with another key in it
    refused([signer, middle, issue("root", changed, ca=True, key=root.key)], [root], "not known")


def test_an_expired_root_does_not_hide_its_renewal(root):
    key = ec.generate_private_key(ec.SECP256R1())
    old = authority("root", key=key, end=NOW - timedelta(days=1))
    new = authority("root", key=key)
    signer = leaf("signer", new)
    assert verified([signer], [old, new]) == (signer.cert, new.cert)
    refused([signer], [old], "root is valid from")


def test_certificates_that_issue_each_other_do_not_go_on_for_ever():
    key = ec.generate_private_key(ec.SECP256R1())
    ring = [authority("ring", key=key) for _ in range(15)]
    refused([leaf("signer", ring[0]), *ring], [authority("root")], "does not lead")


@pytest.mark.parametrize(
    "key",
    [
        ec.generate_private_key(ec.SECP384R1()),
        ec.generate_private_key(ec.SECP521R1()),
        rsa.generate_private_key(65537, 2048),
        ed25519.Ed25519PrivateKey.generate(),
        mldsa.MLDSA65PrivateKey.generate(),
    ],
    ids=lambda key: type(key).__name__,
)
def test_authorities_of_every_algorithm(key):
    root = authority("root", key=key)
    middle = authority("middle", root, key=key)
    assert len(verified([leaf("signer", middle), middle], [root])) == 3


def test_an_unrelated_root_is_refused(root, middle):
    signer = leaf("signer", middle)
    refused([signer, middle], [authority("root")], "does not lead")
    refused([signer, middle], [], "does not lead")
    refused([signer], [root], "does not lead")


def test_a_forged_signature_is_refused(root):
    """A certificate with the issuer's name, signed by another key of that name."""
    impostor = authority("root")
    refused([leaf("signer", impostor), impostor], [root], "does not lead")


def test_a_chain_of_many_is_refused(root):
    chain = [root]
    for index in range(9):
        chain.append(authority(f"level {index}", chain[-1]))
    refused([leaf("signer", chain[-1]), *chain[1:]], [root], "does not lead")


@pytest.mark.parametrize("late", [True, False])
@pytest.mark.parametrize("which", ["signer", "middle", "root"])
def test_every_certificate_must_be_valid_at_the_moment(which, late):
    ends = {"end": NOW - timedelta(seconds=1)} if late else {"start": NOW + timedelta(seconds=1)}
    root = authority("root", **(ends if which == "root" else {}))
    middle = authority("middle", root, **(ends if which == "middle" else {}))
    signer = leaf("signer", middle, **(ends if which == "signer" else {}))
    refused([signer, middle], [root], f"{which} is valid from")
    then = NOW - YEAR / 2 if late else NOW + YEAR / 2
    assert verified([signer, middle], [root], at=then)


def test_the_bounds_of_validity_belong_to_it(root):
    signer = leaf("signer", root)
    assert verified([signer], [root], at=NOW - YEAR)
    assert verified([signer], [root], at=NOW + YEAR)


@pytest.mark.parametrize(
    "options",
    [{"ca": False}, {"ca": None}, {"key_usage": usage("digital_signature")}],
    ids=["no CA", "no constraints", "no signing of certificates"],
)
def test_only_authorities_may_issue(root, options):
    middle = authority("middle", root, **options)
    refused([leaf("signer", middle), middle], [root], "may not")


def test_an_authority_without_key_usage_may_issue(root):
    middle = authority("middle", root, key_usage=None)
    assert verified([leaf("signer", middle), middle], [root])


def test_a_signer_may_not_issue_another_signer(root):
    """Anybody with a signing certificate could otherwise certify whom they like."""
    signer = leaf("signer", root)
    refused([leaf("friend", signer), signer], [root], "may not issue")


def test_the_path_length_is_kept():
    for allowed in (0, 1, 2):
        root = authority("root", path_length=allowed)
        one = authority("one", root)
        two = authority("two", one)
        for chain, between in (
            ([leaf("s", root)], 0),
            ([leaf("s", one), one], 1),
            ([leaf("s", two), two, one], 2),
        ):
            if between <= allowed:
                assert verified(chain, [root])
            else:
                refused(chain, [root], "longer than CN=root allows")


def test_a_path_length_below_the_root_is_kept(root):
    one = authority("one", root, path_length=0)
    two = authority("two", one)
    refused([leaf("s", two), two, one], [root], "longer than CN=one allows")


@pytest.mark.parametrize(
    ("key_usage", "extended"),
    [
        (usage("digital_signature"), ()),
        (usage("digital_signature"), (CODE_SIGNING,)),
        (usage("digital_signature"), (SERVER_AUTH, CODE_SIGNING)),
        (None, (CODE_SIGNING,)),
        (usage("digital_signature"), (x509.ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,)),
    ],
)
def test_a_signer_may_sign(root, key_usage, extended):
    assert verified([leaf("s", root, key_usage=key_usage, extended=extended)], [root])


@pytest.mark.parametrize(
    ("key_usage", "extended"),
    [
        (None, ()),
        (usage("key_encipherment"), ()),
        (usage("key_cert_sign"), (CODE_SIGNING,)),
        (None, (SERVER_AUTH,)),
        (usage("digital_signature"), (SERVER_AUTH,)),
    ],
)
def test_a_certificate_for_something_else_may_not_sign(root, key_usage, extended):
    refused([leaf("s", root, key_usage=key_usage, extended=extended)], [root], "signing")


def test_a_signer_that_is_an_authority_too_may_sign(root):
    """The test bundles of the reference tool are signed by such a certificate."""
    assert verified([leaf("s", root, ca=True)], [root])


CONSTRAINTS = x509.NameConstraints([x509.DNSName("example.com")], None)
UNKNOWN = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00")


@pytest.mark.parametrize("which", ["signer", "middle", "root"])
@pytest.mark.parametrize("extension", [CONSTRAINTS, UNKNOWN], ids=["name constraints", "unknown"])
def test_a_critical_extension_that_is_not_understood_is_refused(extension, which):
    def extra(name):
        return {"extra": [(extension, True)]} if name == which else {}

    root = authority("root", **extra("root"))
    middle = authority("middle", root, **extra("middle"))
    signer = leaf("signer", middle, **extra("signer"))
    refused([signer, middle], [root], f"{which} has a critical extension")


def test_other_extensions_do_not_matter(root):
    signer = leaf(
        "signer", root, extra=[(UNKNOWN, False), (x509.SubjectAlternativeName([x509.DNSName("a.b")]), True)]
    )
    assert verified([signer], [root])


def test_signatures_over_sha1_are_refused(root, monkeypatch):
    """No library signs over SHA-1 any more, so the certificate is made to say that it was."""
    signer = leaf("signer", root)
    assert verified([signer], [root])

    class Weak:
        signature_hash_algorithm = hashes.SHA1()

        def __getattr__(self, attribute):
            return getattr(signer.cert, attribute)

    with pytest.raises(ChainError, match="does not lead"):
        verify_chain([Weak()], [root.cert], at=NOW)


def test_a_broken_extension_is_refused_without_a_traceback(root):
    broken = x509.UnrecognizedExtension(x509.ExtensionOID.BASIC_CONSTRAINTS, b"\x30\x03\x01\x01")
    signer = issue("signer", root, key_usage=usage("digital_signature"), extra=[(broken, True)])
    refused([signer], [root], "cannot be read")


def test_certificates_are_loaded_from_pem(tmp_path, root, middle):
    (tmp_path / "chain.pem").write_bytes(b"text\n" + middle.pem + root.pem)
    assert load_certificates(tmp_path / "chain.pem") == (middle.cert, root.cert)


@pytest.mark.parametrize(
    "data", [b"", b"junk", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]
)
def test_what_is_no_certificate_is_told(tmp_path, data):
    (tmp_path / "c.pem").write_bytes(data)
    with pytest.raises(UsageError, match="holds no certificate"):
        load_certificates(tmp_path / "c.pem")
    with pytest.raises(UsageError, match="cannot read"):
        load_certificates(tmp_path / "absent.pem")


def test_broken_der_is_malformed(root):
    for data in (b"", b"junk", root.der[:-1], root.der + b"\0", root.pem):
        with pytest.raises(Malformed) as caught:
            parse_chain([root.der, data])
        assert caught.value.code == "SIG008"


@pytest.mark.parametrize(
    "key", [None, rsa.generate_private_key(65537, 2048), ed25519.Ed25519PrivateKey.generate()]
)
def test_no_bit_of_a_chain_can_be_changed(key):
    """All bits of one certificate, in turn; among them the count of unused bits of the signature."""
    root = authority("root", key=key)
    signer = leaf("signer", root)
    while signer.der[-1] & 1:  # with an odd last byte a count of unused bits would be wrong anyway
        signer = leaf("signer", root)
    for position in range(len(signer.der) * 8):
        content = bytearray(signer.der)
        content[position // 8] ^= 1 << position % 8
        with pytest.raises((Malformed, ChainError)), warnings.catch_warnings(action="ignore"):
            verify_chain(parse_chain([bytes(content)]), [root.cert], at=NOW)


def test_the_signers_key_must_be_of_a_supported_kind(root):
    for key in (rsa.generate_private_key(65537, 2048), ec.generate_private_key(ec.SECP256K1())):
        with pytest.raises(ChainError, match="not supported"):
            leaf_key(leaf("signer", root, key=key).cert)
    signer = leaf("signer", root)
    assert leaf_key(signer.cert) == signer.key.public_key()


def test_a_certificate_is_named_by_subject_or_number(root):
    assert leaf_name(root.cert) == "CN=root"
