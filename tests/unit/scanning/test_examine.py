from policies import BUILTIN
from provenance.errors import Unreadable
from provenance.scanning.scan import examine


class Broken:
    """A reader over a disk that fails."""

    size = 100

    def read_at(self, offset: int, length: int) -> bytes:
        raise Unreadable("reading failed: input/output error", code="ART008")


def test_what_cannot_be_read_is_a_finding_and_no_exception() -> None:
    found = examine(Broken(), "w", BUILTIN["strict"].formats)
    assert (found.format, [each.rule for each in found.findings]) == ("unknown", ["ART008"])
