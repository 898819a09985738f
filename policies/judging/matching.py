"""How many distinct signers there are, when a person may have several keys and a key several names.

A name counts once, whichever of its keys signed; a key counts once, whoever may use it. So the count is the size
of a maximum matching between the names that a policy accepts and the keys or identities that signed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence

from policies.evidence import Signer

__all__ = ["count_distinct", "maximum_matching"]

Token = tuple[str, ...]


def count_distinct(signers: Iterable[Signer], accepted: Iterable[str]) -> int:
    """Count the accepted names that can each be matched with a key or identity of its own."""
    names = set(accepted)
    edges: dict[Token, set[str]] = {}
    for signer in signers:
        edges.setdefault(_token(signer), set()).update(names.intersection(signer.satisfies))
    return len(maximum_matching({token: sorted(edges[token]) for token in sorted(edges)}))


def _token(signer: Signer) -> Token:
    """What must differ for two signatures to count twice.

    A keyless signature is made with a key that lives for minutes, so the identity stands for the person there.
    """
    if signer.method == "sigstore":
        return ("identity", signer.issuer, signer.identity)
    return ("key", signer.fingerprint)


def maximum_matching(edges: Mapping[Token, Sequence[str]]) -> dict[str, Token]:
    """Match as many tokens as possible with one name each, by augmenting paths (Kuhn); returns name -> token."""
    matched: dict[str, Token] = {}
    for token in edges:
        _augment(token, edges, matched)
    return matched


def _augment(start: Token, edges: Mapping[Token, Sequence[str]], matched: dict[str, Token]) -> None:
    """Search breadth first for a free name, moving matched tokens aside, and shift along the path found."""
    came_from: dict[str, Token] = {}
    queue = deque([start])
    while queue:
        token = queue.popleft()
        for name in edges[token]:
            if name in came_from:
                continue
            came_from[name] = token
            if name not in matched:
                _shift(name, start, came_from, matched)
                return
            queue.append(matched[name])


def _shift(free: str, start: Token, came_from: Mapping[str, Token], matched: dict[str, Token]) -> None:
    """Give each token of the path the next name, from the free one back to the start."""
    held = {token: name for name, token in matched.items()}
    name = free
    while True:
        token = came_from[name]
        matched[name] = token
        if token == start:
            return
        name = held[token]
