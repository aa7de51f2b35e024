"""Whether a response is HTML, the text that it is, and the elements that Lexbor finds in it.

Theory of operation. Lexbor builds the tree that the HTML Standard describes, and some trees are much larger than their
text: each ``<p>`` gets anew whatever formatting is open, so that 25 KB of hostile text are four million nodes, 12
seconds, more than a gigabyte; deep nesting, and many attributes of one element, cost the square of their number in
time. Links need no tree. So of a page with more than a little markup everything is taken out before that has no
part in them (:func:`thinned`): what is left is flat, and so is the cost. A short page is parsed as it is.
"""

from __future__ import annotations

import codecs
import re
from typing import TYPE_CHECKING, Any, Final

from ..client import charset_of, decode_text

if TYPE_CHECKING:
    from ..client import Response

HTML: Final = frozenset({"text/html", "application/xhtml+xml"})
"""The media types in which links are looked for."""

SNIFFED: Final = 512
"""Bytes by which HTML is recognised that comes without a Content-Type."""

PRESCANNED: Final = 1024
"""Bytes in which an element that names the encoding must stand (HTML Standard, section 4.2.5.4)."""

LONGEST: Final = 4 << 20
"""Characters of a page that are read. The largest of manuals have half of that; the worst that are made of so many take
about a second, and 200 MiB meanwhile."""

FEW: Final = 200
"""Tags of a page that is parsed as it is: it cannot become more than some ten thousand nodes."""

SHORT: Final = 16384
"""Characters of such a page: it cannot have more than some thousand attributes in one element."""

ATTRIBUTES: Final = 100
"""Of one element. The specification of HTML knows some fifty, without ``data-``."""

_BEGINS = re.compile(
    r"(?is)[\t\n\f\r ]*<(?:!--"
    r"|(?:!doctype html|html|head|script|iframe|h1|div|font|table|a|style|title|b|body|br|p)[\s>])"
)
"""How HTML begins (MIME Sniffing Standard, section 7.1)."""

_XML = re.compile(rb"""<\?xml\s[^>]*?encoding\s*=\s*["']([^"'>]+)""")
_COMMENT = re.compile(rb"(?s)<!--.*?(?:-->|\Z)")
_META = re.compile(rb"(?i)<meta[\s/]([^>]*)")
_ATTRIBUTE = re.compile(r"""(?s)([^\s=/>]+)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>]*))""")

_EMPTY = re.compile(r"(?i)<(script|style|title|textarea|iframe)\b([^<>]*)/>")
"""Elements that XHTML may have closed at once, and that swallow what follows where it is read as HTML."""


def is_html(response: Response) -> bool:
    """Whether it says so, or says nothing and begins like that."""
    content_type = response.headers.get("Content-Type")
    if content_type is not None:
        return _media_type(content_type) in HTML
    return _BEGINS.match(decode_text(response.content[:SNIFFED], response.encoding)) is not None


def html_text(response: Response) -> tuple[str, str]:
    """Its text, as much of it as is read, and the encoding by which that was decoded."""
    encoding = html_encoding(response)
    text = decode_text(response.content[: LONGEST * 4], encoding)[:LONGEST]
    if _media_type(response.headers.get("Content-Type") or "") == "application/xhtml+xml":
        text = _EMPTY.sub(r"<\1\2></\1>", text)
    return text, encoding


def html_encoding(response: Response) -> str:
    """Python's name of its encoding: of Content-Type, of a byte order mark, of the page itself, else UTF-8."""
    encoding, content = response.encoding, response.content
    if encoding != "utf-8" or content.startswith(codecs.BOM_UTF8) or charset_of(response.headers.get("Content-Type")):
        return encoding
    found = _declared(content[:PRESCANNED])
    if found is None or found.startswith("utf-16"):  # in which it could not have been read
        return encoding
    return found


def _media_type(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()


def _declared(start: bytes) -> str | None:
    """The encoding that an XML declaration, or a ``meta`` element, names; None: there is none that is known."""
    if (declaration := _XML.match(start)) is not None:
        return _codec(declaration[1].decode("iso-8859-1"))
    if b"charset" not in start.lower():
        return None
    for meta in _META.finditer(_COMMENT.sub(b"", start)):
        attributes: dict[str, str] = {}
        for name, *values in _ATTRIBUTE.findall(meta[1].decode("iso-8859-1")):
            attributes.setdefault(name.lower(), "".join(values))
        found = _codec(attributes["charset"]) if "charset" in attributes else None
        if found is None and attributes.get("http-equiv", "").lower() == "content-type":
            found = charset_of(attributes.get("content"))
        if found is not None:
            return found
    return None


def _codec(label: str) -> str | None:
    return charset_of(f";charset={label.strip()}")


# -- the elements

_RAW = ("script", "style", "textarea", "title", "xmp", "noembed", "noframes", "template")
"""Elements in which tags are text (HTML Standard, section 13.2.5), or are not of the page: templates."""

_KEPT = ("a", "area", "base", "frame", "frameset", "link", "meta")
"""Elements that are links, or say something about them, besides ``iframe``; a frame is none outside of a set."""

_NAME_ENDS = r"(?=[\s/>])"

_TAG_ENDS = r"""[^>=]*+(?:=\s*+(?:"[^"]*+(?:"|\Z)|'[^']*+(?:'|\Z))?+[^>=]*+)*+(?:>|\Z)"""
"""What stands behind the name of a tag: it ends where no quoted value does."""

_ATTRIBUTES = rf"""(?:[\s/]*+[^\s/>=]++(?:\s*+=\s*+(?:"[^"]*+"|'[^']*+'|[^\s>]*+))?+){{{ATTRIBUTES}}}"""


def _inside(name: str) -> str:
    """Everything up to the end tag."""
    return rf"[^<]*+(?:<(?!/{name}{_NAME_ENDS})[^<]*+)*+"


def _raw(name: str) -> str:
    """An element, behind its ``<``; one that is closed at once, as in drawings, ends there."""
    return rf"{name}{_NAME_ENDS}{_TAG_ENDS}(?:(?<=/>)|{_inside(name)}(?:</{name}{_NAME_ENDS}{_TAG_ENDS}|\Z))"


_MARKUP = re.compile(
    rf"(?ais)(<(?:/?+(?:{'|'.join(_KEPT)})|/iframe){_NAME_ENDS}(?!{_ATTRIBUTES}){_TAG_ENDS}"
    rf"|<iframe{_NAME_ENDS}(?!{_ATTRIBUTES}){_TAG_ENDS}{_inside('iframe')}"
    r"|[^<]++|<(?![a-z/!?<]))"
    rf"|<(?:(?:/|(?!(?:{'|'.join(_RAW)}){_NAME_ENDS}))[a-z]{_TAG_ENDS}"
    rf"|{'|'.join(map(_raw, _RAW))}"
    r"|!--(?:-?>|[^-]*+(?:-(?!-!?>)[^-]*+)*+(?:--!?>|\Z))"
    r"|(?:[!?]|/(?![a-z]))[^>]*+(?:>|\Z)"
    r"|(?=<))"  # what stands alone would begin a tag with what comes then
)
"""Tags of links, and text, as a group; tags, elements and comments that have no part in them. Each match goes on from
where the last one ended, and nothing is tried twice: the time is in proportion to the length."""


def thinned(text: str) -> str:
    """``text`` without what makes a tree of it large, and has no part in links: most tags, comments, scripts."""
    return "".join(_MARKUP.findall(text))


def elements(text: str, selector: str) -> list[Any]:
    """The elements for which a CSS selector holds, in their order.

    :raises ImportError: selectolax is not installed; the text says how that is done
    """
    parse = parser()
    if len(text) > SHORT or text.count("<") > FEW:
        text = thinned(text)
    found: list[Any] = parse(text).css(selector)
    return found


def parser() -> Any:
    """What makes a tree of the text.

    :raises ImportError: selectolax is not installed; the text says how that is done
    """
    try:
        from selectolax.lexbor import LexborHTMLParser
    except ImportError as error:
        raise ImportError('links are found by selectolax, of the extra "bulk": pip install selectolax') from error
    return LexborHTMLParser
