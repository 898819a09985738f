"""Key files: what is read, what is written, and what is never overwritten."""

import hashlib
import os
import stat
import subprocess

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, mldsa, rsa

from provenance.errors import UsageError
from provenance.signing import keys
from provenance.signing.keys import (
    ALGORITHMS,
    PasswordRequired,
    fingerprint,
    generate,
    load_private_key,
    load_public_key,
    oms_hint,
    public_key_from_bytes,
    write_key_pair,
)

PEM = serialization.Encoding.PEM
FORMATS = {
    "PKCS#8": serialization.PrivateFormat.PKCS8,
    "SEC1": serialization.PrivateFormat.TraditionalOpenSSL,
    "OpenSSH": serialization.PrivateFormat.OpenSSH,
}
# OpenSSH's key derivation is slow on purpose; sixteen rounds would take a second.
QUICK = serialization.PrivateFormat.OpenSSH.encryption_builder().kdf_rounds(1)


def protection(form, password):
    if password is None:
        return serialization.NoEncryption()
    return QUICK.build(password) if form == "OpenSSH" else serialization.BestAvailableEncryption(password)


def written(path, key, form="PKCS#8", password=None):
    path.write_bytes(key.private_bytes(PEM, FORMATS[form], protection(form, password)))
    return path


def forms():
    for algorithm in ALGORITHMS:
        yield algorithm, "PKCS#8"
        if algorithm != "ml-dsa-65":
            yield algorithm, "OpenSSH"
        if algorithm.startswith("ecdsa"):
            yield algorithm, "SEC1"


@pytest.mark.parametrize("password", [None, b"secret"])
@pytest.mark.parametrize(("algorithm", "form"), list(forms()))
def test_every_form_of_private_key_is_read(tmp_path, algorithm, form, password):
    key = generate(algorithm)
    path = written(tmp_path / "k", key, form, password)
    assert load_private_key(path, password).public_key() == key.public_key()


@pytest.mark.parametrize("form", FORMATS)
def test_a_wrong_password_is_told_without_showing_it(tmp_path, form):
    path = written(tmp_path / "k", generate("ecdsa-p256"), form, b"secret")
    with pytest.raises(UsageError) as caught:
        load_private_key(path, b"hunter2")
    assert not isinstance(caught.value, PasswordRequired)
    assert "hunter2" not in str(caught.value) + caught.value.hint
    assert "wrong" in caught.value.message


@pytest.mark.parametrize("password", [None, b""])
@pytest.mark.parametrize("form", FORMATS)
def test_a_missing_password_may_be_asked_for(tmp_path, form, password):
    path = written(tmp_path / "k", generate("ecdsa-p256"), form, b"secret")
    with pytest.raises(PasswordRequired, match="encrypted"):
        load_private_key(path, password)


@pytest.mark.parametrize("form", FORMATS)
def test_a_password_that_is_not_needed_does_no_harm(tmp_path, form):
    key = generate("ecdsa-p256")
    assert load_private_key(written(tmp_path / "k", key, form), b"any").public_key() == key.public_key()


def test_other_kinds_of_key_are_not_supported(tmp_path):
    others = (
        rsa.generate_private_key(65537, 2048),
        ec.generate_private_key(ec.SECP256K1()),
        ed448.Ed448PrivateKey.generate(),
        mldsa.MLDSA44PrivateKey.generate(),
    )
    for key in others:
        with pytest.raises(UsageError, match="not supported") as caught:
            load_private_key(written(tmp_path / "k", key))
        assert "ML-DSA-65" in caught.value.hint
        pem = key.public_key().public_bytes(PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        with pytest.raises(ValueError, match="not supported"):
            public_key_from_bytes(pem)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"junk",
        b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        b"-----BEGIN EC PRIVATE KEY-----\n-----END EC PRIVATE KEY-----\n",
        b"-----BEGIN OPENSSH PRIVATE KEY-----\nb3Blbg==\n-----END OPENSSH PRIVATE KEY-----\n",
        b"-----BEGIN OPENSSH PRIVATE KEY-----\n*\n-----END OPENSSH PRIVATE KEY-----\n",
        b"-----BEGIN PRIVATE KEY-----",
        b"\xff" * 100,
        b"x" * (keys.MAX_KEY_BYTES + 1),
    ],
)
def test_what_is_no_key_is_told(tmp_path, data):
    (tmp_path / "k").write_bytes(data)
    for password in (None, b"secret"):
        with pytest.raises(UsageError):
            load_private_key(tmp_path / "k", password)
    with pytest.raises(UsageError):
        load_public_key(tmp_path / "k")


def test_a_file_that_cannot_be_read_is_told_and_does_not_hang(tmp_path):
    os.mkfifo(tmp_path / "fifo")
    for name in ("absent", ".", "fifo"):
        with pytest.raises(UsageError):
            load_private_key(tmp_path / name)
        with pytest.raises(UsageError):
            load_public_key(tmp_path / name)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("password", [None, b"secret"])
def test_a_pair_is_written_and_read(tmp_path, algorithm, password):
    key = generate(algorithm)
    path = tmp_path / "release.key"
    public = write_key_pair(path, key, password=password)
    assert public == tmp_path / "release.key.pub"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_bytes().startswith(
        b"-----BEGIN ENCRYPTED PRIVATE KEY-----" if password else b"-----BEGIN PRIVATE"
    )
    assert load_private_key(path, password).public_key() == key.public_key() == load_public_key(public)
    assert sorted(os.listdir(tmp_path)) == ["release.key", "release.key.pub"]


def test_an_unknown_algorithm_is_told():
    with pytest.raises(UsageError, match="rsa") as caught:
        generate("rsa")
    assert "ecdsa-p256" in caught.value.hint


@pytest.mark.parametrize("existing", ["k", "k.pub"])
@pytest.mark.parametrize("dangling", [False, True])
def test_an_existing_file_is_never_overwritten(tmp_path, existing, dangling):
    place = tmp_path / existing
    if dangling:
        place.symlink_to("nowhere")
    else:
        place.write_bytes(b"precious")
    with pytest.raises(UsageError, match="exists already"):
        write_key_pair(tmp_path / "k", generate("ecdsa-p256"))
    assert os.listdir(tmp_path) == [existing]
    assert dangling or place.read_bytes() == b"precious"


def test_where_the_public_half_cannot_be_written_neither_stays(tmp_path, monkeypatch):
    real = keys.write_atomically

    def failing(path, data, **options):
        if path.name.endswith(".pub"):
            raise OSError(28, "No space left on device")
        real(path, data, **options)

    monkeypatch.setattr(keys, "write_atomically", failing)
    with pytest.raises(UsageError, match="no space left"):
        write_key_pair(tmp_path / "k", generate("ecdsa-p256"))
    assert os.listdir(tmp_path) == []


def test_a_directory_that_does_not_exist_is_told(tmp_path):
    with pytest.raises(UsageError, match="cannot write"):
        write_key_pair(tmp_path / "none" / "k", generate("ecdsa-p256"))


@pytest.mark.parametrize("algorithm", [name for name in ALGORITHMS if name != "ml-dsa-65"])
def test_openssh_public_keys_are_read(tmp_path, algorithm):
    public = generate(algorithm).public_key()
    line = public.public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    assert public_key_from_bytes(line + b" somebody@somewhere\n") == public


def test_the_key_of_a_certificate_is_read(tmp_path, certificate):
    key = generate("ecdsa-p384")
    pem = certificate(key).public_bytes(PEM)
    assert public_key_from_bytes(pem) == key.public_key()


def test_a_private_key_is_never_taken_for_a_public_one(tmp_path):
    path = written(tmp_path / "k", generate("ed25519"))
    with pytest.raises(UsageError, match="it is a private key"):
        load_public_key(path)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_fingerprint_and_hint_are_those_of_openssl(tmp_path, algorithm):
    """The fingerprint is over DER; the hint is over the PEM text as OpenSSL writes it anew."""
    public = write_key_pair(tmp_path / "k", generate(algorithm))
    key = load_public_key(public)
    der = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    assert fingerprint(key) == f"SHA256:{hashlib.sha256(der).hexdigest()}"
    assert oms_hint(key) == hashlib.sha256(public.read_bytes()).hexdigest()
    if algorithm.startswith("ecdsa"):
        command = ["openssl", "pkey", "-in", str(tmp_path / "k"), "-pubout"]
        assert hashlib.sha256(subprocess.check_output(command)).hexdigest() == oms_hint(key)


def test_the_hint_does_not_depend_on_how_the_file_was_written(tmp_path):
    public = write_key_pair(tmp_path / "k", generate("ecdsa-p256"))
    text = public.read_bytes()
    (tmp_path / "other").write_bytes(b"a comment\n" + text.replace(b"\n", b"\r\n") + b"\n\n")
    assert oms_hint(load_public_key(tmp_path / "other")) == oms_hint(load_public_key(public))


@pytest.fixture
def certificate():
    from datetime import UTC, datetime, timedelta

    def make(key):
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "signer")])
        now = datetime.now(UTC)
        builder = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + timedelta(days=1))
        from cryptography.hazmat.primitives import hashes

        return builder.sign(key, hashes.SHA256())

    return make
