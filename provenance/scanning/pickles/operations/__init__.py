"""What each opcode does to the machine; together all opcodes of the protocols 0 to 5."""

from __future__ import annotations

from provenance.scanning.pickles.machine import Operations
from provenance.scanning.pickles.operations.calling import CALLING
from provenance.scanning.pickles.operations.collecting import COLLECTING
from provenance.scanning.pickles.operations.importing import IMPORTING
from provenance.scanning.pickles.operations.moving import MOVING
from provenance.scanning.pickles.operations.pushing import PUSHING

__all__ = ["OPERATIONS"]

_BY_CODE = {**PUSHING, **COLLECTING, **MOVING, **IMPORTING, **CALLING}
OPERATIONS: Operations = [_BY_CODE.get(code) for code in range(256)]
