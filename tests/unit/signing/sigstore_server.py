"""The instance of ``sigstore_instance`` behind HTTP on this machine, as Fulcio and Rekor v1 speak it."""

import json
import threading
from base64 import b64decode, urlsafe_b64encode
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from sigstore_instance import ISSUER, Instance


def token(identity="release@example.com", *, seconds=300):
    """Return an OIDC token; its signature is for the instance to check, and this one does not."""
    now = int(datetime.now(UTC).timestamp())
    claims = {
        "iss": ISSUER,
        "aud": "sigstore",
        "sub": identity,
        "iat": now,
        "nbf": now - 5,
        "exp": now + seconds,
    }
    parts = (json.dumps({"alg": "RS256", "typ": "JWT"}).encode(), json.dumps(claims).encode(), b"signature")
    return ".".join(urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


@contextmanager
def running(instance):
    """Serve an instance and yield its address; ``instance.seen`` collects the paths that were asked for."""
    instance.seen = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            instance.seen.append(self.path)
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            answer = certify(request, self.headers) if "signingCert" in self.path else log(request)
            body = json.dumps(answer or {}).encode()
            self.send_response(200 if answer else 403)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments):
            pass

    def certify(request, headers):
        given = headers["Authorization"].removeprefix("Bearer ").split(".")[1]
        claims = json.loads(b64decode(given.replace("-", "+").replace("_", "/") + "==="))
        if claims["sub"] == "nobody@example.com":
            return None
        asked = x509.load_pem_x509_csr(b64decode(request["certificateSigningRequest"]))
        start = datetime.now(UTC).replace(microsecond=0)
        certificate = instance.certificate(asked, claims["sub"], start=start)
        chain = [
            one.public_bytes(serialization.Encoding.PEM).decode() for one in (certificate, instance.root.cert)
        ]
        return {"signedCertificateEmbeddedSct": {"chain": {"certificates": chain}}}

    def log(request):
        content = request["spec"]["proposedContent"]
        envelope = json.loads(content["envelope"])
        certificate = x509.load_pem_x509_certificate(b64decode(content["verifiers"][0]))
        payload, signature = b64decode(envelope["payload"]), b64decode(envelope["signatures"][0]["sig"])
        entry = instance.entry(payload, signature, certificate)
        proof = entry["inclusionProof"]
        return {
            "00" * 40: {
                "body": entry["canonicalizedBody"],
                "integratedTime": int(entry["integratedTime"]),
                "logID": b64decode(entry["logId"]["keyId"]).hex(),
                "logIndex": int(entry["logIndex"]),
                "verification": {
                    "signedEntryTimestamp": entry["inclusionPromise"]["signedEntryTimestamp"],
                    "inclusionProof": {
                        "checkpoint": proof["checkpoint"]["envelope"],
                        "hashes": [],
                        "logIndex": 0,
                        "rootHash": b64decode(proof["rootHash"]).hex(),
                        "treeSize": 1,
                    },
                },
            }
        }

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def instance_of_today():
    """Return an instance whose log has the time of now."""
    return Instance(datetime.now(UTC) + timedelta(seconds=1))


def client_trust_config(instance, address):
    """Return the ClientTrustConfig of an instance as a JSON tree."""
    service = {
        "url": address,
        "majorApiVersion": 1,
        "validFor": {"start": "2020-01-01T00:00:00Z"},
        "operator": "example",
    }
    return {
        "mediaType": "application/vnd.dev.sigstore.clienttrustconfig.v0.1+json",
        "trustedRoot": instance.trusted_root(),
        "signingConfig": {
            "mediaType": "application/vnd.dev.sigstore.signingconfig.v0.2+json",
            "caUrls": [service],
            "oidcUrls": [service],
            "rekorTlogUrls": [service],
            "rekorTlogConfig": {"selector": "ANY"},
            "tsaUrls": [],
            "tsaConfig": {"selector": "ANY"},
        },
    }
