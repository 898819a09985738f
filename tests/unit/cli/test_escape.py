from hypothesis import given
from hypothesis import strategies as st

from cli.rendering.escape import escape


def test_what_is_shown_for_what() -> None:
    assert escape("weights.bin") == "weights.bin"
    assert escape("poids-été-重み.bin") == "poids-été-重み.bin"
    assert escape("a\x1b[2Jb") == r"a\x1b[2Jb"
    assert escape("a\u202eb\u2066\u200b\ufeff") == r"a\u202eb\u2066\u200b\ufeff"
    assert escape("a\nb\r\tc\x7f\x9b") == r"a\nb\r\tc\x7f\x9b"
    assert escape("a\udcffb") == r"a\xffb"
    assert escape("\ud800") == r"\ud800"
    assert escape("\U000e0041") == r"\U000e0041"
    assert escape("a\u2028b\xa0") == r"a\u2028b\xa0"


@given(st.text(st.characters()))
def test_nothing_invisible_is_left_and_nothing_visible_is_touched(text: str) -> None:
    shown = escape(text)
    assert shown.isprintable()
    assert escape(shown) == shown
    assert "".join(c for c in text if c.isprintable()) == text or shown != text


def test_any_text_can_be_written_as_utf_8() -> None:
    escape("".join(map(chr, range(0x11000)))).encode()
