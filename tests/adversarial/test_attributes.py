"""An attacker sets attributes that the unpickler itself looks up, or reaches an allowed class by a way around its checks."""

from __future__ import annotations

import pytest

from policies import BUILTIN, FormatPolicy
from provenance.scanning.verb import scan_bytes

FRESH = b"ccollections\nOrderedDict\n)R"


def decision(data: bytes, **formats: object) -> str:
    policy = BUILTIN["harmless"]
    if formats:
        import msgspec

        policy = msgspec.structs.replace(policy, formats=FormatPolicy(pickle="allowlist", **formats))  # type: ignore[arg-type]
    return scan_bytes(data, "model.pkl", policy=policy).decision


@pytest.mark.parametrize("name", [b"__setstate__", b"__class__", b"__dict__", b"__reduce__"])
def test_special_attributes(name):
    entry = b"S'" + name + b"'\ncbuiltins\nset\n"
    assert decision(FRESH + b"}" + entry + b"sb]b.") == "refused"
    assert decision(FRESH + b"N}" + entry + b"s\x86b.") == "refused"
    many = b"".join(b"S'k%d'\nN" % index for index in range(2000))
    assert decision(FRESH + b"}(" + many + entry + b"ub.") == "refused"
    assert decision(FRESH + b"}" + entry + b"s\x86.") == "accepted"  # as data it is a key like any other


def test_a_special_attribute_that_comes_later():
    """Some classes keep the dict that they are given: what is added to it becomes an attribute."""
    body = b"}q\x01" + FRESH + b"h\x01b0h\x01S'__setstate__'\ncbuiltins\nset\ns."
    assert decision(body) == "refused"


def test_a_special_attribute_whose_name_is_computed():
    text = (
        b"cnumpy.core.multiarray\nscalar\n(cnumpy\ndtype\n(S'U12'\ntRC\x30"
        + "__setstate__".encode("utf-32-le")
        + b"tR"
    )
    assert decision(b"\x80\x03" + FRESH + b"}" + text + b"Nsb.") == "refused"


def test_attributes_of_tensors_and_parameters():
    state = b"}S'__class__'\ncbuiltins\nset\ns"
    tensor = b"ctorch._utils\n_rebuild_meta_tensor_no_storage\n(ctorch\nfloat32\n(K\2t(K\1tI00\ntR"
    assert (
        decision(
            b"ctorch._utils\n_rebuild_parameter_with_state\n(" + tensor + b"I00\n" + FRESH + state + b"tR."
        )
        == "refused"
    )
    assert (
        decision(b"ctorch._utils\n_rebuild_parameter_with_state\n(" + tensor + b"I00\n" + FRESH + b"}tR.")
        == "accepted"
    )
    typed = b"ctorch._tensor\n_rebuild_from_type_v2\n(ctorch._utils\n_rebuild_meta_tensor_no_storage\nctorch\nTensor\n"
    arguments = b"(ctorch\nfloat32\n(K\2t(K\1tI00\nt"
    assert decision(typed + arguments + state + b"tR.") == "refused"
    assert decision(typed + arguments + b"}tR.") == "accepted"


def test_newobj_by_name_is_checked_like_newobj():
    assert decision(b"ccopyreg\n__newobj__\n(cnumpy\ndtype\nS'no code'\ntR.") == "refused"
    assert decision(b"ccopyreg\n__newobj__\n(cbuiltins\nbytearray\nJ\xff\xff\xff\x7ftR.") == "refused"
    assert decision(b"ccopyreg\n__newobj__\n(ccollections\nOrderedDict\ntR.") == "accepted"


def test_a_base_that_is_an_object():
    assert decision(b"ccopyreg\n_reconstructor\n(ccollections\nOrderedDict\n" + FRESH + b"NtR.") == "refused"


def test_a_fraction_with_an_exponent():
    assert decision(b"cfractions\nFraction\n(S'1e999999999'\ntR.") == "refused"
    assert decision(b"cfractions\nFraction\n(S'-1/3'\ntR.") == "accepted"


def test_bytes_of_a_number_that_a_call_made():
    number = b"cnumpy.core.multiarray\nscalar\n(cnumpy\ndtype\n(S'i8'\ntRC\x08\0\0\0\0\0\1\0\0tR"
    assert decision(b"\x80\x03cbuiltins\nbytearray\n(" + number + b"tR.") == "refused"


def test_a_storage_of_a_refused_type():
    """It used to stop the reader itself."""
    assert decision(b"\x80\x02(U\x07storagecposix\ngetpid\nU\x010U\x03cpuK\x01tQ.") == "refused"


def test_an_encoding_that_is_looked_for_among_the_modules():
    for name in (b"bytes", b"bytearray"):
        assert decision(b"cbuiltins\n" + name + b"\n(S'x'\nS'anything'\ntR.") == "refused"
        assert decision(b"cbuiltins\n" + name + b"\n(S'x'\nS'latin-1'\ntR.") == "accepted"
