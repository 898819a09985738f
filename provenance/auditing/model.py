"""What an audit says: plain data, in the order in which a person asks."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

import msgspec

from policies import Finding, LineageEnd, Signer
from policies.findings import DecisionName

__all__ = ["Aggregation", "Audit", "Custody", "Edge", "Evidence", "Node", "Person", "Standing"]

Standing = Literal["proven", "asserted", "missing"]
_EXIT_STATUS: dict[DecisionName, int] = {"accepted": 0, "refused": 1, "undecided": 3}


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """A contributor: what was given, and what the roster says.

    ``share`` is the part of all records (of all updates, where there are no records), None where nothing is counted.
    ``standing`` is that of the roster now; ``tainted`` tells that something of theirs does not stand.
    """

    id: str
    records: int = 0
    updates: int = 0
    batches: int = 0
    share: float | None = None
    voting_right: float | None = None
    keys: tuple[str, ...] = ()
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    standing: str = "not in the roster"
    tainted: bool = False
    licences: tuple[str, ...] = ()
    coefficient: float | None = None


class Custody(msgspec.Struct, frozen=True, kw_only=True):
    """One step of the chain: what was made, from how many inputs, who says so in which bundle.

    ``time`` is ``claimed`` by the signer unless ``trusted``.
    """

    artifact: str
    digest: str
    kind: str
    inputs: int
    signer: str
    status: Standing
    statement: str
    time: datetime | None = None
    trusted: bool = False
    note: str = ""


class Aggregation(msgspec.Struct, frozen=True, kw_only=True):
    """A round among the steps: the rule, what it guarantees, and each contributor's part in the result.

    ``parts`` are contributor, coefficient (None where the statement has none) and voting right; ``weighing`` says what
    the coefficients are.
    """

    artifact: str
    digest: str
    round: str
    rule: str
    faulty: int
    pre: tuple[str, ...] = ()
    guarantee: dict[str, Any] | None = None
    parts: tuple[tuple[str, float | None, float], ...] = ()
    weighing: str = ""
    rejected: tuple[tuple[str, str, str], ...] = ()


class Node(msgspec.Struct, frozen=True, kw_only=True):
    """An artifact in the graph, and its place among all of them."""

    name: str
    digest: str
    status: Standing
    state: str
    depth: int
    contributor: str = ""
    problem: str = ""


class Edge(msgspec.Struct, frozen=True):
    """``target`` was an input of ``source`` (numbers of nodes)."""

    source: int
    target: int
    kind: str
    role: str
    signer: str


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of evidence that a regulation asks for, and how far it can be shown; never a verdict of compliance."""

    article: str
    asks: str
    status: Standing
    shown: str


class Audit(msgspec.Struct, frozen=True, kw_only=True):
    """The whole audit; ``nodes[0]`` is the artifact itself."""

    subject: str
    digest: str
    policy: str
    decision: DecisionName
    findings: tuple[Finding, ...]
    status: Standing
    made: datetime
    signers: tuple[Signer, ...] = ()
    people: tuple[Person, ...] = ()
    sources: tuple[LineageEnd, ...] = ()
    custody: tuple[Custody, ...] = ()
    aggregations: tuple[Aggregation, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    nodes: tuple[Node, ...] = ()
    edges: tuple[Edge, ...] = ()
    checked_files: int = 0
    checked_bytes: int = 0
    roster: str = ""

    @property
    def exit_status(self) -> int:
        """The command's exit status: 0 accepted, 1 refused, 3 undecided."""
        return _EXIT_STATUS[self.decision]

    def count(self, status: Standing) -> int:
        """How many artifacts of the lineage have this status."""
        return sum(node.status == status for node in self.nodes)
