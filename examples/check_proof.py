"""Check the proof of a record without any of this project's code: python check_proof.py PROOF.json ROOT.

ROOT is the signed Merkle root (RFC 6962). Exit status 0 if the record in the proof stands under it, else 1.
"""

import base64
import hashlib
import json
import sys
from pathlib import Path

proof = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
node = hashlib.sha256(
    b"\0" + bytes.fromhex(proof.get("salt", "")) + base64.b64decode(proof["record"])
).digest()
index, last = proof["index"], proof["count"] - 1
for sibling in map(bytes.fromhex, proof["path"]):
    right = index % 2 == 1 or index == last
    node = hashlib.sha256(b"\1" + (sibling + node if right else node + sibling)).digest()
    while right and index % 2 == 0 and index:
        index, last = index // 2, last // 2
    index, last = index // 2, last // 2
sys.exit(node.hex() != sys.argv[2] or last != 0)
