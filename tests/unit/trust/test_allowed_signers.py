"""OpenSSH's ``allowed_signers``: principals become contributors."""

from __future__ import annotations

import shutil
import subprocess
from datetime import UTC, date, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from provenance.errors import UsageError
from provenance.signing.keys import fingerprint, generate, load_public_key
from provenance.trust.allowed_signers import import_allowed_signers, parse_allowed_signers
from provenance.trust.roster_editing import init_roster
from provenance.trust.roster_files import read_roster


def line(key):
    return key.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()


@pytest.fixture(scope="module")
def public():
    return [generate("ed25519").public_key(), generate("ecdsa-p256").public_key()]


@pytest.fixture
def roster(tmp_path):
    return init_roster(tmp_path / "roster.toml")


def test_lines_become_contributors(roster, tmp_path, public):
    source = tmp_path / "allowed_signers"
    rsa_key = rsa.generate_private_key(public_exponent=65537, key_size=2048).public_key()
    source.write_text(
        "# who may sign\n\n"
        f'alice@example.org namespaces="git,file" {line(public[0])} alice@laptop\n'
        f"alice@example.org {line(public[1])}\n"
        f"bob@example.org {line(rsa_key)}\n"
        f"ca@example.org cert-authority {line(generate('ed25519').public_key())}\n"
        f'"carol@example.org" valid-after="20260101",valid-before="20270101Z" {line(generate("ed25519").public_key())}\n'
    )
    found = import_allowed_signers(roster, source)
    assert found.added == ("alice@example.org", "carol@example.org")
    assert len(found.skipped) == 2
    assert found.roster.version == 2
    alice, carol = read_roster(roster).roster.contributors
    assert [key.fingerprint for key in alice.keys] == [fingerprint(key) for key in public]
    assert carol.valid_from == datetime(2026, 1, 1, tzinfo=UTC)
    assert carol.valid_until == datetime(2027, 1, 1, tzinfo=UTC)


def test_a_day_before_which_a_key_is_valid_is_not_itself_valid(public):
    (found,), _ = parse_allowed_signers(f'a valid-before="20270101" {line(public[0])}', name="f")
    assert found.valid_until == date(2026, 12, 31)


@pytest.mark.parametrize(
    "text",
    [
        "alice",
        "*@example.org KEY",
        "alice,bob KEY",
        '"alice,bob" KEY',
        'alice valid-after="tomorrow" KEY',
        'alice valid-after="20269999" KEY',
        'alice valid-after="20260101" KEY\nalice KEY2',
        "al/ice KEY",
        "alice KEY\nbob KEY",
        "# nobody",
        "\0",
    ],
)
def test_what_is_not_clear_is_refused_as_a_whole(roster, tmp_path, public, text):
    source = tmp_path / "allowed_signers"
    source.write_text(text.replace("KEY2", line(public[1])).replace("KEY", line(public[0])))
    before = roster.read_bytes()
    with pytest.raises(UsageError):
        import_allowed_signers(roster, source)
    assert roster.read_bytes() == before


@pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="OpenSSH is not installed")
def test_keys_of_openssh_itself(roster, tmp_path):
    key = tmp_path / "id"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key, "-C", "me"], check=True)
    (tmp_path / "signers").write_text(f"me {(tmp_path / 'id.pub').read_text()}")
    found = import_allowed_signers(roster, tmp_path / "signers").roster.contributors[0]
    assert found.keys[0].fingerprint == fingerprint(load_public_key(tmp_path / "id.pub"))
