"""``webdataset-sample/1``: samples of tar files in every form that ``tarfile`` writes, and what is refused."""

from __future__ import annotations

import hashlib
import io
import tarfile

import pytest
from record_files import cut_bytes

from provenance.artifacts.records import source as source_module
from provenance.errors import Malformed


def archive(*members, form=tarfile.PAX_FORMAT):
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w", format=form) as tar:
        for member in members:
            name, content = member if isinstance(member, tuple) else (member.name, b"")
            info = tarfile.TarInfo(name) if isinstance(member, tuple) else member
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return data.getvalue()


def sample(**members):
    return b"".join(
        len(name.replace("_", ".")).to_bytes(4, "little")
        + name.replace("_", ".").encode()
        + len(content).to_bytes(8, "little")
        + content
        for name, content in sorted(members.items())
    )


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
@pytest.mark.parametrize("name", ["000", "dir/000", "d/" * 60 + "000", "é" * 10])
def test_members_of_one_name_are_a_sample(form, name):
    if form == tarfile.USTAR_FORMAT and len(name) > 90:
        name = "d/" * 60 + "000"
    data = archive(
        (f"{name}.jpg", b"J" * 700),
        (f"{name}.cls", b"7"),
        ("b/001.txt", b""),
        ("b/001.seg.png", b"S"),
        form=form,
    )
    records, _, digest = cut_bytes("webdataset", data)
    assert records == [sample(cls=b"7", jpg=b"J" * 700), sample(seg_png=b"S", txt=b"")]
    assert digest == hashlib.sha256(data).digest()


def test_order_of_members_and_name_of_the_sample_do_not_matter():
    one = cut_bytes("webdataset", archive(("1.a", b"A"), ("1.b", b"B")))[0]
    other = cut_bytes("webdataset", archive(("2.b", b"B"), ("2.a", b"A")))[0]
    assert one == other
    # Lengths stand before the contents, so that nothing moves from one member to the next.
    assert one != cut_bytes("webdataset", archive(("1.a", b"AB"), ("1.b", b"")))[0]


def test_directories_are_passed_over_and_nothing_is_a_record():
    folder = tarfile.TarInfo("folder")
    folder.type = tarfile.DIRTYPE
    assert cut_bytes("webdataset", archive(folder, ("folder/1.txt", b"x")))[0] == [sample(txt=b"x")]
    assert cut_bytes("webdataset", archive())[0] == []


def special(kind, **more):
    info = tarfile.TarInfo("1.txt")
    info.type = kind
    for name, value in more.items():
        setattr(info, name, value)
    return info


WRONG = {
    "a link": archive(special(tarfile.SYMTYPE, linkname="/etc/passwd")),
    "a hard link": archive(special(tarfile.LNKTYPE, linkname="2.txt")),
    "a device": archive(special(tarfile.CHRTYPE)),
    "a member twice": archive(("1.txt", b"a"), ("1.txt", b"b")),
    "no extension": archive(("README", b"a")),
    "no key": archive((".txt", b"a")),
    "no tar": b"x" * 1024,
    "cut off in a header": archive(("1.txt", b"a"))[:300],
    "cut off in a file": archive(("1.txt", b"a" * 2000))[:1500],
    "no end": archive(("1.txt", b"a"))[:1024],
    "a second archive behind": archive(("1.txt", b"a")) + archive(("2.txt", b"b")),
    "a wrong checksum": b"2" + archive(("1.txt", b"a"))[1:],
    "a size in a pax header": archive(special(tarfile.REGTYPE, pax_headers={"size": "3"})),
    "sparse": archive(special(tarfile.REGTYPE, pax_headers={"GNU.sparse.major": "1"})),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_is_unclear_is_refused(what):
    with pytest.raises(Malformed) as raised:
        cut_bytes("webdataset", WRONG[what])
    assert raised.value.code == "CON016"


def test_sizes_are_bounded_before_anything_is_read(monkeypatch):
    header = bytearray(archive(("1.txt", b""))[:512])
    header[124:136] = b"77777777777\0"
    header[148:156] = b"%06o\0 " % (sum(header[:148]) + 8 * 32 + sum(header[156:]))
    with pytest.raises(Malformed, match="size cannot be"):
        cut_bytes("webdataset", bytes(header) + b"\0" * 1024)
    monkeypatch.setattr("provenance.artifacts.records.webdataset.MAX_RECORD_BYTES", 10)
    with pytest.raises(Malformed, match="sample of more"):
        cut_bytes("webdataset", archive(("1.a", b"a" * 6), ("1.b", b"b" * 6)))
    long = archive(("d/" * 50_000 + "1.txt", b"a"))
    with pytest.raises(Malformed, match="header of"):
        cut_bytes("webdataset", long)


def test_small_chunks_do_not_matter(monkeypatch):
    monkeypatch.setattr(source_module, "_READ_SIZE", 7)
    assert cut_bytes("webdataset", archive(("1.a", b"A" * 600)))[0] == [sample(a=b"A" * 600)]
