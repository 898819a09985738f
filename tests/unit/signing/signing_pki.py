"""A small certificate authority for tests: every property of a certificate can be chosen."""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa

NOW = datetime(2026, 6, 1, tzinfo=UTC)
YEAR = timedelta(days=365)
CODE_SIGNING = x509.ExtendedKeyUsageOID.CODE_SIGNING
SERVER_AUTH = x509.ExtendedKeyUsageOID.SERVER_AUTH


class Issued(NamedTuple):
    """A certificate with its private key."""

    cert: x509.Certificate
    key: object

    @property
    def der(self):
        return self.cert.public_bytes(serialization.Encoding.DER)

    @property
    def pem(self):
        return self.cert.public_bytes(serialization.Encoding.PEM)


def usage(*names):
    """A key usage extension with the named bits set."""
    bits = (
        "digital_signature",
        "content_commitment",
        "key_encipherment",
        "data_encipherment",
        "key_agreement",
        "key_cert_sign",
        "crl_sign",
        "encipher_only",
        "decipher_only",
    )
    return x509.KeyUsage(**{bit: bit in names for bit in bits})


def name(text):
    if not text:
        return x509.Name([])
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])


def issue(
    subject,
    issuer=None,
    *,
    key=None,
    ca=None,
    path_length=None,
    key_usage=None,
    extended=(),
    start=NOW - YEAR,
    end=NOW + YEAR,
    digest=None,
    serial=None,
    extra=(),
):
    """Make a certificate, signed by ``issuer`` or by itself."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    signer = issuer.key if issuer else key
    builder = (
        x509.CertificateBuilder()
        .subject_name(name(subject))
        .issuer_name(issuer.cert.subject if issuer else name(subject))
        .public_key(key.public_key())
        .serial_number(serial or x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(end)
    )
    if ca is not None:
        builder = builder.add_extension(x509.BasicConstraints(ca, path_length), critical=True)
    if key_usage is not None:
        builder = builder.add_extension(key_usage, critical=True)
    if extended:
        builder = builder.add_extension(x509.ExtendedKeyUsage(extended), critical=False)
    for extension, critical in extra:
        builder = builder.add_extension(extension, critical)
    plain = isinstance(signer, ed25519.Ed25519PrivateKey | mldsa.MLDSA65PrivateKey)
    return Issued(builder.sign(signer, None if plain else digest or hashes.SHA256()), key)


def authority(subject, issuer=None, **options):
    """Make a certificate that may issue others."""
    options = {"ca": True, "key_usage": usage("key_cert_sign", "crl_sign"), **options}
    return issue(subject, issuer, **options)


def leaf(subject, issuer, **options):
    """Make a certificate that may sign."""
    options = {"ca": False, "key_usage": usage("digital_signature"), "extended": (CODE_SIGNING,), **options}
    return issue(subject, issuer, **options)
