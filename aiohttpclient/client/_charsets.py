"""Which encoding a body has.

Theory of operation. It is decided once, by the first of these that says something:

1. the caller (``encoding=``), who may name any text encoding of Python's, or :data:`GUESS`;
2. ``charset`` in Content-Type (RFC 9110 section 8.3), when it names one of :data:`CHARSETS`;
3. a byte order mark at the beginning;
4. where zero bytes stand, if the type is JSON (RFC 8259 says UTF-8, RFC 4627 let it be UTF-16 and UTF-32);
5. ``charset-normalizer``, if the caller said :data:`GUESS`;
6. the default, UTF-8.

A label means what it says, as in ``http.client``, requests, aiohttp and httpx: ISO-8859-1 is not read as windows-1252,
as browsers do, because all its bytes have a meaning already. Only where Python's decoder knows fewer characters than
what is sent under that label everywhere is the wider one taken (:data:`WIDER`).

A label that comes from a peer is looked up in tables only. ``codecs.lookup`` would import modules by its name, and
remember each name that it did not find for ever.
"""

from __future__ import annotations

import codecs
import re
from encodings import normalize_encoding
from encodings.aliases import aliases
from functools import lru_cache
from json import detect_encoding
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    Guess = Callable[[bytes], str | None]

GUESS: Final = "guess"
"""As ``encoding``: ask ``charset-normalizer`` when neither Content-Type nor a byte order mark says which it is."""

GUESS_SAMPLE: Final = 65536
"""Bytes that a guess looks at: some 3 ms of the loop's time, and more of them rarely change the answer."""

SNIFF: Final = 4
"""Bytes that decide about byte order marks and JSON: as long as the longest mark, that of UTF-32."""

MAX_LABEL: Final = 40
"""Characters of a charset's name (RFC 2978 section 2.3); a longer one is none."""

NOT_CHARSETS: Final = frozenset(
    {"base64_codec", "bz2_codec", "hex_codec", "mbcs", "quopri_codec", "rot_13", "utf_7", "uu_codec", "zlib_codec"}
)
"""Codecs with an alias in Python that no Content-Type may ask for: those that make no text of bytes, that of the local
Windows, and UTF-7, in which ``+ADw-`` is a ``<`` that no filter before saw."""

WITHOUT_ALIAS: Final = frozenset({
    "cp1006", "cp720", "cp737", "cp856", "cp874", "cp875", "koi8_t", "koi8_u",
    "mac_arabic", "mac_croatian", "mac_farsi", "mac_romanian",
})  # fmt: skip
"""Charsets without an alias in Python. Its other codecs without one (``idna``, ``punycode``, ``unicode_escape``,
``raw_unicode_escape``, ``undefined``, ...) are not charsets: no peer can ask for them."""

CHARSETS: Final = (frozenset(aliases.values()) | WITHOUT_ALIAS) - NOT_CHARSETS
"""The modules of :mod:`encodings` that a Content-Type may ask for."""

LABELS: Final = {
    "big5_eten": "big5", "cn_big5": "big5", "x_big5": "big5",
    "cseuckr": "euc_kr", "ks_c_5601_1989": "euc_kr", "ksc_5601": "euc_kr", "windows_949": "cp949",
    "csgb2312": "gb2312", "gb_2312": "gb2312", "gb_2312_80": "gb2312",
    "dos_874": "cp874", "windows_874": "cp874", "windows_31j": "cp932",
    "iso_8859_6_e": "iso8859_6", "iso_8859_6_i": "iso8859_6", "iso_8859_8_e": "iso8859_8", "iso_8859_8_i": "iso8859_8",
    "koi": "koi8_r", "koi8": "koi8_r", "koi8_ru": "koi8_u", "mac": "mac_roman", "mac_ukrainian": "mac_cyrillic",
    "csunicode": "utf_16", "iso_10646_ucs_2": "utf_16", "ucs_2": "utf_16", "unicode": "utf_16",
    "unicode_1_1_utf_8": "utf_8", "utf_8_sig": "utf_8",
}  # fmt: skip
"""Labels of the WHATWG Encoding Standard that are in use and that Python does not know, normalized, without ``x_``."""

WIDER: Final = {
    "ascii": "utf_8", "big5": "cp950", "euc_kr": "cp949", "gb2312": "gb18030", "gbk": "gb18030", "shift_jis": "cp932",
}  # fmt: skip
"""What is decoded instead: it gives the same text but for a few punctuation marks, and knows more characters, which is
what those who send these labels mean (the WHATWG Encoding Standard says so too, but for ASCII)."""

_BYTE_ORDER_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # begins with that of UTF-16, so it comes first
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)

# RFC 9110 section 5.6.6:  parameters = *( OWS ";" OWS [ parameter ] ),  parameter-value = ( token / quoted-string )
# Forgiving: blanks around "=", anything for a token, a quoted string that does not end. Each match takes a whole
# parameter, so that one inside a quoted string is not seen. Nothing follows what repeats, so nothing is tried again.
_parameters = re.compile(
    r";[\t ]*+([^\t ;=\"]*+)[\t ]*+=[\t ]*+(?:\"((?:[^\"\\]++|\\.)*)\"?|([^;]*+))", re.DOTALL
).findall
_unquote = re.compile(r"\\(.)", re.DOTALL).sub


def charset_of(content_type: str | None) -> str | None:
    """The encoding that ``charset`` in a Content-Type names, by Python's name; None without one, or if it is not known.

    RFC 9110 sections 8.3.1 and 8.3.2: parameter and label have no case, a value may be quoted (section 5.6.6), the
    first of several counts. :data:`CHARSETS` says what is known.
    """
    if content_type is None or ";" not in content_type:
        return None
    for name, quoted, token in _parameters(content_type):
        if name.lower() == "charset":
            label = (_unquote(r"\1", quoted) if quoted else token).strip(" \t'")
            return _codec(label) if len(label) <= MAX_LABEL else None
    return None


@lru_cache(maxsize=64)
def _codec(label: str) -> str | None:
    """The codec that a label of a peer stands for, if it is one of :data:`CHARSETS`."""
    name = normalize_encoding(label).lower()
    if name not in aliases:
        name = name.removeprefix("x_")
    name = LABELS.get(name, name)
    name = aliases.get(name, name)
    return codecs.lookup(WIDER.get(name, name)).name if name in CHARSETS else None


def encoding_for(content_type: str | None, start: bytes, default: str = "utf-8", guess: Guess | None = None) -> str:
    """The encoding of a body that begins with ``start``: of :data:`SNIFF` bytes or more, if it has them.

    ``guess`` is called with ``start``, which should then be a larger sample, when neither the Content-Type nor a byte
    order mark says anything; without an answer it is ``default``. The name is one of Python's, and never one of those
    that want a byte order mark: ``utf-16`` without a mark is little-endian, as the WHATWG Encoding Standard has it.
    """
    if (named := charset_of(content_type)) is not None:
        return _with_byte_order(named, start)
    for mark, encoding in _BYTE_ORDER_MARKS:
        if start.startswith(mark):
            return encoding
    if _is_json(content_type):
        return detect_encoding(start[:SNIFF])
    guessed = guess(start) if guess is not None else None
    return _with_byte_order(guessed or default, start)


def chosen_encoding(
    start: bytes, content_type: str | None = None, *, encoding: str | None = None, default: str = "utf-8"
) -> str:
    """The encoding of a body that begins with ``start``, when the caller may have said which (``encoding``).

    ``start`` is the body, or :data:`SNIFF` bytes of it; for a guess more than :data:`GUESS_SAMPLE`, if it has them.

    :raises LookupError: there is no text encoding called ``encoding``, or ``default``
    :raises ImportError: ``encoding`` is :data:`GUESS`, and ``charset-normalizer`` is needed, but not installed
    """
    if encoding is None or encoding == GUESS:
        return encoding_for(content_type, start, text_encoding(default), guess_encoding if encoding else None)
    return _with_byte_order(text_encoding(encoding), start)


def is_enough(start: bytes | bytearray, content_type: str | None = None, encoding: str | None = None) -> bool:
    """Whether :func:`chosen_encoding` would say the same if more of the body were known than ``start``.

    It is soon so: what is not the beginning of a byte order mark need not wait for more.
    """
    if encoding == GUESS:
        return len(start) > GUESS_SAMPLE
    if _is_json(content_type):
        return len(start) >= SNIFF
    return bool(start) and not any(len(start) < len(mark) and mark.startswith(start) for mark, _ in _BYTE_ORDER_MARKS)


def text_encoding(name: str) -> str:
    """Python's name of the encoding that the caller calls ``name``.

    :raises LookupError: there is none, or what it decodes to is not text
    """
    try:
        bytes(SNIFF).decode(name, "replace")
    except UnicodeError:  # idna and undefined: what they decode depends on more than the bytes
        raise LookupError(f"{name!r} does not decode any bytes to text") from None
    return codecs.lookup(name).name


def guess_encoding(data: bytes) -> str | None:
    """What ``charset-normalizer`` takes the first :data:`GUESS_SAMPLE` bytes of ``data`` for; UTF-8 if they are that.

    :raises ImportError: the optional package is not installed; the text says how that is done
    """
    sample, cut = data[:GUESS_SAMPLE], len(data) > GUESS_SAMPLE
    try:
        codecs.getincrementaldecoder("utf-8")().decode(sample, final=not cut)
    except UnicodeDecodeError:
        pass
    else:
        return "utf-8"
    try:
        from charset_normalizer import from_bytes
    except ImportError as error:
        raise ImportError(
            "encodings are guessed by charset-normalizer, the extra 'charset': pip install charset-normalizer"
        ) from error
    if cut:  # half a character at the end would speak against its encoding
        sample = sample[: sample.rfind(b"\n") + 1] or sample
    best = from_bytes(sample).best()
    return None if best is None else _codec(best.encoding)


def _with_byte_order(encoding: str, start: bytes) -> str:
    """``encoding``, or which of its two byte orders it is."""
    if encoding == "utf-16":
        return "utf-16-be" if start.startswith(codecs.BOM_UTF16_BE) else "utf-16-le"
    if encoding == "utf-32":
        return "utf-32-be" if start.startswith(codecs.BOM_UTF32_BE) else "utf-32-le"
    return encoding


def _is_json(content_type: str | None) -> bool:
    if content_type is None:
        return False
    media_type = content_type.partition(";")[0].strip().lower()
    return media_type in ("application/json", "text/json") or media_type.endswith("+json")
