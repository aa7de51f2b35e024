"""Parameters and members by their names: in queries, forms and JSON, and in whatever text has them in it.

What is not replaced stays as it was written, down to its percent-encoding and its blanks; only a document of JSON that
one of the caller's paths has changed is written anew.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from copy import copy
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Self
from urllib.parse import quote_plus, unquote_plus

from .._redact import HIDDEN, is_secret_member
from .._sentinels import DEFAULT

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from ._har_entry import RecordedRequest

    Named = Iterable[str | tuple[str, Any]] | Mapping[str, Any]
    Hide = Callable[[str], str]
    IsSecret = Callable[[str], bool]

_STRING: Final = r'"(?:[^"\\\n]|\\.)*+"'

_MEMBER: Final = re.compile(rf"({_STRING}?)(?:(\s*+:\s*+)({_STRING}|\[\s*+(?:{_STRING}\s*+,?\s*+)*+\]))?")
"""A string of JSON, and what it names, if that is a string or a list of such. Other strings are found as well, also one
that does not end, so that nothing inside of one is taken for a name, and nothing is looked at twice."""

_A_STRING: Final = re.compile(_STRING)

_DOCUMENT: Final = re.compile(rf'(?="(?:\\[nrt]|\s)*+[{{\[]){_STRING}')
"""A string of JSON that may have JSON in it, as bodies within messages of queues do."""

_PARAMETER: Final = re.compile(r"([?&;#]|\\u0026)([^=?&;#\s<>\"'\\]+)=([^&;#\s<>\"'\\]*)")
"""A parameter in a URL, as it stands in a field or in a text: in its query, or in its fragment, where OAuth 2 has the
token (RFC 6749 section 4.2.2). JSON of some writers has an escape for ``&``."""

_PATH_PARAMETER: Final = re.compile(r"(;)([^=?&;#/\s<>\"'\\]+)=([^?&;#/\s<>\"'\\]*)")
"""One in a path, as ``;jsessionid=``."""

_END_OF_PATH: Final = re.compile("[?#]")

_URL: Final = re.compile(r"(?:https?:\\?/|(?<=[\"'\s=(]))\\?/[^\s\"'<>?#]{0,2000}+[?#][^\s\"'<>]+")
"""A URL with a query or a fragment within a text, absolute or beginning with a slash. Paths have an end, or many would
cost much."""

_FORM: Final = re.compile(r"[^\s=&<>\"'{}]++=[^\s&<>\"'{}]*+(?:&[^\s=&<>\"'{}]++=[^\s&<>\"'{}]*+)*+")
"""A text that is all of it a form. Some servers do not say so, and some say that it is HTML."""

_BOUNDARY: Final = re.compile(r"(?i);\s*boundary\s*=\s*\"?([^\";]+)")
_PART_NAME: Final = re.compile(rb";\s*name\s*=\s*(?:\"([^\"]*)\"|([^\s;\"]+))", re.IGNORECASE)


def check_listed(what: str, given: Any) -> None:
    """Refuse a single name, whose letters would be taken for names, and what is no list at all.

    :raises TypeError: it is one
    """
    if isinstance(given, (str, bytes)):
        raise TypeError(f"{what} is a list of names, not one: [{given!r}]")
    if not isinstance(given, Iterable):
        raise TypeError(f"{what} is a list of names, not {given!r:.100}")


class Rules:
    """What is to become of some names: a filter of the caller's.

    :param what: the parameter, for errors
    :param given: names, for which a placeholder stands in the place of the value; or pairs of a name and what that is
        to be: text; None, which takes the name out as well; or a function, called as ``f(key=, value=, request=)``,
        that returns one of these
    :param key: what makes of two names the same one
    :raises TypeError: it is something else
    """

    def __init__(self, what: str, given: Named, key: Callable[[str], str] = str) -> None:
        check_listed(what, given)
        self._rules: dict[str, Any] = {}
        self._key = key
        self.request: RecordedRequest | None = None
        for one in dict(given).items() if isinstance(given, dict) else given:
            name, rule = one if isinstance(one, tuple) and len(one) == 2 else (one, DEFAULT)
            if not isinstance(name, str):
                raise TypeError(f"{what} has names, or pairs of a name and a replacement, not {one!r:.100}")
            self._rules[key(name)] = rule

    def __contains__(self, name: str) -> bool:
        return self._key(name) in self._rules

    def __bool__(self) -> bool:
        return bool(self._rules)

    def __iter__(self) -> Any:
        return iter(self._rules)

    def bound(self, request: RecordedRequest) -> Self:
        """The same rules, for functions that are told of ``request``."""
        other = copy(self)
        other.request = request
        return other

    def replaced(self, name: str, value: Any, hide: Hide) -> Any:
        """What is to stand in the place of ``value``; None: neither that nor the name."""
        rule = self._rules[self._key(name)]
        if rule is DEFAULT:
            return hide(value) if isinstance(value, str) else HIDDEN
        return rule(key=name, value=value, request=self.request) if callable(rule) else rule


# -- queries and forms


def filter_query(
    text: str, is_secret: IsSecret, hide: Hide, rules: Rules, plain: Callable[[str], str] | None = None
) -> str:
    """``name=value&...``, with each value filtered by its name; ``plain`` filters others that are JSON."""
    kept: list[str] = []
    pieces = re.split(r"([&;])", text)
    for piece, separator in zip(pieces[::2], ["", *pieces[1::2]], strict=True):
        name, equals, value = piece.partition("=")
        known = unquote_plus(name)
        if known in rules:
            new = rules.replaced(known, unquote_plus(value), hide)
            if new is None:
                continue
            piece = f"{name}={quote_plus(str(new), safe='*')}"
        elif equals and is_secret(known):
            piece = f"{name}={_hidden(value, hide)}"
        elif plain is not None and (document := unquote_plus(value)).lstrip()[:1] in {"{", "["}:
            new = plain(document)
            piece = piece if new == document else f"{name}={quote_plus(new, safe='*')}"
        kept += [separator if kept else "", piece]
    return "".join(kept)


def _hidden(value: str, hide: Hide) -> str:
    """The placeholder for a value that may be percent-encoded; it is not to be seen in either form."""
    hide(unquote_plus(value))
    return hide(value)


def filter_multipart(
    body: bytes, content_type: str, is_secret: IsSecret, hide: Hide, rules: Rules, plain: Callable[[str], str]
) -> bytes:
    """A body of ``multipart/form-data`` (RFC 7578), likewise; ``plain`` filters what no rule and no name is about."""
    found = _BOUNDARY.search(content_type)
    if found is None:
        return plain(body.decode("latin-1")).encode("latin-1", "replace")
    delimiter = b"--" + found[1].strip().encode("latin-1", "replace")
    parts = body.split(delimiter)
    return delimiter.join(
        [one for one in (_part(part, is_secret, hide, rules, plain) for part in parts) if one is not None]
    )


def _part(part: bytes, is_secret: IsSecret, hide: Hide, rules: Rules, plain: Callable[[str], str]) -> bytes | None:
    head, blank, content = part.partition(b"\r\n\r\n")
    named = _PART_NAME.search(head)
    if not blank or named is None:
        return part
    name = (named[2] or named[1] or b"").decode("utf-8", "replace")
    end = b"\r\n" if content.endswith(b"\r\n") else b""
    text = content.removesuffix(end).decode("utf-8", "replace")
    if name in rules:
        new = rules.replaced(name, text, hide)
        return None if new is None else head + blank + str(new).encode() + end
    if is_secret(name) and b"filename" not in head:
        return head + blank + hide(text).encode() + end
    return head + blank + plain(content.decode("latin-1")).encode("latin-1", "replace")


def is_form(text: str) -> bool:
    """Whether ``text`` looks like a form, as a whole."""
    return _FORM.fullmatch(text) is not None


def hide_parameters(text: str, is_secret: IsSecret, hide: Hide, rules: Rules, *, in_text: bool = False) -> str:
    """``text``, a field's value or (``in_text``) any text, with the parameters filtered of each URL in it."""
    if not any(mark in text for mark in "?;#"):
        return text

    def replace(found: re.Match[str]) -> str:
        before, name, value = found.groups()
        known = unquote_plus(name)
        if known in rules:
            new = rules.replaced(known, unquote_plus(value), hide)
            if new is None:
                return before if before in "?#" else ""
            return f"{before}{name}={quote_plus(str(new), safe='*')}"
        return f"{before}{name}={_hidden(value, hide)}" if is_secret(known) else found[0]

    if in_text:
        return _URL.sub(lambda url: _PARAMETER.sub(replace, url[0]), text)
    found = _END_OF_PATH.search(text)
    end = len(text) if found is None else found.start()
    return _PATH_PARAMETER.sub(replace, text[:end]) + _PARAMETER.sub(replace, text[end:])


# -- JSON


def hide_members(text: str, keep: Collection[str], hide: Hide) -> str:
    """``text``, which may have JSON in it, with the texts hidden of members that are secrets by their names.

    Numbers stay, for they mostly count something. Lists of texts are hidden text by text.
    """

    def hidden(found: re.Match[str]) -> str:
        hide(_loaded(found[0]))
        return f'"{hide(found[0][1:-1])}"'

    def inner(found: re.Match[str]) -> str:
        """A string that has another document in it, likewise."""
        document = _loaded(found[0])
        new = hide_members(document, keep, hide) if document.lstrip()[:1] in {"{", "["} else document
        return found[0] if new == document else json.dumps(new, ensure_ascii="\\u" in found[0])

    judged: dict[str, bool] = {}  # documents have the same few names again and again

    def replace(found: re.Match[str]) -> str:
        name, colon, value = found.groups()
        if value is None:
            return _DOCUMENT.sub(inner, found[0])
        is_secret = judged.get(name)
        if is_secret is None:
            known = _loaded(name)
            is_secret = judged[name] = known.lower() not in keep and is_secret_member(known)
        return name + colon + (_A_STRING.sub(hidden, value) if is_secret else _DOCUMENT.sub(inner, value))

    return _MEMBER.sub(replace, text)


def _loaded(string: str) -> str:
    """The text that a string of JSON stands for; itself where it is none after all."""
    try:
        return str(json.loads(string))
    except ValueError:
        return string[1:-1]


def filter_json(text: str, hide: Hide, rules: Rules) -> str:
    """``text`` with what the caller's paths lead to replaced; as it is where it is no JSON.

    A path has names and positions with dots between: ``"user.phones.0"``; ``*`` is any of them, ``**`` any number.
    """
    if not rules:
        return text
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return text
    before = json.dumps(document)
    for path in rules:
        document = _walked(document, path.split("."), partial(rules.replaced, path, hide=hide))
    if json.dumps(document) == before:
        return text
    blanks = (", ", ": ") if '": ' in text else (",", ":")
    # What is escaped may be nothing that the charset has.
    return json.dumps(document, ensure_ascii="\\u" in text, separators=blanks)


def _walked(node: Any, path: list[str], replaced: Callable[[Any], Any]) -> Any:
    """``node``, with what ``path`` leads to from there replaced; None takes it out."""
    step, *rest = path
    if step == "**":
        if not rest:
            return node
        node = _walked(node, rest, replaced)
        rest, step = path, "*"
    if not isinstance(node, (dict, list)):
        return node
    named: list[tuple[Any, Any]] = list(node.items() if isinstance(node, dict) else enumerate(node))
    kept: list[tuple[Any, Any]] = []
    for name, value in named:
        if step not in {"*", str(name)}:
            kept.append((name, value))
        elif rest:
            kept.append((name, _walked(value, rest, replaced)))
        elif value is None or (new := replaced(value)) is not None:
            kept.append((name, value if value is None else new))
    return dict(kept) if isinstance(node, dict) else [value for _, value in kept]
