"""``_recorder_forms.py``: parameters and members by their names."""

from __future__ import annotations

import json
from typing import Any

import pytest
from yarl import URL

from aiohttpclient._redact import is_secret_parameter
from aiohttpclient.testing import RecordedRequest
from aiohttpclient.testing._recorder_forms import (
    Rules,
    filter_json,
    filter_multipart,
    filter_query,
    hide_members,
    hide_parameters,
    is_form,
)

NONE = Rules("none", ())


def _hide(text: str) -> str:
    return "***" if text else text


# -- rules


def test_what_is_in_the_place() -> None:
    """A name alone has a placeholder, a pair has text, None, or what a function says."""
    rules = Rules("x", ["a", ("b", "B"), ("c", None), ("d", lambda key, value, request: f"{key}{value}{request}")])
    request = RecordedRequest("GET", URL("http://e.org/"))
    found = [rules.bound(request).replaced(name, "1", _hide) for name in "abcd"]
    assert found == ["***", "B", None, "d1GET http://e.org/"]
    assert "e" not in rules
    assert rules.request is None


def test_rules_of_a_mapping() -> None:
    """Pairs may be a mapping, and names compare as they are told to."""
    rules = Rules("x", {"Name": "y"}, str.lower)
    assert "NAME" in rules
    assert rules.replaced("nAME", "1", _hide) == "y"


@pytest.mark.parametrize("given", ["name", b"name", [1], [("a", "b", "c")], [None], 5, None])
def test_rules_that_are_none(given: Any) -> None:
    """One name in the place of a list, or what is no name, is refused with the name of the parameter."""
    with pytest.raises(TypeError, match="filter_x"):
        Rules("filter_x", given)


# -- queries and forms


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("a=1&b=2", "a=1&b=2"),
        ("a=1&token=t&b=%7E+~", "a=1&token=***&b=%7E+~"),
        ("token=", "token="),
        ("token", "token"),
        ("token=a=b;key=c", "token=***;key=***"),
        ("user%5Bpass%5D=x&&", "user%5Bpass%5D=***&&"),
        ("sort_key=a", "sort_key=a"),
        ("mine=a&out=b&x=1", "mine=%C3%BC+***&x=1"),
        ("out=b&x=1&out=c", "x=1"),
        ("m%69ne=a", "m%69ne=%C3%BC+***"),
    ],
)
def test_queries(text: str, expected: str) -> None:
    """Values of secrets and of names that are asked for are replaced; the rest stays as it was encoded."""
    rules = Rules("x", [("mine", "ü ***"), ("out", None)])
    assert filter_query(text, is_secret_parameter, _hide, rules) == expected


def test_both_forms_of_a_value_are_hidden() -> None:
    """A value is hidden as it is encoded, and as what that stands for."""
    seen: list[str] = []

    def hide(text: str) -> str:
        seen.append(text)
        return "***"

    assert filter_query("token=a%20b", is_secret_parameter, hide, NONE) == "token=***"
    assert seen == ["a b", "a%20b"]


FORM = (
    b'--B\r\nContent-Disposition: form-data; name="password"\r\n\r\nhunter2\r\n'
    b'--B\r\nContent-Disposition: form-data; name="a"\r\n\r\nx\r\n'
    b'--B\r\nContent-Disposition: form-data; name="key"; filename="key.bin"\r\n\r\n\xff\x00\r\n--B--\r\n'
)  # fmt: skip


@pytest.mark.parametrize(
    "content_type",
    ["multipart/form-data; boundary=B", 'multipart/form-data; Boundary="B"', 'multipart/form-data; boundary = "B"'],
)
def test_multipart(content_type: str) -> None:
    """Fields of a form in parts are replaced by their names; a file stays, whatever its field is called."""
    found = filter_multipart(FORM, content_type, is_secret_parameter, _hide, Rules("x", [("a", None)]), str)
    assert found == (
        b'--B\r\nContent-Disposition: form-data; name="password"\r\n\r\n***\r\n'
        b'--B\r\nContent-Disposition: form-data; name="key"; filename="key.bin"\r\n\r\n\xff\x00\r\n--B--\r\n'
    )  # fmt: skip


def test_multipart_with_names_that_are_tokens() -> None:
    """A name may go without quotes (RFC 9110 section 5.6.6)."""
    form = FORM.replace(b'name="password"', b"Name = password")
    found = filter_multipart(form, "multipart/form-data; boundary=B", is_secret_parameter, _hide, NONE, str)
    assert b"hunter2" not in found
    assert b"password\r\n\r\n***\r\n" in found


def test_multipart_by_rule() -> None:
    """A file that is asked for is replaced; without a boundary, nothing is."""
    rules = Rules("x", [("key", "new")])
    assert b'"key.bin"\r\n\r\nnew\r\n--B--' in filter_multipart(
        FORM, "multipart/form-data; boundary=B", lambda name: False, _hide, rules, str
    )
    assert filter_multipart(FORM, "multipart/form-data", is_secret_parameter, _hide, rules, str) == FORM


def test_parts_of_multipart_that_nobody_names() -> None:
    """A part that no rule and no name is about goes through another filter, byte by byte."""
    content_type = "multipart/form-data; boundary=B"
    found = filter_multipart(
        FORM, content_type, lambda name: False, _hide, NONE, lambda text: text.replace("\xff", "\xfe")
    )
    assert found == FORM.replace(b"\xff", b"\xfe")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/next?code=abc&state=1", "/next?code=***&state=1"),
        ("https://e.org/?mine=1&token=x#token=y", "https://e.org/?mine=M&token=***#token=***"),
        ("https://app.example/cb#access_token=x&state=1", "https://app.example/cb#access_token=***&state=1"),
        ("/cb;jsessionid=a#out=1&token=x", "/cb;jsessionid=***#&token=***"),
        ("/a#section", "/a#section"),
        ("</a?page=2&token=x>; rel=next, </b?token=y>", "</a?page=2&token=***>; rel=next, </b?token=***>"),
        ("0; url=/x?token=y", "0; url=/x?token=***"),
        ("no query; token=x", "no query; token=x"),
        ("/x?out=1&a=2", "/x?&a=2"),
        ("/x?a=2&out=1", "/x?a=2"),
        ("/x?token=", "/x?token="),
    ],
)
def test_urls_in_fields(text: str, expected: str) -> None:
    """Parameters of URLs in fields, such as Location and Link, are replaced like those of the request's own."""
    rules = Rules("x", [("mine", "M"), ("out", None)])
    assert hide_parameters(text, is_secret_parameter, _hide, rules) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"u": "https://e.org/x?sig=a%2Fb&n=1"}', '{"u": "https://e.org/x?sig=***&n=1"}'),
        ('{"u": "https://e.org/x?n=1\\u0026sig=a\\u0026m=2"}', '{"u": "https://e.org/x?n=1\\u0026sig=***\\u0026m=2"}'),
        ('{"u": "https:\\/\\/e.org\\/x?sig=a&n=1"}', '{"u": "https:\\/\\/e.org\\/x?sig=***&n=1"}'),
        ('<a href="/x?n=1&amp;token=a">x</a>', '<a href="/x?n=1&amp;token=***">x</a>'),
        ('{"u": "https://e.org/cb#id_token=a&n=1"}', '{"u": "https://e.org/cb#id_token=***&n=1"}'),
        ("is it so? token=x; key=y", "is it so? token=x; key=y"),
        ("x = a ?b.key=c : d;", "x = a ?b.key=c : d;"),
    ],
)
def test_urls_in_texts(text: str, expected: str) -> None:
    """So are those in a body; what only looks a little like it stays."""
    assert hide_parameters(text, is_secret_parameter, _hide, NONE, in_text=True) == expected


# -- JSON


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"access_token": "a\\"b", "n": 1}', '{"access_token": "***", "n": 1}'),
        ('{"password" :\n"x","tokens":["a", "b"]}', '{"password" :\n"***","tokens":["***", "***"]}'),
        ('{"tokens": [{"id": "a", "token": "b"}]}', '{"tokens": [{"id": "a", "token": "***"}]}'),
        ('{"token": "", "total_tokens": 5, "token": null}', '{"token": "", "total_tokens": 5, "token": null}'),
        ('{"token_type": "bearer", "token_endpoint": "/t"}', '{"token_type": "bearer", "token_endpoint": "/t"}'),
        ('{"mine": {"Token": "kept"}}', '{"mine": {"Token": "kept"}}'.replace("kept", "***")),
        ('{"jwt": "kept", "a": "\\"jwt\\": \\"x\\""}', '{"jwt": "kept", "a": "\\"jwt\\": \\"x\\""}'),
        ('{"token": "a"}\n{"token": "b"}', '{"token": "***"}\n{"token": "***"}'),
        ('data: {"token": "a"}\n\n', 'data: {"token": "***"}\n\n'),
        ('{"to\\u006ben": "a"}', '{"to\\u006ben": "***"}'),
        ('{"Body": "{\\"token\\": \\"a\\", \\"n\\": 1}"}', '{"Body": "{\\"token\\": \\"***\\", \\"n\\": 1}"}'),
        ('["\\n [{\\"token\\": \\"a\\u20ac\\"}, \\"ü\\"]"]', '["\\n [{\\"token\\": \\"***\\"}, \\"\\u00fc\\"]"]'),
        ('["{\\"n\\": \\"\\u20ac\\/\\"}"]', '["{\\"n\\": \\"\\u20ac\\/\\"}"]'),
        ('a "token b', 'a "token b'),
        ('<script>x = {"csrfToken": "a"}</script>', '<script>x = {"csrfToken": "***"}</script>'),
    ],
)
def test_members(text: str, expected: str) -> None:
    """Texts of members that are secrets are hidden wherever there is JSON; nothing else changes, not even a blank."""
    assert hide_members(text, {"jwt"}, _hide) == expected


MUCH = {
    "quotes": '"' * 100_001,
    "escapes": '"a\\' * 50_000,
    "lists": '"token": [' * 20_000,
    "members": '"token":"a",' * 20_000,
    "items": '"token": [' + '["a", ' * 20_000,
    "colons": '"token"' + ":" * 100_000,
    "blanks": ('"token"' + " " * 1_000) * 100,
    "urls": "http://a/?" * 20_000,
    "paths": "=/" * 50_000,
    "parameters": "/x?" + "&token" * 50_000,
    "fragments": "http://a/#" * 20_000,
    "documents": '"{' * 50_000,
    "a form": "a=b&" * 50_000 + "<",
}


@pytest.mark.parametrize("name", MUCH)
@pytest.mark.timeout(10)
def test_much_text_is_no_problem(name: str) -> None:
    """The time that it takes does not grow faster than the text, whatever is in it."""
    hide_members(MUCH[name], (), _hide)
    hide_parameters(MUCH[name], is_secret_parameter, _hide, NONE, in_text=True)
    is_form(MUCH[name])


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("name", {"name": "***", "user": {"name": "b", "phones": ["1", "2"]}, "n": 1.5, "ü": None}),
        ("user.name", {"name": "a", "user": {"name": "***", "phones": ["1", "2"]}, "n": 1.5, "ü": None}),
        ("user.phones.1", {"name": "a", "user": {"name": "b", "phones": ["1", "***"]}, "n": 1.5, "ü": None}),
        ("user.phones.*", {"name": "a", "user": {"name": "b", "phones": ["***", "***"]}, "n": 1.5, "ü": None}),
        ("*.name", {"name": "a", "user": {"name": "***", "phones": ["1", "2"]}, "n": 1.5, "ü": None}),
        ("**.name", {"name": "***", "user": {"name": "***", "phones": ["1", "2"]}, "n": 1.5, "ü": None}),
        ("user", {"name": "a", "user": "***", "n": 1.5, "ü": None}),
        ("n", {"name": "a", "user": {"name": "b", "phones": ["1", "2"]}, "n": "***", "ü": None}),
        ("ü", {"name": "a", "user": {"name": "b", "phones": ["1", "2"]}, "n": 1.5, "ü": None}),
        ("no.such", {"name": "a", "user": {"name": "b", "phones": ["1", "2"]}, "n": 1.5, "ü": None}),
        ("**", {"name": "a", "user": {"name": "b", "phones": ["1", "2"]}, "n": 1.5, "ü": None}),
    ],
)
def test_paths(path: str, expected: Any) -> None:
    """A path leads through names and positions; * is any of them, ** any number; null stays, for it hides nothing."""
    text = '{"name":"a","user":{"name":"b","phones":["1","2"]},"n":1.5,"ü":null}'
    found = filter_json(text, _hide, Rules("x", [path]))
    assert json.loads(found) == expected
    assert found == json.dumps(expected, separators=(",", ":"), ensure_ascii=False)


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (None, '{"b": [2]}'),
        (0, '{"a": 0, "b": [2]}'),
        (lambda key, value, request: value + 1, '{"a": 2, "b": [2]}'),
    ],
    ids=["none", "zero", "function"],
)
def test_rules_for_paths(rule: Any, expected: str) -> None:
    """What stands in the place of a member may be any value, or nothing."""
    assert filter_json('{"a": 1, "b": [2]}', _hide, Rules("x", [("a", rule)])) == expected


@pytest.mark.parametrize("text", ["", "no json", '{"b":   1}', "[" * 100_000, "7"])
def test_what_no_path_leads_to(text: str) -> None:
    """What is no JSON, and JSON without the member, stays as it was written."""
    assert filter_json(text, _hide, Rules("x", ["a"])) == text


def test_items_are_taken_out() -> None:
    """None takes items out of a list."""
    assert filter_json("[[1,2],[3,4]]", _hide, Rules("x", [("*.0", None)])) == "[[2],[4]]"
