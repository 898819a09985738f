"""A small world of contributors, a curator and a trainer, with real keys, files and statements."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import provenance
from policies import parse_policy
from provenance.attestations.slsa import derivation, input_descriptor, provenance_statement
from provenance.attestations.statement import Subject, encode_statement
from provenance.lineage.index import Statements
from provenance.lineage.statements import write_statement
from provenance.lineage.subjects import subject_of
from provenance.signing.keys import generate, write_key_pair
from provenance.signing.signers import key_signer, open_key
from provenance.trust.roster_editing import add_contributor, init_roster, revoke_contributor
from provenance.trust.roster_signing import sign_roster

PEOPLE = ("alice", "bob", "carol", "curator", "trainer", "maintainer", "stranger")
MADE: dict[str, bytes] = {}


class World:
    """Everything lies below ``root``: ``keys/``, ``roster.toml``, a folder for each batch, data set and model."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.keys = root / "keys"
        self.keys.mkdir(parents=True)
        for name in PEOPLE:
            self._key(name)
        self.roster = root / "roster.toml"
        init_roster(self.roster, maintainers=[self.pub("maintainer")])
        for name in ("alice", "bob", "carol"):
            add_contributor(self.roster, name, keys=[self.pub(name)])
        self.sign_roster()

    def _key(self, name: str) -> None:
        path = self.keys / name
        if name in MADE:  # making keys is slow, and they never change
            path.write_bytes(MADE[name])
            path.with_name(f"{name}.pub").write_bytes(MADE[f"{name}.pub"])
            return
        write_key_pair(path, generate("ed25519"))
        for each in (name, f"{name}.pub"):
            MADE[each] = (self.keys / each).read_bytes()

    def key(self, name: str) -> Path:
        return self.keys / name

    def pub(self, name: str) -> Path:
        return self.keys / f"{name}.pub"

    def sign_roster(self) -> None:
        sign_roster(self.roster, key=self.key("maintainer"))

    def revoke(self, name: str, **options) -> None:
        revoke_contributor(self.roster, name, reason="the key was stolen", **options)
        self.sign_roster()

    def file(self, name: str, text: str, folder: str = "") -> Path:
        path = self.root / (folder or Path(name).stem) / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def records(self, name: str, count: int = 10) -> str:
        return "".join(json.dumps({"by": name, "number": number}) + "\n" for number in range(count))

    def batch(self, who: str, *, text: str = "", name: str = "", signer: str = "", **options) -> Path:
        path = self.file(f"{name or who}.jsonl", text or self.records(who))
        options.setdefault("licence", "CC-BY-4.0")
        provenance.contribute(
            path, contributor=who, key=self.key(signer or who), records="jsonl", leaves=True, **options
        )
        return path

    def curated(
        self, batches, lines: list[str] | None = None, *, name: str = "curated", key: str = "curator"
    ) -> Path:
        """A data set of some lines of the batches; all of them where none are given."""
        text = "".join(each.read_text() for each in batches) if lines is None else "".join(lines)
        path = self.file(f"{name}.jsonl", text)
        provenance.attest(path, kind="curate", inputs={"batch": batches}, key=self.key(key), code=None)
        return path

    def model(self, inputs, *, name: str = "model", key: str = "trainer", kind: str = "train") -> Path:
        """A signed model that was trained on something."""
        path = self.root / name
        path.mkdir(exist_ok=True)
        (path / "config.json").write_text(json.dumps({"name": name}))
        provenance.attest(path, kind=kind, inputs={"dataset": inputs}, key=self.key(key), code=None)
        provenance.sign(path, key=self.key(key))
        return path

    def usual(self) -> Path:
        """Two batches, curated to one data set, a model trained on it."""
        self.alice, self.bob = self.batch("alice"), self.batch("bob")
        self.data = self.curated([self.alice, self.bob])
        return self.model([self.data])

    @property
    def trusting(self) -> dict:
        return {
            "store": self.root,
            "keys": [self.pub("curator"), self.pub("trainer")],
            "roster": self.roster,
            "roster_keys": [self.pub("maintainer")],
        }

    def trace(self, path: Path, **options):
        return provenance.trace(path, **{**self.trusting, **options})

    def impact(self, *path: Path, **options):
        return provenance.impact(*path, **{**self.trusting, **options})

    def policy(self, lineage: str = 'require = "proven"', contributors: str = ""):
        text = f"""
            version = 1
            [signers.trainer]
            keys = ["keys/trainer.pub"]
            [signers.curator]
            keys = ["keys/curator.pub"]
            [lineage]
            {lineage}
            [contributors]
            roster = "roster.toml"
            roster_keys = ["keys/maintainer.pub"]
            {contributors}
        """
        return parse_policy(text, name="lineage", base=str(self.root))

    def verify(self, path: Path, *, lineage: str = 'require = "proven"', contributors: str = "", **options):
        options.setdefault("store", self.root)
        return provenance.verify(path, policy=self.policy(lineage, contributors), **options)


def statements_of(claims) -> Statements:
    """Index claims that no file holds."""
    statements = Statements()
    for claim in claims:
        statements._insert(1, claim)
    for table in ("subject", "input"):
        statements._flush(table)
    return statements


def bundle_of(path: Path, kind: str) -> Path:
    """The bundle of one kind about an artifact."""
    folder = (path if path.is_dir() else path.parent) / ".provenance"
    (found,) = folder.glob(f"{path.name}.{kind}.*.sigstore.json")
    return found


def payload_of(bundle: Path) -> dict:
    return json.loads(base64.b64decode(json.loads(bundle.read_text())["dsseEnvelope"]["payload"]))


def with_payload(bundle: Path, payload: dict) -> None:
    """Change the payload of a bundle and keep its signature, which is wrong then."""
    tree = json.loads(bundle.read_text())
    tree["dsseEnvelope"]["payload"] = base64.b64encode(json.dumps(payload).encode()).decode()
    bundle.write_text(json.dumps(tree))


def signed_again(bundle: Path, payload: dict, key: Path) -> None:
    """Change the payload of a bundle and sign it with another key."""
    bundle.write_bytes(key_signer(open_key(key))(json.dumps(payload).encode()))


def derive(output: Path, inputs, key: Path, *, kind: str = "train", place: Path | None = None) -> Path:
    """Sign a derivation of exactly these inputs: paths, or subjects."""
    subjects = [each if isinstance(each, Subject) else subject_of(each) for each in inputs]
    predicate = derivation(
        kind, inputs=[input_descriptor(each, "dataset") for each in subjects], parameters={}
    )
    statement = provenance_statement([subject_of(output)], predicate)
    return write_statement(statement, signer=open_key(key), artifact=output, kind=kind, output=place)


def bundle_bytes(statement, key: Path) -> bytes:
    return key_signer(open_key(key))(encode_statement(statement))
