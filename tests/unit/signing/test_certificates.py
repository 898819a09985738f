from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

from provenance.signing.certificates import ChainError, verify_chain

NOW = datetime(2026, 6, 1, tzinfo=UTC)


class Authority:
    """A certificate with its key, able to issue others."""

    def __init__(self, name: str, issuer: "Authority | None" = None, **options) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self.certificate = self._build(issuer or self, **options)

    def _build(
        self,
        issuer,
        *,
        ca=True,
        length=None,
        usage="both",
        extended=None,
        days=(-10, 10),
        critical=False,
        by=None,
    ):
        builder = (
            x509.CertificateBuilder()
            .subject_name(self.name)
            .issuer_name(issuer.name)
            .public_key(self.key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(NOW + timedelta(days=days[0]))
            .not_valid_after(NOW + timedelta(days=days[1]))
        )
        if ca is not None:
            builder = builder.add_extension(x509.BasicConstraints(ca=ca, path_length=length), critical=True)
        if usage:
            sign, cert = usage in ("sign", "both"), usage in ("cert", "both")
            builder = builder.add_extension(
                x509.KeyUsage(sign, False, False, False, False, cert, False, False, False), critical=True
            )
        if extended:
            builder = builder.add_extension(x509.ExtendedKeyUsage([extended]), critical=False)
        if critical:
            unknown = x509.UnrecognizedExtension(ObjectIdentifier("1.2.3.4"), b"\x05\x00")
            builder = builder.add_extension(unknown, critical=True)
        return builder.sign((by or issuer).key, hashes.SHA256())


def leaf(issuer: Authority, **options) -> x509.Certificate:
    return Authority("leaf", issuer, **{"ca": False, "usage": "sign", **options}).certificate


def verify(chain, roots, at=NOW):
    return verify_chain(chain, roots, at=at)


def test_leaf_under_root_and_under_intermediates_in_any_order() -> None:
    root = Authority("root")
    one = Authority("one", root)
    two = Authority("two", one)
    signer = leaf(two)
    assert verify([leaf(root)], [root.certificate])
    assert len(verify([signer, one.certificate, two.certificate], [root.certificate])) == 4
    assert len(verify([signer, two.certificate, one.certificate], [root.certificate])) == 4
    assert verify([signer, two.certificate], [one.certificate])


def test_the_trusted_certificate_may_be_the_leaf_itself() -> None:
    signer = leaf(Authority("root"))
    assert verify([signer], [signer])


@pytest.mark.parametrize(
    "options",
    [
        {"days": (-10, -1)},
        {"days": (1, 10)},
        {"usage": "cert"},
        {"usage": None},
        {"extended": ExtendedKeyUsageOID.SERVER_AUTH},
        {"critical": True},
    ],
    ids=str,
)
def test_leaves_that_may_not_sign(options: dict) -> None:
    root = Authority("root")
    with pytest.raises(ChainError):
        verify([leaf(root, **options)], [root.certificate])


def test_code_signing_alone_is_enough() -> None:
    root = Authority("root")
    assert verify([leaf(root, usage=None, extended=ExtendedKeyUsageOID.CODE_SIGNING)], [root.certificate])


@pytest.mark.parametrize(
    "options",
    [{"ca": False}, {"ca": None}, {"usage": "sign"}, {"days": (-10, -1)}, {"critical": True}, {"length": 0}],
    ids=str,
)
def test_intermediates_that_may_not_issue(options: dict) -> None:
    root = Authority("root")
    upper = Authority("upper", root, **options)
    lower = Authority("lower", upper)
    with pytest.raises(ChainError):
        verify([leaf(lower), lower.certificate, upper.certificate], [root.certificate])


def test_an_expired_or_limited_root_is_no_root() -> None:
    old = Authority("root", days=(-20, -1))
    with pytest.raises(ChainError):
        verify([leaf(old)], [old.certificate])
    short = Authority("root", length=0)
    between = Authority("between", short)
    assert verify([leaf(short)], [short.certificate])
    with pytest.raises(ChainError):
        verify([leaf(between), between.certificate], [short.certificate])


def test_a_root_of_the_same_name_with_another_key_is_a_stranger() -> None:
    with pytest.raises(ChainError):
        verify([leaf(Authority("root"))], [Authority("root").certificate])


def test_a_chain_that_brings_its_own_root_is_a_stranger() -> None:
    mine, theirs = Authority("root"), Authority("evil")
    with pytest.raises(ChainError):
        verify([leaf(theirs), theirs.certificate], [mine.certificate])


def test_a_certificate_that_claims_an_issuer_who_did_not_sign_it() -> None:
    root, forger = Authority("root"), Authority("root")
    with pytest.raises(ChainError):
        verify([leaf(root, by=forger)], [root.certificate])


def test_chains_are_bounded_and_loops_end() -> None:
    chain = [Authority("root")]
    for index in range(12):
        chain.append(Authority(f"ca{index}", chain[-1]))
    certificates = [each.certificate for each in reversed(chain)]
    with pytest.raises(ChainError):
        verify([leaf(chain[-1]), *certificates], [chain[0].certificate])
    loop = Authority("loop")
    with pytest.raises(ChainError):
        verify([leaf(loop), loop.certificate, loop.certificate], [chain[0].certificate])
