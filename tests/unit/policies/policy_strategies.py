"""Policies and evidence of every shape, for the properties of judging."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from hypothesis import strategies as st

from policies import (
    FORMATS,
    GIVEN,
    RULES,
    Evidence,
    FileEvidence,
    FormatPolicy,
    LineagePolicy,
    Policy,
    SignaturePolicy,
    Signer,
    SignerRule,
    finding,
)

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
NAMES = ("alice", "bob", "carol", "dave")
PATHS = st.sampled_from(["a", "b/c", "b/d", ".git/config", ".git/HEAD", "z"])

findings = st.builds(
    lambda rule, path, severity: finding(rule, "something", path=path, severity=severity),
    st.sampled_from(sorted(RULES)),
    PATHS | st.just(""),
    st.sampled_from(["error", "warning", "note", None]),
)
errors = findings.filter(lambda found: found.severity == "error")
harmless_findings = findings.filter(lambda found: found.severity != "error")

signers = st.builds(
    Signer,
    name=st.sampled_from(NAMES),
    method=st.sampled_from(["key", "certificate", "sigstore"]),
    fingerprint=st.sampled_from(["SHA256:1", "SHA256:2", "SHA256:3"]),
    identity=st.sampled_from(["", "a@acme.com", "b@acme.com"]),
    issuer=st.just("https://issuer.example"),
    time=st.none() | st.integers(0, 800).map(lambda days: NOW - timedelta(days=days)),
    satisfies=st.lists(st.sampled_from([*NAMES, GIVEN]), max_size=3, unique=True).map(tuple),
    bundle=st.sampled_from(["one", "two"]),
)

files = st.builds(
    FileEvidence,
    path=PATHS,
    format=st.sampled_from([*FORMATS, ""]),
    size=st.just(1),
    findings=st.lists(findings, max_size=2).map(tuple),
)

clean_files = st.builds(FileEvidence, path=PATHS, format=st.just("safetensors"), size=st.just(1))


def evidences(found=findings, file=files):
    return st.builds(
        Evidence,
        subject=st.just("model"),
        signers=st.lists(signers, max_size=4).map(tuple),
        findings=st.lists(found, max_size=2).map(tuple),
        unsigned=st.lists(PATHS, max_size=2).map(tuple),
        uncovered=st.lists(PATHS, max_size=3).map(tuple),
        files=st.lists(file, max_size=3).map(tuple),
        lineage=st.sampled_from(["proven", "asserted", "missing", "unasked"]),
        lineage_findings=st.lists(found, max_size=1).map(tuple),
    )


@st.composite
def policies(draw, required=st.booleans()):
    accept = tuple(draw(st.lists(st.sampled_from(NAMES), unique=True, max_size=3)))
    return Policy(
        name="drawn",
        expires=draw(st.none() | st.dates(date(2026, 11, 1), date(2026, 12, 31))),
        signers=tuple(SignerRule(name=name, keys=(name,)) for name in NAMES),
        signatures=SignaturePolicy(
            threshold=draw(st.integers(0, 3)),
            accept=accept,
            max_age_days=draw(st.none() | st.integers(1, 400)),
            uncovered=draw(st.sampled_from(["warn", "refuse"])),
            unsigned=draw(st.sampled_from(["warn", "refuse"])),
            required=draw(required),
        ),
        formats=FormatPolicy(
            allow=tuple(draw(st.lists(st.sampled_from(FORMATS), unique=True))),
            pickle=draw(st.sampled_from(["refuse", "allowlist"])),
        ),
        lineage=LineagePolicy(require=draw(st.sampled_from(["none", "asserted", "proven"]))),
    )
