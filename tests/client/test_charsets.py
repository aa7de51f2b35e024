"""Which encoding a body has: the caller, the Content-Type, a byte order mark, JSON's zero bytes, a guess, UTF-8."""

from __future__ import annotations

import builtins
import codecs
import encodings
import pkgutil
import sys
import time
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from aiohttpclient.client._charsets import (
    CHARSETS,
    GUESS,
    GUESS_SAMPLE,
    LABELS,
    MAX_LABEL,
    NOT_CHARSETS,
    WIDER,
    charset_of,
    chosen_encoding,
    encoding_for,
    guess_encoding,
    is_enough,
    text_encoding,
)

RUSSIAN = "Съешь же ещё этих мягких французских булок, да выпей чаю.\n" * 40


@pytest.mark.parametrize(
    ("content_type", "encoding"),
    [
        (None, None),
        ("", None),
        ("text/html", None),
        ("text/html; charset=utf-8", "utf-8"),
        ("text/html;charset=UTF-8", "utf-8"),
        ("text/html ; \t CHARSET=Utf8", "utf-8"),
        ('text/html; charset="utf-8"', "utf-8"),
        (r'text/html; charset="ut\f-8"', "utf-8"),
        ('text/html; charset="koi8-r', "koi8-r"),
        ("text/html; charset='koi8-r'", "koi8-r"),
        ("text/html; charset = koi8-r ", "koi8-r"),
        ("text/html; charset=koi8-r; charset=utf-8", "koi8-r"),
        ("text/html; charset=koi8-r, text/plain", None),
        ('text/html; title="; charset=koi8-r"; charset=utf-8', "utf-8"),
        (r'text/html; title="\"; charset=koi8-r"; charset=utf-8', "utf-8"),
        ("text/html; charset; charset=utf-8", "utf-8"),
        ("text/html; xcharset=koi8-r", None),
        ("text/html; charset*=koi8-r", None),
        ("charset=koi8-r", None),
        ("; charset=koi8-r", "koi8-r"),
        ("text/html; charset=", None),
        ('text/html; charset=""', None),
        ("text/html;;; charset=utf-8;", "utf-8"),
        ("text/html; charset=iso-8859-1", "iso8859-1"),
        ("text/html; charset=ISO_8859-1:1987", "iso8859-1"),
        ("text/html; charset=latin1", "iso8859-1"),
        ("text/html; charset=windows-1252", "cp1252"),
        ("text/html; charset=us-ascii", "utf-8"),
        ("text/html; charset=gb2312", "gb18030"),
        ("text/html; charset=x-gbk", "gb18030"),
        ("text/html; charset=x-sjis", "cp932"),
        ("text/html; charset=Shift_JIS", "cp932"),
        ("text/html; charset=windows-31j", "cp932"),
        ("text/html; charset=ks_c_5601-1987", "cp949"),
        ("text/html; charset=iso-8859-8-i", "iso8859-8"),
        ("text/html; charset=windows-874", "cp874"),
        ("text/html; charset=x-x-big5", "cp950"),
        ("text/html; charset=utf-16", "utf-16"),
        ("text/html; charset=utf-8-sig", "utf-8"),
        ("text/html; charset=nonsense", None),
        ("text/html; charset=../../etc/passwd", None),
        ("text/html; charset=encodings.aliases", None),
    ],
)
def test_charset_of(content_type: str | None, encoding: str | None) -> None:
    """The first ``charset`` counts, without case, quoted or not; a label that is not known is none."""
    assert charset_of(content_type) == encoding


@pytest.mark.parametrize(
    "label",
    [
        *("zip", "zlib", "bz2", "hex", "base64", "uu", "quopri", "rot13", "rot_13"),
        *("idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined", "charmap", "mbcs", "oem", "dbcs"),
        *("utf-7", "UTF7", "unicode-1-1-utf-7", "u7", "palmos"),
    ],
)
def test_what_is_no_charset(label: str) -> None:
    """A peer cannot ask for a codec that makes no text, that is Python's own, or in which ASCII hides."""
    assert charset_of(f"text/html; charset={label}") is None


def test_every_charset_decodes() -> None:
    """Every encoding that a peer may ask for is one of Python's, and makes text of bytes."""
    for name in CHARSETS:
        encoding = chosen_encoding(b"", encoding=name)
        assert isinstance(codecs.getincrementaldecoder(encoding)("replace").decode(b"text", True), str)
        assert isinstance(bytes(range(256)).decode(encoding, "replace"), str)


def test_the_tables_are_current() -> None:
    """What the tables name exists, and what they add to Python's is not there already."""
    modules = {module.name for module in pkgutil.iter_modules(encodings.__path__)}
    assert modules >= CHARSETS
    assert modules >= NOT_CHARSETS
    assert set(LABELS.values()) | set(WIDER) | set(WIDER.values()) <= CHARSETS
    assert not NOT_CHARSETS & CHARSETS


@pytest.mark.parametrize("narrow", sorted(WIDER))
def test_wider_encodings_give_the_same_text(narrow: str) -> None:
    """What is valid in the encoding that was named decodes to the same in the wider one, but for punctuation."""
    wider, different = WIDER[narrow], set[str]()
    for first in range(256):
        for data in (bytes([first]), *(bytes([first, second]) for second in range(0x30, 256))):
            try:
                text = data.decode(narrow)
            except UnicodeDecodeError:
                continue
            if len(text) == 1 and data.decode(wider, "replace") != text:
                different.add(text)
    assert not [character for character in different if character.isalnum()]
    assert len(different) <= 11


def test_unknown_labels_leave_nothing_behind() -> None:
    """A label that is not known is looked up nowhere: Python's codec cache does not grow by it."""
    cache: dict[str, Any] = encodings._cache
    before, modules = set(cache), set(sys.modules)
    assert all(charset_of(f"text/html; charset=never-heard-of-{number}") is None for number in range(200))
    assert set(cache) == before
    assert set(sys.modules) == modules


def test_long_labels() -> None:
    """A label of more than ``MAX_LABEL`` characters is none, whatever it would be."""
    assert charset_of("text/html; charset=utf" + "-" * (MAX_LABEL - 4) + "8") == "utf-8"
    assert charset_of("text/html; charset=utf" + "-" * (MAX_LABEL - 3) + "8") is None


@pytest.mark.parametrize(
    "content_type",
    ['a/b; c="' + "\\" * 60000, "a/b; c=" + ";" * 60000, "a/b" + "; c" * 20000, 'a/b; c="' + 'a"' * 30000],
)
def test_parameters_cost_linear_time(content_type: str) -> None:
    """However a Content-Type is broken, looking through it takes no more time than its length asks for."""
    start = time.process_time()
    assert charset_of(content_type) is None
    assert time.process_time() - start < 0.5


@given(st.text(alphabet='"\\;= \tcharset=utf8\x00é', max_size=60))
@example('; charset="')
def test_any_content_type_is_taken(content_type: str) -> None:
    """No value of the field makes it raise."""
    assert charset_of(content_type) in {None, "utf-8"}


@given(st.text(alphabet='utf8;charset="\\ ', max_size=20))
def test_quoted_strings_hide_what_is_in_them(value: str) -> None:
    """A parameter's value, whatever it looks like, is not taken for a parameter."""
    quoted = value.replace("\\", r"\\").replace('"', r"\"")
    assert charset_of(f'text/html; title="{quoted}"; charset=koi8-r') == "koi8-r"


@pytest.mark.parametrize(
    ("content_type", "start", "encoding"),
    [
        (None, b"", "utf-8"),
        (None, b"text", "utf-8"),
        ("text/plain", b"\xef\xbb\xbftext", "utf-8"),
        ("text/plain", b"\xff\xfet\0", "utf-16-le"),
        ("text/plain", b"\xfe\xff\0t", "utf-16-be"),
        ("text/plain", b"\xff\xfe\0\0t\0\0\0", "utf-32-le"),
        ("text/plain", b"\0\0\xfe\xff\0\0\0t", "utf-32-be"),
        ("text/plain; charset=iso-8859-1", b"\xef\xbb\xbftext", "iso8859-1"),
        ("text/plain; charset=nonsense", b"\xff\xfet\0", "utf-16-le"),
        ("text/plain; charset=utf-16", b"t\0e\0", "utf-16-le"),
        ("text/plain; charset=utf-16", b"\xff\xfet\0", "utf-16-le"),
        ("text/plain; charset=utf-16", b"\xfe\xff\0t", "utf-16-be"),
        ("text/plain; charset=utf-16be", b"\0t\0e", "utf-16-be"),
        ("text/plain; charset=utf-32", b"t\0\0\0", "utf-32-le"),
        ("text/plain; charset=utf-32", b"\0\0\xfe\xff", "utf-32-be"),
        ("text/plain", b"{\0}\0", "utf-8"),
        ("application/json", b"", "utf-8"),
        ("application/json", b'{"a": 1}', "utf-8"),
        ("application/json", b"{\0}\0", "utf-16-le"),
        ("Application/Problem+JSON; a=b", b"\0{\0}", "utf-16-be"),
        ("text/json", b"{\0\0\0", "utf-32-le"),
        ("application/json", b"\0\0\0{", "utf-32-be"),
        ("application/json", b"\xef\xbb\xbf{}", "utf-8"),
        ("application/json", b"\xff\xfe{\0", "utf-16-le"),
        ("application/json; charset=koi8-r", b"{}  ", "koi8-r"),
    ],
)
def test_encoding_for(content_type: str | None, start: bytes, encoding: str) -> None:
    """Content-Type goes before a byte order mark, that before JSON's zero bytes, and those before UTF-8."""
    assert encoding_for(content_type, start) == encoding


@pytest.mark.parametrize(
    ("content_type", "start", "asked"),
    [
        ("text/plain; charset=utf-8", b"text", False),
        ("text/plain", b"\xef\xbb\xbftext", False),
        ("application/json", b"{}  ", False),
        ("text/plain", b"text", True),
        (None, b"text", True),
    ],
)
def test_when_a_guess_is_made(content_type: str | None, start: bytes, asked: bool) -> None:
    """A guess is made when nothing else says anything, and the default stands where it has no answer."""
    samples: list[bytes] = []

    def guess(sample: bytes) -> str | None:
        samples.append(sample)
        return None

    assert encoding_for(content_type, start, "koi8-r", guess) == ("koi8-r" if asked else "utf-8")
    assert samples == ([start] if asked else [])
    assert encoding_for(content_type, start, "koi8-r", lambda _: "cp1251") == ("cp1251" if asked else "utf-8")


@pytest.mark.parametrize(
    ("encoding", "content_type", "default", "chosen"),
    [
        ("koi8-r", "text/plain; charset=utf-8", "utf-8", "koi8-r"),
        ("latin-1", None, "utf-8", "iso8859-1"),
        ("utf-7", None, "utf-8", "utf-7"),
        ("utf-16", None, "utf-8", "utf-16-le"),
        (None, None, "cp1251", "cp1251"),
        (None, "text/plain; charset=utf-8", "cp1251", "utf-8"),
        (GUESS, "text/plain; charset=utf-8", "cp1251", "utf-8"),
    ],
)
def test_the_caller_chooses(encoding: str | None, content_type: str | None, default: str, chosen: str) -> None:
    """What the caller says beats everything, and may be any text encoding of Python's."""
    assert chosen_encoding(b"text", content_type, encoding=encoding, default=default) == chosen


KINDS = [None, "text/plain", "text/plain; charset=utf-16", "text/plain; charset=koi8-r", "a/json", "application/json"]


@given(
    start=st.lists(st.sampled_from([0, 0xEF, 0xBB, 0xBF, 0xFE, 0xFF, 0x41]), max_size=5).map(bytes),
    more=st.lists(st.sampled_from([0, 0xEF, 0xBB, 0xBF, 0xFE, 0xFF, 0x41]), max_size=5).map(bytes),
    content_type=st.sampled_from(KINDS),
)
def test_what_is_enough(start: bytes, more: bytes, content_type: str | None) -> None:
    """When there is enough to tell the encoding, no more of the body changes it."""
    if is_enough(start, content_type):
        assert chosen_encoding(start + more, content_type) == chosen_encoding(start, content_type)
    assert is_enough(start, content_type) or len(start) < 4


@pytest.mark.parametrize("name", ["nonsense", "hex", "zip", "rot13", "idna", "undefined", ""])
def test_the_caller_is_told(name: str) -> None:
    """An encoding that does not exist, or does not make text of bytes, is an error of the caller's."""
    with pytest.raises(LookupError):
        chosen_encoding(b"text", encoding=name)
    with pytest.raises(LookupError):
        chosen_encoding(b"text", default=name)


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        (b"", "utf-8"),
        (b"plain", "utf-8"),
        (RUSSIAN.encode(), "utf-8"),
        (("é" * GUESS_SAMPLE).encode()[1:], None),
        (("x" + "é" * GUESS_SAMPLE).encode(), "utf-8"),
        (RUSSIAN.encode("cp1251"), "cp1251"),
        (RUSSIAN.encode("koi8-r"), "koi8-r"),
        ("これは日本語の文章です。文字コードを判定する。".encode("shift_jis") * 20, "cp932"),
        (("これは日本語の文章です。文字コードを判定する。\n" * 4000).encode("shift_jis"), "cp932"),
    ],
)
def test_guess_encoding(data: bytes, encoding: str | None) -> None:
    """A guess is UTF-8 where that is possible, and else what charset-normalizer says of the beginning."""
    pytest.importorskip("charset_normalizer")
    guessed = guess_encoding(data)
    assert guessed == encoding if encoding else guessed != "utf-8"


def test_a_guess_never_leads_astray() -> None:
    """Where charset-normalizer has no answer, or one that no peer could ask for, there is no guess."""
    assert guess_encoding(bytes(range(128, 256)) * 64) in {None, *map(text_encoding, CHARSETS)}


def test_a_guess_needs_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without charset-normalizer a guess says what to install, unless the body is UTF-8 and needs no guess."""
    real = builtins.__import__

    def without(name: str, *args: Any, **kwargs: Any) -> Any:
        if name == "charset_normalizer":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    assert guess_encoding(b"plain") == "utf-8"
    with pytest.raises(ImportError, match="the extra 'charset': pip install charset-normalizer"):
        chosen_encoding(b"\xff\xff\xff\xff", encoding=GUESS)
