"""From what a caller or a server calls a URL to the text that a request is made of.

Theory of operation. A URL is text here, and stays text: nothing takes it apart and writes it anew, so what was
percent-encoded is asked for byte for byte. A signed URL survives: lower-case escapes, ``%7E``, ``+``, the order of
parameters, empty ones, a ``?`` at the end, double slashes and dot segments. Four things are changed, because a request
cannot carry them as they are: characters that have no place in a URL are percent-encoded as UTF-8 (a ``%`` that begins
no escape becomes ``%25``), the fragment and the user information are cut off and handed over beside the text, the
scheme is written in lower case, and an empty path becomes ``/``. What could end the request line, or looks like an
accident (controls, white space around), is refused, never taken away in silence.

Everything that leaves this file as the text of a :class:`Target` has a scheme, a host and a port that the pool accepts.
The host stays as it was written; the pool makes IDNA of it.
"""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias
from urllib.parse import unquote, urlencode

from yarl import URL

from .._redact import shown_url
from .._url import split_url
from ..errors import InvalidURL
from ._payloads import form_fields, pairs_of
from ._references import relative_to, utf8_text, without_dots

if TYPE_CHECKING:
    from ._payloads import FormData

    Params: TypeAlias = str | FormData
    """What ``params=`` takes. A mapping may be a multidict."""

KEPT = 1024
"""URLs, and origins, that are remembered: a service asks for the same ones again and again."""

KEPT_LENGTH = 512
"""Characters of the longest of these, so that all of them together stay below a few MiB."""

SHOWN = 100
"""Characters of a URL that an error repeats."""

_UNSAFE = re.compile(r"[^!$&-;=?-Z\[\]_a-z~%]+|%(?![0-9A-Fa-f]{2})")
"""What is percent-encoded in path, query and fragment: all that RFC 3986 appendix A has no place for. Brackets stay, as
in browsers (``filter[name]=x``), though it has them in hosts only."""

_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]")
"""What no URL may contain: CR, LF and NUL would change the request head, browsers drop TAB and leave another URL."""

_ABSOLUTE = re.compile(r"(?s)([A-Za-z][A-Za-z0-9+.\-]*)://([^/?#\\]*)([^#]*)(?:#(.*))?")
"""Scheme, authority, path with query, fragment. A backslash ends the authority, as in browsers, and is then refused:
others read on, and find another host (``https://good.example\\@evil.example``)."""

_PLAIN_PATH = re.compile(r"/[!$&-;=?-Z\[\]_a-z~]*+(?:%[0-9A-Fa-f]{2}[!$&-;=?-Z\[\]_a-z~]*+)*+").fullmatch
"""A path, with its query, in which there is nothing to change or to cut off."""

_PLAIN_BASES: set[str] = set()
"""Schemes and authorities of URLs that were asked for, which stay as they are written."""

_BASE = re.compile(r"[^:/?#]*://[^/?#]*")
"""What stands before the path."""

_HOST = re.compile(r"[^:/?#]*://([^\[:/?#][^:/?#]*)")
"""A host that is a name, percent-encoded perhaps; in an IPv6 address an escape belongs to the zone."""

_NO_UTF8 = "a URL can't contain half a surrogate pair, which has no UTF-8"


class Target(NamedTuple):
    """Where a request goes. The repr leaves out the user information.

    ``text`` is the absolute URL as it is asked for, without user information and fragment, ASCII but for the host;
    ``fragment`` what stood behind ``#``; ``userinfo`` user and password, percent-decoded, None if there were none.
    """

    text: str
    fragment: str = ""
    userinfo: tuple[str, str] | None = None

    def __repr__(self) -> str:
        hidden = "" if self.userinfo is None else ", userinfo=..."
        return f"Target({self.text!r}, {self.fragment!r}{hidden})"


def resolve(url: str | URL, base: str | None = None, params: Params | None = None) -> Target:
    """What is asked for when a caller says ``url``.

    :param url: absolute; with ``base``, relative as well. URL objects of other libraries will do
    :param base: ``base_url=`` of a client. A relative URL goes to the end of its path, with or without a slash between
        (``https://a/api`` and ``users`` or ``/users``: ``https://a/api/users``), and has its dot segments removed (RFC
        3986 section 5.2.4); an empty one is ``base`` itself. The user information of ``base`` is that of relative URLs
        only
    :param params: appended to the query that is there, in the encoding of HTML forms; see :func:`encode_params`
    :raises InvalidURL: the URL, or ``base``, cannot be asked for; the text has no password in it
    :raises TypeError: ``url`` or ``params`` is of another type
    """
    if type(url) is not str:
        url = _as_text(url)
    root = None if base is None else _root(base)
    if is_plain(url):
        target = Target(url)
    elif base is None or root is None:
        target = _parsed(url) if len(url) <= KEPT_LENGTH else _parse(url)
    elif _is_plain_reference(url):
        target = Target(root.folder + url.removeprefix("/"), "", root.userinfo)
    else:
        target = _joined(url, base) if len(url) + len(base) <= KEPT_LENGTH else _based(url, base)
    if params is None:
        return target
    query = encode_params(params)
    return target._replace(text=_appended(target.text, query)) if query else target


def is_plain(url: str) -> bool:
    """Whether ``url`` is asked for as it is: there is nothing to change, to cut off, or to refuse.

    True is said only where one like it was looked at before; most URLs are of that kind, and this is quick.
    """
    slash = url.find("/", len("https://"))  # of http, too: a host has one character at least
    return slash > 0 and url[:slash] in _PLAIN_BASES and _PLAIN_PATH(url, slash) is not None


def join(base_text: str, base_fragment: str, location: str) -> Target:
    """Where ``Location: location`` leads from ``base_text`` (RFC 9110 section 10.2.2, RFC 3986 section 5).

    :param base_text: the URL that was asked for, as in :attr:`Target.text`
    :param base_fragment: its fragment, which the new URL inherits unless ``location`` has one
    :param location: the field value, decoded as ISO-8859-1
    :raises InvalidURL: it leads to something that is not a URL of http or https; the text has no password in it
    """
    reference = utf8_text(location.strip(" \t"))
    target = _parse(relative_to(base_text, reference))
    return target if "#" in reference else target._replace(fragment=base_fragment)


def origin_of(text: str) -> tuple[str, str, int]:
    """Scheme, host (both in lower case, the host in its IDNA form) and port of an absolute URL.

    :raises InvalidURL: it is none, or has user information
    """
    found = _BASE.match(text)
    if found is None or found.end() > KEPT_LENGTH:
        return split_url(text)[:3]
    return _origin(found[0])


def same_origin(one: str, other: str) -> bool:
    """Whether two absolute URLs have the same scheme, host and port (RFC 9110 section 4.3.1)."""
    return origin_of(one) == origin_of(other)


def url_object(text: str) -> URL:
    """The ``yarl.URL`` of an absolute URL, which stays as it is but for a host that is not ASCII: its IDNA form.

    yarl expects that of a URL that is encoded, and could not tell its host otherwise. It remembers those that it made.

    :raises InvalidURL: the host has none
    """
    if not text.isascii() or "%" in text:
        found = _HOST.match(text)
        if found is not None and (not found[1].isascii() or "%" in found[1]):
            text = text[: found.start(1)] + origin_of(text)[1] + text[found.end(1) :]
    return URL(text, encoded=True)


@functools.lru_cache(KEPT)
def _origin(base: str) -> tuple[str, str, int]:
    return split_url(base)[:3]


# -- parameters


def encode_params(params: Params) -> str:
    """``params`` as a query, without the question mark; empty if there are none.

    A text is a query already: what has no place in one is percent-encoded, the rest stays; a question mark in front is
    left out. Of a mapping, or of pairs, names and values are encoded as those of HTML forms are (a space is ``+``):
    ``True`` and ``False`` as ``true`` and ``false``; a list or tuple repeats the name; ``None`` leaves it out.

    :raises InvalidURL: a text has controls in it, or a character that has no UTF-8
    :raises TypeError: a name or a value is of another type
    """
    if isinstance(params, str):
        _refuse_controls(params)
        return quoted(params.removeprefix("?"))
    given: list[tuple[Any, list[Any]]] = []
    for name, value in pairs_of(params, "params"):
        values = value if isinstance(value, (list, tuple)) else (value,)
        given.append((name, [one for one in values if one is not None]))
    try:
        return urlencode(form_fields(given))
    except UnicodeEncodeError:
        raise InvalidURL(_NO_UTF8) from None


def _appended(text: str, query: str) -> str:
    if "?" not in text:
        return f"{text}?{query}"
    return text + query if text[-1] in "?&" else f"{text}&{query}"


# -- URLs of callers


def _as_text(url: object) -> str:
    """The text of a URL object (``yarl.URL``, ``httpx.URL``), which is known by its ``host``, as in the pool."""
    if not isinstance(url, str) and (isinstance(url, (bytes, bytearray)) or not hasattr(url, "host")):
        raise TypeError(f"a URL must be str or a URL object, got {type(url).__name__}")
    return str(url)


def _parse(url: str) -> Target:
    _refuse_controls(url)
    found = _ABSOLUTE.fullmatch(url)
    scheme = found[1].lower() if found else ""
    if found is None or scheme not in ("http", "https"):
        raise InvalidURL(_what_is_needed(url))
    path, fragment = found[3], found[4] or ""
    if path[:1] == "\\":
        raise InvalidURL(f"a backslash where the path should begin: {shown(url)}")
    userinfo, _, authority = found[2].rpartition("@")
    base = f"{scheme}://{authority}"
    _check_origin(base, url)
    if len(base) <= KEPT_LENGTH:
        if len(_PLAIN_BASES) >= KEPT:
            _PLAIN_BASES.clear()
        _PLAIN_BASES.add(base)
    if path[:1] != "/":
        path = f"/{path}"
    return Target(base + quoted(path), quoted(fragment), _credentials(userinfo))


def _check_origin(base: str, url: str) -> None:
    try:
        origin_of(base)
    except InvalidURL:
        if base.partition("://")[2].partition(":")[0] == "":
            raise InvalidURL(f"no host between the slashes in {shown(url)}") from None
        if "@" not in url:
            raise
        # What looks like a port may be the beginning of a password with a slash in it.
        raise InvalidURL(f"host and port cannot be told apart in {shown(url)}") from None


def _credentials(userinfo: str) -> tuple[str, str] | None:
    user, _, password = userinfo.partition(":")
    if not (user or password):
        return None
    try:
        return unquote(user, errors="strict"), unquote(password, errors="strict")
    except UnicodeDecodeError:
        raise InvalidURL("user and password of the URL are not percent-encoded UTF-8") from None


class _Root(NamedTuple):
    """What ``base_url`` is: its text, the same with a slash at the end and without dot segments, and who asks."""

    text: str
    folder: str
    userinfo: tuple[str, str] | None


@functools.lru_cache(KEPT)
def _root(base: str) -> _Root:
    text, _, userinfo = _parse(base)
    if "?" in text or "#" in base:
        raise InvalidURL(f"base_url must have neither query nor fragment: {shown(base)}; params= is for the former")
    start = text.index("/", len("https://"))
    return _Root(text, text[:start] + without_dots(f"{text[start:].removesuffix('/')}/x").removesuffix("x"), userinfo)


def _is_plain_reference(url: str) -> bool:
    """Whether ``url`` is a path, with a query perhaps, that is asked for as it is behind the folder of a base."""
    path = url if url[:1] == "/" else f"/{url}"
    if url[:1] in ("", "?") or url[:2] == "//" or ":" in url or "/." in path:
        return False
    return _PLAIN_PATH(path) is not None


def _based(url: str, base: str) -> Target:
    root = _root(base)
    if re.match(r"[A-Za-z][A-Za-z0-9+.\-]*://", url):
        return _parse(url)
    _refuse_controls(url)
    if re.match(r"//|(?i:https?:)", url):
        raise InvalidURL(f"neither absolute nor a path below base_url: {shown(url)}; // after the scheme makes a host")
    rest, _, fragment = url.partition("#")
    path, mark, query = rest.partition("?")
    text = root.text
    if path:
        start = text.index("/", len("https://"))
        whole = f"{text[start:].removesuffix('/')}/{path.removeprefix('/')}"
        text = text[:start] + without_dots(quoted(whole))
    return Target(text + mark + quoted(query), quoted(fragment), root.userinfo)


_parsed = functools.lru_cache(KEPT)(_parse)
_joined = functools.lru_cache(KEPT)(_based)


def _refuse_controls(url: str) -> None:
    if found := _CONTROLS.search(url):
        raise InvalidURL(f"a URL can't contain control characters, and has {found[0]!r} at {found.start()}")
    if url != url.strip():
        raise InvalidURL("a URL can't have white space around it")


def quoted(text: str) -> str:
    """``text``, of path, query or fragment, as it is sent: what has no place there is percent-encoded as UTF-8.

    :raises InvalidURL: a character has no UTF-8
    """
    if _UNSAFE.search(text) is None:
        return text
    try:
        return _UNSAFE.sub(_percent_encoded, text)
    except UnicodeEncodeError:
        raise InvalidURL(_NO_UTF8) from None


def _percent_encoded(found: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in found[0].encode())


def _what_is_needed(url: str) -> str:
    needed = f"an absolute URL, http:// or https://, is needed, got {shown(url)}"
    scheme = re.match(r"([A-Za-z][A-Za-z0-9+.\-]*)://", url)
    if scheme:
        return f"{needed}; {scheme[1]!r} is not spoken here"
    if not url or (url[0] in "/?#." and url[:2] != "//"):
        return f"{needed}; a relative one needs base_url="
    bare = re.split(r"[?#]", re.sub(r"^(?i:https?:)?[/\\]*", "", url), maxsplit=1)[0]
    return needed if "@" in url or not bare else f"{needed}; did you mean {'https://' + bare[:SHOWN]!r}?"


def shown(url: str) -> str:
    """``url`` as an error repeats it: the beginning, without what may be a password."""
    return repr(shown_url(without_credentials(url)[:SHOWN]))


def without_credentials(url: str) -> str:
    """``url``, which may be none, without what stands before an ``@`` in it.

    Wherever that ``@`` is: where a password ends, readers do not agree (``http://user:pass/word@host``).
    """
    if "@" not in url:
        return url
    return re.sub(r"(?s)\A([A-Za-z][A-Za-z0-9+.\-]*://|[/\\]*).*@", r"\1...@", url)
