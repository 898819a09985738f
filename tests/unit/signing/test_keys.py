import os
import stat
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from cli.commands.keygen import ALGORITHMS as OFFERED
from provenance.errors import UsageError
from provenance.signing.keys import (
    ALGORITHMS,
    PasswordRequired,
    fingerprint,
    generate,
    load_private_key,
    load_public_key,
    oms_hint,
    write_key_pair,
)
from provenance.signing.signatures import sign_bytes, verify_bytes


def test_the_command_offers_what_the_library_makes() -> None:
    assert OFFERED == ALGORITHMS


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_keys_sign_and_others_do_not(algorithm: str) -> None:
    key, other = generate(algorithm), generate(algorithm)
    signature = sign_bytes(key, b"data")
    assert verify_bytes(key.public_key(), signature, b"data")
    assert not verify_bytes(key.public_key(), signature, b"Data")
    assert not verify_bytes(other.public_key(), signature, b"data")
    assert not verify_bytes(key.public_key(), b"", b"data")


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_key_files_are_private_and_read_back(tmp_path: Path, algorithm: str) -> None:
    key = generate(algorithm)
    public = write_key_pair(tmp_path / "k", key)
    assert stat.S_IMODE(os.stat(tmp_path / "k").st_mode) == 0o600
    assert fingerprint(load_private_key(tmp_path / "k").public_key()) == fingerprint(load_public_key(public))


@pytest.mark.parametrize("existing", ["k", "k.pub"])
def test_existing_keys_are_never_overwritten(tmp_path: Path, existing: str) -> None:
    (tmp_path / existing).write_text("mine")
    with pytest.raises(UsageError):
        write_key_pair(tmp_path / "k", generate("ed25519"))
    assert os.listdir(tmp_path) == [existing]
    assert (tmp_path / existing).read_text() == "mine"


def test_passwords(tmp_path: Path) -> None:
    key = generate("ecdsa-p256")
    write_key_pair(tmp_path / "k", key, password=b"secret")
    with pytest.raises(PasswordRequired):
        load_private_key(tmp_path / "k")
    with pytest.raises(UsageError) as caught:
        load_private_key(tmp_path / "k", b"wrong-password")
    assert "wrong-password" not in str(caught.value)
    assert load_private_key(tmp_path / "k", b"secret").public_key() == key.public_key()


def test_a_password_for_a_key_without_one_is_no_error(tmp_path: Path) -> None:
    write_key_pair(tmp_path / "k", generate("ecdsa-p256"))
    assert load_private_key(tmp_path / "k", b"secret")


@pytest.mark.parametrize("kind", [["-t", "ed25519"], ["-t", "ecdsa", "-b", "384"]], ids=["ed25519", "p384"])
@pytest.mark.parametrize("password", ["", "secret"])
def test_keys_of_ssh_keygen_are_read(tmp_path: Path, kind: list[str], password: str) -> None:
    subprocess.run(["ssh-keygen", "-q", *kind, "-N", password, "-f", str(tmp_path / "k")], check=True)
    if password:
        with pytest.raises(PasswordRequired):
            load_private_key(tmp_path / "k")
    key = load_private_key(tmp_path / "k", password.encode() or None)
    assert fingerprint(key.public_key()) == fingerprint(load_public_key(tmp_path / "k.pub"))


def test_sec1_keys_of_openssl_are_read(tmp_path: Path) -> None:
    subprocess.run(
        ["openssl", "ecparam", "-genkey", "-name", "secp384r1", "-noout", "-out", str(tmp_path / "k")],
        check=True,
    )
    assert load_private_key(tmp_path / "k")


def test_the_hint_is_over_the_pem_text_that_openssl_writes(tmp_path: Path) -> None:
    import hashlib

    write_key_pair(tmp_path / "k", generate("ecdsa-p256"))
    pem = subprocess.run(
        ["openssl", "pkey", "-in", str(tmp_path / "k"), "-pubout"], check=True, capture_output=True
    ).stdout
    assert oms_hint(load_public_key(tmp_path / "k.pub")) == hashlib.sha256(pem).hexdigest()


@pytest.mark.parametrize(
    "content",
    [b"", b"garbage", b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", b"x" * 100_000],
)
def test_files_that_hold_no_key_are_wrong_use(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "k").write_bytes(content)
    for load in (load_private_key, load_public_key):
        with pytest.raises(UsageError):
            load(tmp_path / "k")
        with pytest.raises(UsageError):
            load(tmp_path / "absent")


def test_a_private_key_in_place_of_a_public_one_is_said_so(tmp_path: Path) -> None:
    write_key_pair(tmp_path / "k", generate("ecdsa-p256"))
    with pytest.raises(UsageError, match="private key"):
        load_public_key(tmp_path / "k")


@pytest.mark.parametrize(
    "key", [rsa.generate_private_key(65537, 2048), ec.generate_private_key(ec.SECP256K1())], ids=["rsa", "k1"]
)
def test_other_kinds_of_keys_are_wrong_use(tmp_path: Path, key) -> None:
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (tmp_path / "k").write_bytes(pem)
    with pytest.raises(UsageError, match="not supported"):
        load_private_key(tmp_path / "k")
