"""Challenges as servers write them, well and badly."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiohttpclient.client._challenges import (
    CHALLENGES,
    PARAMETERS,
    Challenge,
    parse_challenges,
    parse_parameters,
    quoted,
)


def found(*values: str) -> list[tuple[str, str | dict[str, str]]]:
    return [(one.scheme, one.token68 or one.parameters) for one in parse_challenges(values)]


# -- what the grammar allows

WELL_FORMED: dict[str, list[tuple[str, str | dict[str, str]]]] = {
    # RFC 9110 section 11.6.1
    'Basic realm="simple", Newauth realm="apps", type=1, title="Login to \\"apps\\""': [
        ("basic", {"realm": "simple"}),
        ("newauth", {"realm": "apps", "type": "1", "title": 'Login to "apps"'}),
    ],
    # RFC 7617 section 2.1
    'Basic realm="foo", charset="UTF-8"': [("basic", {"realm": "foo", "charset": "UTF-8"})],
    # RFC 6750 section 3
    'Bearer realm="example",\terror="invalid_token",\terror_description="The access token expired"': [
        ("bearer", {"realm": "example", "error": "invalid_token", "error_description": "The access token expired"})
    ],
    # a scheme alone, and with a token68
    "Negotiate": [("negotiate", {})],
    "Negotiate, NTLM": [("negotiate", {}), ("ntlm", {})],
    "Negotiate YII+/w==": [("negotiate", "YII+/w==")],
    'Negotiate YII= , NTLM TlR-._~+/== , Basic realm="x"': [
        ("negotiate", "YII="),
        ("ntlm", "TlR-._~+/=="),
        ("basic", {"realm": "x"}),
    ],
    "Negotiate a": [("negotiate", "a")],
    # a challenge between two others without parameters
    'NTLM, Digest realm="r", nonce="n", Negotiate': [
        ("ntlm", {}),
        ("digest", {"realm": "r", "nonce": "n"}),
        ("negotiate", {}),
    ],
    # a comma, an equals sign and the name of a scheme in quotes
    'Digest realm="a, Basic realm=b", nonce="x=="': [("digest", {"realm": "a, Basic realm=b", "nonce": "x=="})],
    'Basic realm="back\\\\slash \\a"': [("basic", {"realm": "back\\slash a"})],
    'Basic realm=""': [("basic", {"realm": ""})],
    # the case of names does not matter
    'DIGEST ReAlM="R"': [("digest", {"realm": "R"})],
    # empty elements, and blanks around what stands in a list
    ' , ,Basic ,realm="x",, charset="UTF-8" , ': [("basic", {"realm": "x", "charset": "UTF-8"})],
    'Basic realm = "x" ,\t charset\t=\tutf-8': [("basic", {"realm": "x", "charset": "utf-8"})],
    'Digest realm="x",nonce="y",qop="auth,auth-int",algorithm=MD5-sess': [
        ("digest", {"realm": "x", "nonce": "y", "qop": "auth,auth-int", "algorithm": "MD5-sess"})
    ],
    "": [],
}


@pytest.mark.parametrize("value", WELL_FORMED)
def test_well_formed(value: str) -> None:
    """Challenges and their parameters are told apart as RFC 9110 section 11 says."""
    assert found(value) == WELL_FORMED[value]


def test_several_fields() -> None:
    """Several fields are one list, but a parameter belongs to a challenge of its own field."""
    assert found('Digest realm="a"', 'Basic realm="b"') == [("digest", {"realm": "a"}), ("basic", {"realm": "b"})]
    assert found("Negotiate", 'realm="stray"', "NTLM") == [("negotiate", {}), ("ntlm", {})]


# -- what it does not allow, and is there

SLOPPY: dict[str, list[tuple[str, str | dict[str, str]]]] = {
    # no comma between parameters (old CUPS)
    'Digest realm="CUPS" nonce="127.0.0.1"': [("digest", {"realm": "CUPS", "nonce": "127.0.0.1"})],
    # values that want quotes (cameras, printers)
    "Digest realm=IP Camera(1), nonce=a:b==, qop=auth": [("digest", {"realm": "IP", "nonce": "a:b==", "qop": "auth"})],
    "Basic realm=foo bar": [("basic", {"realm": "foo"})],
    "Basic realm=foo bar, Bearer": [("basic", {"realm": "foo"}), ("bearer", {})],
    "Basic realm='single quotes'": [("basic", {"realm": "'single"})],
    "Basic realm=\x00\xff": [("basic", {"realm": "\x00\xff"})],
    # values that are missing; one token68 that is none
    'Digest realm=, nonce="n"': [("digest", {"realm": "", "nonce": "n"})],
    'Digest realm="x", opaque=, stale=': [("digest", {"realm": "x", "opaque": "", "stale": ""})],
    "Basic realm=": [("basic", "realm=")],
    'Negotiate abc=, realm="x"': [("negotiate", {"abc": "", "realm": "x"})],
    # the same name twice
    'Digest nonce="first", nonce="second"': [("digest", {"nonce": "first"})],
    # something between, or behind
    'Basic realm="x"; charset="utf-8", Bearer': [("basic", {"realm": "x"}), ("bearer", {})],
    'Basic realm="x" junk "with, comma" more, error=1': [("basic", {"realm": "x", "error": "1"})],
    'Basic realm="x"charset=utf-8': [("basic", {"realm": "x", "charset": "utf-8"})],
    'Basic "x", realm="y"': [("basic", {"realm": "y"})],
    "Digest Basic realm=x, nonce=n": [("digest", {"nonce": "n"})],
    '@@@, "string", Basic realm="x"': [("basic", {"realm": "x"})],
    # no scheme
    'realm="x", nonce="y"': [],
    '="x"': [],
    'Basic:realm="x"': [],
    "Basic\nrealm=x": [],
    # a string that does not end: what is in it, and behind it, does not count
    'Basic realm="x': [("basic", {})],
    'Digest nonce="n", realm="x, Basic realm=y': [("digest", {"nonce": "n"})],
    'Digest nonce="n", realm="x\\", Basic': [("digest", {"nonce": "n"})],
    'Basic realm=x", Digest nonce=y': [("basic", {"realm": "x"})],
}


@pytest.mark.parametrize("value", SLOPPY)
def test_sloppy(value: str) -> None:
    """What breaks the grammar is understood where it can only mean one thing, and left out otherwise."""
    assert found(value) == SLOPPY[value]


def test_a_field_that_ends_early_leaves_the_next_alone() -> None:
    """A string without an end takes the rest of its own field with it, and no other."""
    assert found('Digest realm="x, nonce=y', 'Basic realm="z"') == [("digest", {}), ("basic", {"realm": "z"})]


# -- bounds


def test_challenges_are_bounded() -> None:
    """Challenges after the first ``CHALLENGES`` are dropped, and their parameters go to nobody."""
    many = parse_challenges(['A x="1", ' * CHALLENGES + 'B y="2", z="3"', 'C z="4"'])
    assert [one.scheme for one in many] == ["a"] * CHALLENGES
    assert all(one.parameters == {"x": "1"} for one in many)


def test_parameters_are_bounded() -> None:
    """Of one challenge the first ``PARAMETERS`` are kept."""
    [one] = parse_challenges(["A " + ", ".join(f"n{number}={number}" for number in range(PARAMETERS + 8))])
    assert list(one.parameters) == [f"n{number}" for number in range(PARAMETERS)]


@pytest.mark.parametrize(
    "unit", ['a="', 'a="\\', "a=", "a ", "a,", '"', "\\", " ", ",", "=", "a a=", 'a=" ,', '"\\" ', "a==,", "a= ,"]
)
@pytest.mark.parametrize("before", ["", "A ", 'A x="'])
def test_hostile_fields(before: str, unit: str) -> None:
    """A field of 100,000 characters costs one walk through it, whatever it repeats."""
    assert len(parse_challenges([before + unit * (100_000 // len(unit))])) <= CHALLENGES


@given(st.lists(st.text(st.sampled_from('aB=", \\\t;\n\xff'), max_size=40), max_size=4))
def test_garbage_never_raises(values: list[str]) -> None:
    """Whatever a field holds, it gives challenges with names in lower case, or none."""
    for one in parse_challenges(values):
        assert one.scheme
        assert one.scheme == one.scheme.lower()
        assert not (one.token68 and one.parameters)
        assert all(name and name == name.lower() for name in one.parameters)


@given(st.text(max_size=80))
def test_any_text_never_raises(value: str) -> None:
    """Nor does text that no field can hold."""
    assert len(parse_challenges([value])) <= CHALLENGES
    assert len(parse_parameters(value)) <= PARAMETERS


# -- round trip

TOKEN = st.text(st.sampled_from("abcxyz019!#$%&'*+-.^_`|~"), min_size=1, max_size=8)
VALUE = st.text(st.characters(min_codepoint=0x20, max_codepoint=0xFF, exclude_characters="\x7f"), max_size=20)
BLANKS = st.sampled_from(["", " ", "\t", "  "])
COMMA = st.tuples(BLANKS, st.sampled_from([",", ",,", ", ,"]), BLANKS).map("".join)


@st.composite
def written(draw: st.DrawFn) -> tuple[list[Challenge], str]:
    """Challenges, and one way to write them."""
    challenges = draw(
        st.lists(
            st.builds(Challenge, TOKEN, st.none(), st.dictionaries(TOKEN, VALUE, max_size=4))
            | st.builds(Challenge, TOKEN, st.text("aZ0-._~+/", min_size=1).map(lambda text: f"{text}=")),
            max_size=4,
        )
    )
    parts = []
    for one in challenges:
        equals = draw(BLANKS) + "=" + draw(BLANKS)
        text = one.scheme
        if one.token68:
            text += f" {one.token68}"
        elif one.parameters:
            text += " " + draw(COMMA).join(f"{name}{equals}{quoted(value)}" for name, value in one.parameters.items())
        parts.append(text)
    return challenges, draw(COMMA).join(parts)


@given(written())
def test_round_trip(case: tuple[list[Challenge], str]) -> None:
    """What is written by the grammar is read as it was meant."""
    challenges, text = case
    assert parse_challenges([text]) == challenges


# -- fields without a scheme


@pytest.mark.parametrize(
    ("value", "parameters"),
    [
        ('nextnonce="n2", qop=auth, rspauth="6629"', {"nextnonce": "n2", "qop": "auth", "rspauth": "6629"}),
        ('NextNonce = "a, b"', {"nextnonce": "a, b"}),
        ('Digest nextnonce="n2"', {}),
        ("", {}),
        ('nextnonce="n2', {}),
    ],
)
def test_parameters_without_scheme(value: str, parameters: dict[str, str]) -> None:
    """``Authentication-Info`` has parameters only (RFC 9110 section 11.6.3)."""
    assert parse_parameters(value) == parameters


@given(VALUE)
def test_quoted(text: str) -> None:
    """A text in quotes is read as that text."""
    assert parse_parameters(f"a={quoted(text)}") == {"a": text}
