"""Federated learning with Flower: clients sign their replies, the server combines only those that verify.

A client's reply carries, besides its arrays, the bundle of a contribution to a task and round: signed over the root
digest of the safetensors file that the arrays make, and over that of the model that the client was sent. The server
writes each reply to a folder and runs an ordinary round over it, so all that ``provenance.aggregate`` checks is
checked, and anybody who has the folder can replay the round. What clients claim about themselves (their number of
examples, their metrics) is not signed and has no effect.

Flower's SecAgg hides single updates from the server, so no robust rule can be used with it. Flower sends telemetry
unless FLWR_TELEMETRY_ENABLED=0 is set before it is imported.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec
from flwr.app import Array, ArrayRecord, ConfigRecord, Context, Message, MetricRecord
from flwr.serverapp import Grid
from flwr.serverapp.strategy import FedAvg

from provenance.aggregation.rounds.claims import Rejected
from provenance.aggregation.rounds.members import AnyKey
from provenance.aggregation.rounds.output import read_tensors
from provenance.aggregation.rounds.result import Round
from provenance.aggregation.rounds.round import aggregate, as_rejections
from provenance.artifacts.atomic import write_atomically
from provenance.artifacts.names import ATTESTATION_DIRECTORY
from provenance.errors import Malformed, UsageError
from provenance.integrations.array_records import canonical_file, record_arrays
from provenance.lineage.contributing import contribute
from provenance.signing.keys import PrivateKey

__all__ = ["RECORD", "Contributor", "VerifiedStrategy", "signing_mod"]

AnyPath = str | PathLike[str]

RECORD: Final = "provenance"
"""The name of the record that carries the bundle; its one member is ``bundle``, bytes."""

_MAX_BUNDLE: Final = 1 << 20
_SENT: Final = 1 << 40  # what a client takes from its server
_SPARE: Final = 1 << 20


class Contributor(NamedTuple):
    """Who signs: the id in the roster, and the private key or its file (and its password)."""

    id: str
    key: AnyPath | PrivateKey
    password: str | bytes | None = None


Mod = Callable[[Message, Context, Callable[[Message, Context], Message]], Message]


def signing_mod(task: str, who: Callable[[Context], Contributor]) -> Mod:
    """Return a client mod that signs what training replies with, as a contribution to ``task``.

    ``who`` says from the client's context who that is. The mod belongs first in the list of mods, so that nothing
    changes the reply afterwards. The round is the ``server-round`` of the server's message; replies to anything but
    training messages pass as they are.
    """

    def mod(message: Message, context: Context, call_next: Callable[[Message, Context], Message]) -> Message:
        if message.metadata.message_type.partition(".")[0] != "train":
            return call_next(message, context)
        base = canonical_file(record_arrays(_arrays(message), limit=_SENT))
        number = _server_round(message)
        reply = call_next(message, context)
        if not reply.has_error():
            update = canonical_file(record_arrays(_arrays(reply), limit=_SENT))
            bundle = _bundle(update, base, f"{task}@{number}", who(context))
            reply.content[RECORD] = ConfigRecord({"bundle": bundle})
        return reply

    return mod


def _arrays(message: Message) -> ArrayRecord:
    records = list(message.content.array_records.values())
    if len(records) != 1:
        raise Malformed(f"there are {len(records)} records of arrays in the message, not one", code="AGG011")
    return records[0]


def _server_round(message: Message) -> int:
    found = [
        record["server-round"]
        for record in message.content.config_records.values()
        if "server-round" in record
    ]
    if len(found) != 1 or not isinstance(found[0], int):
        raise Malformed("the server's message does not name the round", code="AGG005")
    return found[0]


def _bundle(update: bytes, base: bytes, round_: str, contributor: Contributor) -> bytes:
    with tempfile.TemporaryDirectory(prefix="provenance-") as directory:
        place = Path(directory)
        for name, data in (("update", update), ("base", base)):
            (place / f"{name}.safetensors").write_bytes(data)
        bundle = contribute(
            place / "update.safetensors",
            contributor=contributor.id,
            key=contributor.key,
            password=contributor.password,
            round=round_,
            base=place / "base.safetensors",
            output=place / "bundle.sigstore.json",
        )
        return bundle.read_bytes()


class VerifiedStrategy(FedAvg):  # type: ignore[misc]
    """A strategy that combines only replies whose contributions verify, by a rule with a guarantee.

    ``folder`` is where rounds are kept: ``base-N.safetensors``, ``round-N/`` and ``model-N.safetensors``, which is
    signed with ``key`` where one is given. ``rounds`` holds the verdict over each round. A round that is refused leaves
    the model as it was. ``sampling`` are the options of Flower's ``FedAvg`` (how many nodes are asked, and the like).
    """

    def __init__(  # noqa: PLR0913 (the options of a round)
        self,
        *,
        task: str,
        folder: AnyPath,
        roster: AnyPath,
        rule: str,
        faulty: int,
        roster_keys: AnyKey | Iterable[AnyKey] = (),
        pre: Sequence[str] = (),
        parameters: Mapping[str, Any] | None = None,
        key: AnyPath | PrivateKey | None = None,
        max_norm: float = math.inf,
        **sampling: Any,
    ) -> None:
        super().__init__(**sampling)
        self.task = task
        self.folder = Path(folder)
        self.rounds: list[Round] = []
        self._largest = _SPARE
        self._options: dict[str, Any] = {
            "roster": roster,
            "rule": rule,
            "faulty": faulty,
            "roster_keys": roster_keys,
            "pre": pre,
            "parameters": parameters,
            "key": key,
            "max_norm": max_norm,
        }

    def configure_train(
        self, server_round: int, arrays: ArrayRecord, config: ConfigRecord, grid: Grid
    ) -> Iterable[Message]:
        """Keep the model that is sent, and send it; raises ``UsageError`` where it cannot be written."""
        base = canonical_file(record_arrays(arrays, limit=_SENT))
        self._largest = 2 * len(base) + _SPARE
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            write_atomically(self._base(server_round), base)
        except OSError as error:
            raise UsageError(
                f"cannot write to {self.folder}: {(error.strerror or str(error)).lower()}"
            ) from error
        messages: Iterable[Message] = super().configure_train(server_round, arrays, config, grid)
        return messages

    def aggregate_train(
        self, server_round: int, replies: Iterable[Message]
    ) -> tuple[ArrayRecord | None, MetricRecord | None]:
        """Verify the replies of a round and combine those that count; None for a round that is refused.

        Raises as ``provenance.aggregate`` does.
        """
        directory = self.folder / f"round-{server_round}"
        try:
            (directory / ATTESTATION_DIRECTORY).mkdir(parents=True)
        except OSError as error:
            raise UsageError(
                f"cannot make {directory}: {(error.strerror or str(error)).lower()}",
                hint="give each run a folder of its own",
            ) from error
        unreadable = [found for reply in replies if (found := self._keep(reply, directory)) is not None]
        result = aggregate(
            directory,
            round=f"{self.task}@{server_round}",
            base=self._base(server_round),
            output=self.folder / f"model-{server_round}.safetensors",
            **self._options,
        )
        result = msgspec.structs.replace(
            result,
            rejected=(*result.rejected, *unreadable),
            findings=(*result.findings, *as_rejections(unreadable)),
        )
        self.rounds.append(result)
        metrics = MetricRecord({"verified": result.n, "rejected": len(result.rejected)})
        if result.decision != "accepted" or result.output is None:
            return None, metrics
        tensors = read_tensors(result.output)
        return ArrayRecord({name: Array(values) for name, values in tensors.items()}), metrics

    def _base(self, server_round: int) -> Path:
        return self.folder / f"base-{server_round}.safetensors"

    def _keep(self, reply: Message, directory: Path) -> Rejected | None:
        """Write a reply as an update and its bundle, under the number of the node; nothing of it is believed yet."""
        name = f"node-{reply.metadata.src_node_id}"
        if reply.has_error():
            return _unreadable(name, "the node replied with an error")
        try:
            update = canonical_file(record_arrays(_arrays(reply), limit=self._largest))
            bundle = reply.content.config_records.get(RECORD, {}).get("bundle", b"")
        except Malformed as error:
            return _unreadable(name, error.message)
        write_atomically(directory / f"{name}.safetensors", update)
        if isinstance(bundle, bytes) and 0 < len(bundle) <= _MAX_BUNDLE:
            write_atomically(directory / ATTESTATION_DIRECTORY / f"{name}.contribution.sigstore.json", bundle)
        return None


def _unreadable(name: str, message: str) -> Rejected:
    return Rejected(contributor="", path=f"{name}.safetensors", rule="AGG011", message=message)
