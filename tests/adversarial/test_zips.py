"""An attacker shows the scanner one archive and the loader another: each way to do so is refused."""

from __future__ import annotations

import io
import os
import pickle
import struct
import zipfile
import zlib

import pytest

from provenance.scanning.verb import scan_bytes

GOOD = pickle.dumps({"epoch": 3}, 2)


class Runs:
    def __reduce__(self):
        return os.getpid, ()


EVIL = pickle.dumps(Runs(), 2)


def archive(*members: tuple[str, bytes], method: int = zipfile.ZIP_STORED) -> bytearray:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as zipped:
        for name, data in members:
            zipped.writestr(zipfile.ZipInfo(name), data, method)
    return bytearray(file.getvalue())


def torch_file(*extra: tuple[str, bytes]) -> bytearray:
    return archive(("archive/data.pkl", GOOD), *extra, ("archive/version", b"3\n"))


def central(data: bytes, index: int = 0) -> int:
    at = -1
    for _ in range(index + 1):
        at = data.index(b"PK\x01\x02", at + 1)
    return at


def local(data: bytes, index: int = 0) -> int:
    at = -1
    for _ in range(index + 1):
        at = data.index(b"PK\x03\x04", at + 1)
    return at


def judged(data: bytes, decision: str, rule: str) -> None:
    scan = scan_bytes(bytes(data), "model.pt")
    assert scan.decision == decision, scan.findings
    assert rule in {finding.rule for finding in scan.findings}, scan.findings


def test_a_plain_file_passes():
    assert scan_bytes(bytes(torch_file()), "model.pt").decision == "accepted"
    assert (
        scan_bytes(bytes(archive(("a.txt", b"text" * 99), method=zipfile.ZIP_DEFLATED))).decision
        == "accepted"
    )


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("name", ["archive/data.pkl", "archive/DATA.PKL", "Archive/data.pkl"])
def test_two_members_of_one_name(name):
    judged(torch_file((name, GOOD)), "refused", "ARC001")


@pytest.mark.parametrize("flag", [0x1, 0x20, 0x40, 0x2000])
@pytest.mark.parametrize("where", ["local", "central", "both"])
def test_flags(flag, where):
    data = torch_file()
    for begin, offset, side in ((local(data), 6, "local"), (central(data), 8, "central")):
        if where in (side, "both"):
            struct.pack_into(
                "<H", data, begin + offset, struct.unpack_from("<H", data, begin + offset)[0] | flag
            )
    judged(data, "refused", "ARC003" if where != "local" else "ARC002")


def test_another_name_in_front_of_the_data():
    data = torch_file()
    data[local(data) + 30] ^= 0x20
    judged(data, "refused", "ARC002")


@pytest.mark.parametrize(("offset", "width"), [(14, 4), (18, 4), (22, 4), (8, 2)])
def test_other_numbers_in_front_of_the_data(offset, width):
    data = torch_file()
    data[local(data) + offset] ^= 1
    judged(data, "refused", "ARC002")


def test_another_offset_leads_to_another_member():
    data = archive(("archive/x", EVIL), ("archive/data.pkl", GOOD), ("archive/version", b"3\n"))
    struct.pack_into("<I", data, central(data, 1) + 42, 0)
    judged(data, "refused", "ARC002")


def test_bytes_in_front_between_and_behind():
    judged(b"junk" + bytes(torch_file()), "refused", "ARC004")
    judged(bytes(torch_file()) + b"junk" * 25, "refused", "ARC004")
    judged(bytes(torch_file()) + bytes(torch_file(("archive/x", EVIL))), "refused", "ARC004")
    data = torch_file()
    at = local(data, 1)
    data[at:at] = EVIL
    begin = central(data)
    struct.pack_into("<I", data, central(data, 1) + 42, at + len(EVIL))
    struct.pack_into("<I", data, data.index(b"PK\x05\x06") + 16, begin)
    judged(data, "refused", "ARC004")


def test_a_comment_that_holds_another_end():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as zipped:
        zipped.writestr("archive/data.pkl", GOOD)
        zipped.comment = b"PK\x05\x06" + bytes(18)
    judged(file.getvalue(), "refused", "ARC004")


def test_a_wrong_checksum():
    data = torch_file()
    wrong = struct.pack("<I", 1)
    data[local(data) + 14 : local(data) + 18] = wrong
    data[central(data) + 16 : central(data) + 20] = wrong
    judged(data, "refused", "ARC005")


def test_names_that_leave_the_archive():
    for name in ("../x", "/etc/x", "a/../../x"):
        judged(torch_file((name, b"text")), "refused", "ARC006")


def test_a_symbolic_link():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as zipped:
        link = zipfile.ZipInfo("link")
        link.external_attr = 0o120777 << 16
        zipped.writestr(link, "/etc/passwd")
    judged(file.getvalue(), "refused", "ARC006")


def test_a_member_that_unpacks_to_more_than_it_says():
    packed = zlib.compressobj(9, zlib.DEFLATED, -15)
    body = packed.compress(EVIL + bytes(100_000)) + packed.flush()
    data = archive(("archive/data.pkl", GOOD), method=zipfile.ZIP_DEFLATED)
    at = local(data) + 30 + len("archive/data.pkl")
    old = struct.unpack_from("<I", data, local(data) + 18)[0]
    data[at : at + old] = body
    for place in (local(data) + 18, central(data) + 20):
        struct.pack_into("<I", data, place, len(body))
    struct.pack_into("<I", data, data.index(b"PK\x05\x06") + 16, central(data))
    judged(data, "refused", "ARC002")


def test_a_storage_of_another_size_than_its_record():
    body = (
        b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n((X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\x000X\x03\0\0\0cpu"
        b"K\x04tQK\0K\x04\x85K\x01\x85\x89ccollections\nOrderedDict\n)RtR."
    )
    good = archive(("archive/data.pkl", body), ("archive/data/0", bytes(16)))
    assert scan_bytes(bytes(good)).decision == "accepted"
    judged(archive(("archive/data.pkl", body), ("archive/data/0", bytes(12))), "refused", "PKL013")
    judged(archive(("archive/data.pkl", body)), "undecided", "ARC008")
    beyond = body.replace(b"QK\0K\x04\x85", b"QK\1K\x04\x85")
    judged(archive(("archive/data.pkl", beyond), ("archive/data/0", bytes(16))), "refused", "PKL005")


def test_damaged_archives_are_undecided():
    data = bytes(torch_file())
    for length in range(40, len(data), 7):
        assert scan_bytes(data[:length], "model.pt").decision != "accepted", length


def test_a_bomb():
    data = archive(("a", bytes(50_000_000)), method=zipfile.ZIP_DEFLATED)
    struct.pack_into("<I", data, local(data) + 22, 0xFFFFFFF0)
    struct.pack_into("<I", data, central(data) + 24, 0xFFFFFFF0)
    judged(data, "undecided", "ARC007")


def test_an_archive_without_its_end_is_no_text():
    assert scan_bytes(b"PK\x03\x04" + bytes(100), "config.json").decision == "undecided"
