"""A Sigstore of our own in memory: a certificate authority, its certificate log and a transparency log.

It makes bundles as Rekor v1 logs them (kind ``dsse`` 0.0.1, with an inclusion proof and a signed entry timestamp),
and the trust roots to verify them with. Sources: RFC 6962 (certificate timestamps, Merkle trees), C2SP signed-note,
sigstore/protobuf-specs (bundle, trust root).
"""

import hashlib
import json
import struct
from base64 import b64encode
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from signing_pki import CODE_SIGNING, authority, issue, usage

from provenance.attestations.dsse import pae
from provenance.attestations.types import PAYLOAD_TYPE

ISSUER = "https://issuer.example/oauth2"
SIGNED_AT = datetime(2025, 3, 4, 12, 0, tzinfo=UTC)
TIMESTAMPS = x509.ObjectIdentifier("1.3.6.1.4.1.11129.2.4.2")


def b64(data):
    return b64encode(data).decode()


def spki(key):
    return key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def signed(key, data):
    return key.sign(data, ec.ECDSA(hashes.SHA256()))


def utf8_string(text):
    data = text.encode()
    length = bytes([len(data)]) if len(data) < 128 else b"\x81" + bytes([len(data)])
    return b"\x0c" + length + data


class Instance:
    """One instance, with keys of its own; ``signed_at`` is the time of its log."""

    def __init__(self, signed_at=SIGNED_AT):
        long = {"start": signed_at - timedelta(days=900), "end": signed_at + timedelta(days=900)}
        self.signed_at = signed_at
        key = ec.generate_private_key(ec.SECP384R1())
        identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
        self.root = authority("fulcio", key=key, **long, extra=[(identifier, False)])
        self.log_key = ec.generate_private_key(ec.SECP256R1())
        self.certificate_log_key = ec.generate_private_key(ec.SECP256R1())

    def certificate(self, key, identity, *, issuer=ISSUER, start=SIGNED_AT, names=None):
        """Certify a key for ten minutes, with a timestamp of the certificate log."""
        authority_key = self.root.key.public_key()
        extra = [
            (names or x509.SubjectAlternativeName([x509.RFC822Name(identity)]), True),
            (x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key), False),
            (
                x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.57264.1.1"), issuer.encode()),
                False,
            ),
            (
                x509.UnrecognizedExtension(
                    x509.ObjectIdentifier("1.3.6.1.4.1.57264.1.8"), utf8_string(issuer)
                ),
                False,
            ),
        ]

        def made(extensions):
            return issue(
                "",
                self.root,
                key=key,
                key_usage=usage("digital_signature"),
                extended=(CODE_SIGNING,),
                start=start - timedelta(minutes=1),
                end=start + timedelta(minutes=9),
                digest=hashes.SHA384(),
                serial=serial,
                extra=extensions,
            ).cert

        serial = x509.random_serial_number()
        poor = made(extra)  # without the timestamp, it is what the certificate log signs
        listed = self._timestamp(poor.tbs_certificate_bytes, start)
        return made([*extra, (x509.UnrecognizedExtension(TIMESTAMPS, listed), False)])

    def _timestamp(self, body, at):
        milliseconds = int(at.timestamp() * 1000)
        entry = hashlib.sha256(spki(self.root.key)).digest() + len(body).to_bytes(3) + body
        data = struct.pack("!BBQH", 0, 0, milliseconds, 1) + entry + b"\0\0"
        signature = signed(self.certificate_log_key, data)
        log_id = hashlib.sha256(spki(self.certificate_log_key)).digest()
        one = b"\0" + log_id + struct.pack("!QH", milliseconds, 0) + b"\4\3"
        one += struct.pack("!H", len(signature)) + signature
        listed = struct.pack("!HH", len(one) + 2, len(one)) + one
        return b"\x04" + (b"\x81" if len(listed) > 127 else b"") + bytes([len(listed)]) + listed

    def bundle(self, payload, identity="release@example.com", **options):
        """Sign a statement as ``identity`` and return the bundle as a JSON tree."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self.certificate(key, identity, **options)
        signature = signed(key, pae(PAYLOAD_TYPE, payload))
        return {
            "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
            "verificationMaterial": {
                "certificate": {"rawBytes": b64(certificate.public_bytes(serialization.Encoding.DER))},
                "tlogEntries": [self.entry(payload, signature, certificate)],
                "timestampVerificationData": {},
            },
            "dsseEnvelope": {
                "payload": b64(payload),
                "payloadType": PAYLOAD_TYPE,
                "signatures": [{"sig": b64(signature)}],
            },
        }

    def entry(self, payload, signature, certificate):
        """Log a signature as the only entry of a tree."""
        verifier = b64(certificate.public_bytes(serialization.Encoding.PEM))
        spec = {
            "envelopeHash": {"algorithm": "sha256", "value": "00" * 32},
            "payloadHash": {"algorithm": "sha256", "value": hashlib.sha256(payload).hexdigest()},
            "signatures": [{"signature": b64(signature), "verifier": verifier}],
        }
        body = canonical({"apiVersion": "0.0.1", "kind": "dsse", "spec": spec})
        log_id = hashlib.sha256(spki(self.log_key)).digest()
        time = int(self.signed_at.timestamp())
        promise = canonical({"body": b64(body), "integratedTime": time, "logID": log_id.hex(), "logIndex": 0})
        root = hashlib.sha256(b"\0" + body).digest()
        note = f"log.example - 1\n1\n{b64(root)}\n"
        note_signature = b64(log_id[:4] + signed(self.log_key, note.encode()))
        return {
            "logIndex": "0",
            "logId": {"keyId": b64(log_id)},
            "kindVersion": {"kind": "dsse", "version": "0.0.1"},
            "integratedTime": str(time),
            "inclusionPromise": {"signedEntryTimestamp": b64(signed(self.log_key, promise))},
            "inclusionProof": {
                "logIndex": "0",
                "rootHash": b64(root),
                "treeSize": "1",
                "hashes": [],
                "checkpoint": {"envelope": f"{note}\n\u2014 log.example {note_signature}\n"},
            },
            "canonicalizedBody": b64(body),
        }

    def trusted_root(self):
        """Return the trust roots as a JSON tree."""
        since = {"start": "2020-01-01T00:00:00Z"}

        def log(key):
            public = {"rawBytes": b64(spki(key)), "keyDetails": "PKIX_ECDSA_P256_SHA_256", "validFor": since}
            identifier = {"keyId": b64(hashlib.sha256(spki(key)).digest())}
            return {
                "baseUrl": "https://log.example",
                "hashAlgorithm": "SHA2_256",
                "publicKey": public,
                "logId": identifier,
            }

        fulcio = {
            "subject": {"organization": "example", "commonName": "fulcio"},
            "uri": "https://fulcio.example",
            "certChain": {"certificates": [{"rawBytes": b64(self.root.der)}]},
            "validFor": since,
        }
        return {
            "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            "tlogs": [log(self.log_key)],
            "certificateAuthorities": [fulcio],
            "ctlogs": [log(self.certificate_log_key)],
            "timestampAuthorities": [],
        }


def canonical(tree):
    """RFC 8785, for the strings and small numbers that occur here."""
    return json.dumps(tree, sort_keys=True, separators=(",", ":")).encode()
