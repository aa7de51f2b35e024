"""Basic and Bearer: what is sent, what is refused, that nothing shows, and who fetches a token."""

from __future__ import annotations

import asyncio
import base64
import copy
import pickle
import traceback
from typing import TYPE_CHECKING, Any

import pytest

from aiohttpclient.client._auth import BasicAuth, BearerAuth, as_auth
from aiohttpclient.client._digest import DigestAuth
from aiohttpclient.client._netrc import NetrcAuth

from .fakes_auth import request, stream

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from aiohttpclient.client._auth import Auth

USER, SECRET = "al1ce", "s3cret~word"


async def field_of(auth: Auth) -> str | None:
    """What ``auth`` writes into a request."""
    made = request()
    await auth.authorize(made)
    return made.headers.get("Authorization")


def shown(error: pytest.ExceptionInfo[BaseException]) -> str:
    """All that a log would have of an error, chained ones and notes included, but for the lines of this file."""
    lines = traceback.format_exception(error.value)
    return "".join(line for line in lines if __file__ not in line)


# -- Basic


@pytest.mark.parametrize(
    ("username", "password", "encoding", "field"),
    [
        ("Aladdin", "open sesame", "utf-8", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="),  # RFC 7617 section 2
        ("test", "123\u00a3", "utf-8", "Basic dGVzdDoxMjPCow=="),  # RFC 7617 section 2.1
        ("test", "123\u00a3", "iso-8859-1", "Basic dGVzdDoxMjOj"),
        ("", "", "utf-8", "Basic Og=="),
        ("user", "a:b:c", "utf-8", "Basic " + base64.b64encode(b"user:a:b:c").decode()),
    ],
)
async def test_basic(username: str, password: str, encoding: str, field: str) -> None:
    """User name and password stand in base64, with a colon between."""
    assert await field_of(BasicAuth(username, password, encoding)) == field


async def test_basic_long() -> None:
    """However long they are, the field is one line."""
    field = await field_of(BasicAuth("u" * 200, "p" * 2000))
    assert field is not None
    assert base64.b64decode(field.removeprefix("Basic "), validate=True) == b"u" * 200 + b":" + b"p" * 2000


@pytest.mark.parametrize("control", ["\0", "\t", "\n", "\r", "\x1f", "\x7f"])
def test_basic_refuses_controls(control: str) -> None:
    """Control characters are refused in both, and the error shows neither (RFC 7617 section 2)."""
    for username, password in ((f"{USER}{control}", SECRET), (USER, f"{SECRET}{control}")):
        with pytest.raises(ValueError, match="control") as error:
            BasicAuth(username, password)
        assert USER not in shown(error)
        assert SECRET not in shown(error)


def test_basic_refuses_colon() -> None:
    """A colon in the user name would begin the password (RFC 7617 section 2)."""
    with pytest.raises(ValueError, match="colon") as error:
        BasicAuth(f"{USER}:x", SECRET)
    assert USER not in shown(error)


@pytest.mark.parametrize("make", [BasicAuth, DigestAuth])
@pytest.mark.parametrize(("text", "encoding"), [("\u20ac", "iso-8859-1"), ("\ud800", "utf-8"), ("\xe9", "ascii")])
def test_characters_that_the_encoding_lacks(make: Callable[..., Auth], text: str, encoding: str) -> None:
    """What cannot be encoded is refused, without the codec's error, which has the whole secret in it."""
    for username, password in ((USER + text, SECRET), (USER, SECRET + text)):
        with pytest.raises(ValueError, match=encoding) as error:
            make(username, password, encoding)
        assert not isinstance(error.value, UnicodeError)
        assert error.value.__context__ is None
        assert SECRET not in shown(error)
        assert USER not in shown(error)


@pytest.mark.parametrize("make", [BasicAuth, DigestAuth])
def test_secrets_are_text(make: Callable[..., Auth]) -> None:
    """Bytes are refused: which encoding they have is not known."""
    with pytest.raises(TypeError, match="password is a str, not bytes") as error:
        make(USER, SECRET.encode())
    assert SECRET not in shown(error)


async def test_basic_gives_up() -> None:
    """The same credentials are not sent a second time."""
    made = request()
    assert await BasicAuth(USER, SECRET).answer(made, stream(made, 401)) is False


# -- what auth= takes


async def test_as_auth() -> None:
    """None is nobody, a tuple is Basic, and what can authorize is itself."""
    assert as_auth(None) is None
    made = as_auth(("Aladdin", "open sesame"))
    assert made is not None
    assert await field_of(made) == "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="
    for auth in (BasicAuth("a", "b"), BearerAuth("t"), DigestAuth("a", "b"), NetrcAuth(), CallableAuth()):
        assert as_auth(auth) is auth


class CallableAuth(BasicAuth):
    """One that can be called besides."""

    def __init__(self) -> None:
        super().__init__("a", "b")

    def __call__(self) -> None: ...


@pytest.mark.parametrize(
    ("value", "hint"),
    [
        ((USER, SECRET, "x"), "two str"),
        ((USER,), "two str"),
        ((USER, None), "two str"),
        ((USER, SECRET.encode()), "two str"),
        ([USER, SECRET], "not list"),
        (f"{USER}:{SECRET}", "not str"),
        (SECRET.encode(), "not bytes"),
        ({USER: SECRET}, "not dict"),
        (0, "not int"),
        (BasicAuth, r"not a class: BasicAuth\("),
        (lambda: SECRET, r"BearerAuth\("),
    ],
)
def test_as_auth_refuses(value: object, hint: str) -> None:
    """Anything else is a TypeError, which says what to do, and not what it was given."""
    with pytest.raises(TypeError, match=hint) as error:
        as_auth(value)
    assert USER not in shown(error)
    assert SECRET not in shown(error)


# -- what does not show, and what travels

EACH = [BasicAuth(USER, SECRET), BearerAuth(SECRET), BearerAuth(lambda: SECRET), DigestAuth(USER, SECRET)]


@pytest.mark.parametrize("auth", EACH, ids=repr)
async def test_repr(auth: Auth) -> None:
    """``repr`` shows neither user name nor password, before and after use."""
    for _ in range(2):
        assert repr(auth) == f"<{type(auth).__name__}>"
        await field_of(auth)


def give_token() -> str:
    """A function that pickles."""
    return "t1"


@pytest.mark.parametrize("auth", [BasicAuth("a", "b"), BearerAuth("t1"), BearerAuth(give_token)], ids=repr)
async def test_pickle(auth: Auth) -> None:
    """An auth goes to other processes, and is the same there."""
    field = await field_of(auth)
    for other in (pickle.loads(pickle.dumps(auth)), copy.copy(auth), copy.deepcopy(auth)):
        assert other is not auth
        assert await field_of(other) == field


# -- Bearer


@pytest.mark.parametrize("token", ["mF_9.B5f-4.1JqM", "a", "~+/-._A9==", "1|sanctum", "a:b", "{}"])
async def test_bearer(token: str) -> None:
    """The token stands as it is (RFC 6750 section 2.1), also one that has other visible characters in it."""
    assert await field_of(BearerAuth(token)) == f"Bearer {token}"


BAD_TOKENS = ["", " ", f"{SECRET} x", f"{SECRET}\r\nX: y", f"{SECRET}\n", f"\t{SECRET}", f"{SECRET}\0", f"{SECRET}\xe9"]


@pytest.mark.parametrize("token", BAD_TOKENS)
async def test_bearer_refuses(token: str) -> None:
    """Blanks, controls and what is not ASCII are refused, given or fetched, and the error does not show them."""
    with pytest.raises(ValueError, match="visible ASCII") as error:
        BearerAuth(token)
    assert SECRET not in shown(error)
    with pytest.raises(ValueError, match="visible ASCII") as error:
        await field_of(BearerAuth(lambda: token))
    assert SECRET not in shown(error)


@pytest.mark.parametrize("token", [None, SECRET.encode(), 1])
async def test_bearer_wants_text(token: Any) -> None:
    """A token is text, given or fetched."""
    with pytest.raises(TypeError, match=type(token).__name__):
        BearerAuth(token)
    with pytest.raises(TypeError, match=type(token).__name__):
        await field_of(BearerAuth(lambda: token))


async def test_fixed_token_is_final() -> None:
    """A token that was given is not sent twice to who refuses it."""
    made = request()
    assert await BearerAuth("t").answer(made, stream(made, 401)) is False


class Source:
    """Gives the tokens t1, t2 ..., each when it is let."""

    def __init__(self, tokens: list[str] | None = None) -> None:
        self.calls = 0
        self.cancelled = 0
        self.tokens = tokens
        self.gate = asyncio.Event()
        self.gate.set()
        self.error: BaseException | None = None

    async def __call__(self) -> str:
        self.calls += 1
        number = self.calls
        try:
            await self.gate.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        if self.error is not None:
            raise self.error
        return f"t{number}" if self.tokens is None else self.tokens[number - 1]


async def turns(count: int = 5) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def test_token_is_kept() -> None:
    """The function is called when a token is first needed, and not again while nobody is refused."""
    source = Source()
    auth = BearerAuth(source)
    assert source.calls == 0
    assert [await field_of(auth) for _ in range(3)] == ["Bearer t1"] * 3
    assert source.calls == 1


@pytest.mark.parametrize("give", [lambda: "t1", lambda: asyncio.sleep(0, "t1")], ids=["plain", "awaitable"])
async def test_kinds_of_functions(give: Callable[[], str | Awaitable[str]]) -> None:
    """A plain function does as well, and so does one that gives an awaitable."""
    assert await field_of(BearerAuth(give)) == "Bearer t1"


async def test_refresh_once_for_a_request() -> None:
    """A 401 fetches another token; a second one to the same request does not, a later request may."""
    source = Source()
    auth = BearerAuth(source)
    for number in (1, 2):
        made = request()
        await auth.authorize(made)
        assert await auth.answer(made, stream(made, 401)) is True
        again = made.copy()
        await auth.authorize(again)
        assert again.headers["Authorization"] == f"Bearer t{number + 1}"
        assert await auth.answer(again, stream(again, 401)) is False
        assert source.calls == number + 1


async def test_the_same_token_again() -> None:
    """A function that gives the refused token once more has nothing better; the request is not repeated."""
    auth = BearerAuth(Source(["t1", "t1"]))
    made = request()
    await auth.authorize(made)
    assert await auth.answer(made, stream(made, 401)) is False


async def test_refusal_without_asking() -> None:
    """A token that is refused where nobody can be asked is forgotten, and the next request fetches another."""
    source = Source()
    auth = BearerAuth(source)
    made, late = request(), request()
    for one in (made, late):
        await auth.authorize(one)
    assert auth.refused(made, stream(made, 401)) is True
    assert source.calls == 1
    again = made.copy()
    await auth.authorize(again)
    assert (again.headers["Authorization"], source.calls) == ("Bearer t2", 2)
    assert auth.refused(again, stream(again, 401)) is False
    assert auth.refused(late, stream(late, 401)) is True
    assert await field_of(auth) == "Bearer t2"


async def test_refusal_of_what_cannot_be_fetched() -> None:
    """A token that was given is not forgotten, and neither is one for another origin."""
    made = request()
    for auth, origin in ((BearerAuth("t"), made.url_text), (BearerAuth(Source()), "http://other.example/")):
        await auth.authorize(made)
        assert auth.refused(made, stream(request(origin), 401)) is False
        assert await field_of(auth) == made.headers["Authorization"]


async def test_refused_while_others_are_told() -> None:
    """A token that is refused before all who wait for it have gone on is fetched once more for these."""
    source = Source()
    source.gate.clear()
    auth = BearerAuth(source)
    made, other = request(), request()
    first = asyncio.create_task(auth.authorize(made))
    second = asyncio.create_task(auth.authorize(other))

    def refuse(task: asyncio.Task[None]) -> None:
        assert auth.refused(made, stream(made, 401)) is True

    first.add_done_callback(refuse)
    await turns()
    source.gate.set()
    await asyncio.gather(first, second)
    await field_of(auth)
    assert other.headers["Authorization"] in {"Bearer t1", "Bearer t2"}
    assert source.calls == 2


async def test_refresh_is_shared() -> None:
    """Requests that are all refused with the same token fetch one new token, also those that are told late."""
    source = Source()
    auth = BearerAuth(source)
    made = [request() for _ in range(20)]
    await asyncio.gather(*(auth.authorize(one) for one in made))
    assert source.calls == 1
    source.gate.clear()
    answers = [asyncio.create_task(auth.answer(one, stream(one, 401))) for one in made[:19]]
    await turns()
    source.gate.set()
    assert await asyncio.gather(*answers) == [True] * 19
    assert await auth.answer(made[19], stream(made[19], 401)) is True
    assert source.calls == 2
    assert await field_of(auth) == "Bearer t2"


@pytest.mark.parametrize("victim", [0, 1, 2])
async def test_cancelling_one_leaves_the_others(victim: int) -> None:
    """Whoever of those that wait is cancelled, also the first, the others get the token of the one call."""
    source = Source()
    source.gate.clear()
    auth = BearerAuth(source)
    waiting = [asyncio.create_task(field_of(auth)) for _ in range(3)]
    await turns()
    waiting[victim].cancel()
    await turns()
    source.gate.set()
    results = await asyncio.gather(*waiting, return_exceptions=True)
    assert isinstance(results.pop(victim), asyncio.CancelledError)
    assert results == ["Bearer t1"] * 2
    assert (source.calls, source.cancelled) == (1, 0)


async def test_cancelling_all_ends_the_call() -> None:
    """With the last that waits the call is cancelled, and has ended before that one does; the next begins anew."""
    source = Source()
    source.gate.clear()
    auth = BearerAuth(source)
    waiting = [asyncio.create_task(field_of(auth)) for _ in range(3)]
    await turns()
    for task in waiting:
        task.cancel()
    await asyncio.wait(waiting)
    assert source.cancelled == 1
    source.gate.set()
    assert await field_of(auth) == "Bearer t2"


async def test_a_newcomer_does_not_join_a_cancelled_call() -> None:
    """Whoever comes while a call is being cancelled gets one of his own."""
    calls = []
    cleaned = asyncio.Event()

    async def slow_to_die() -> str:
        calls.append(1)
        if len(calls) > 1:
            return "t2"
        try:
            await asyncio.Event().wait()
        finally:
            await cleaned.wait()
        return "t1"

    auth = BearerAuth(slow_to_die)
    first = asyncio.create_task(field_of(auth))
    await turns()
    first.cancel()
    await turns()
    assert await field_of(auth) == "Bearer t2"
    assert not first.done()
    cleaned.set()
    await asyncio.wait([first])
    assert first.cancelled()


async def test_cancelled_in_the_tick_of_the_token() -> None:
    """Cancelled when the token is there already, a request ends as cancelled, and the token is kept."""
    source = Source()
    source.gate.clear()
    auth = BearerAuth(source)
    task = asyncio.create_task(field_of(auth))
    await turns()
    source.gate.set()
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()
    assert await field_of(auth) == f"Bearer t{source.calls}"


async def test_failure_is_everyones() -> None:
    """What the function raises is raised to all who wait, and the next request calls it again."""
    source = Source()
    source.gate.clear()
    source.error = RuntimeError("no token today")
    auth = BearerAuth(source)
    waiting = [asyncio.create_task(field_of(auth)) for _ in range(3)]
    await turns()
    source.gate.set()
    results = await asyncio.gather(*waiting, return_exceptions=True)
    assert [str(result) for result in results] == ["no token today"] * 3
    assert source.calls == 1
    source.error = None
    assert await field_of(auth) == "Bearer t2"


async def test_failure_that_nobody_waits_for() -> None:
    """A call that fails while it is cancelled leaves no message: there is nobody to tell."""

    async def fails() -> str:
        try:
            await asyncio.Event().wait()
        finally:
            raise ValueError("cleaning up")

    task = asyncio.create_task(field_of(BearerAuth(fails)))
    await turns()
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()


async def test_function_that_cancels_itself() -> None:
    """A function that ends as cancelled, which nobody asked for, does not make its callers look cancelled."""

    def cancelled() -> str:
        raise asyncio.CancelledError

    with pytest.raises(RuntimeError, match="was cancelled"):
        await field_of(BearerAuth(cancelled))


async def test_function_that_waits_for_itself() -> None:
    """A function whose own request has the same auth is told so, and does not wait for ever."""

    async def gives() -> str:
        return str(await field_of(auth))

    auth = BearerAuth(gives)
    with pytest.raises(RuntimeError, match="waits for itself"):
        await field_of(auth)


async def test_a_task_that_the_function_starts() -> None:
    """What the function starts beside itself waits for the token like everybody else, wherever that task begins."""
    beside: list[asyncio.Task[str | None]] = []

    async def gives() -> str:
        beside.append(asyncio.create_task(field_of(auth)))
        await turns()
        return "t1"

    auth = BearerAuth(gives)
    assert await field_of(auth) == "Bearer t1"
    assert [await task for task in beside] == ["Bearer t1"]


async def test_another_origin_is_not_answered() -> None:
    """A challenge that came from another origin than the request was for fetches nothing."""
    source = Source()
    auth = BearerAuth(source)
    made = request("https://example.org/")
    await auth.authorize(made)
    for url in ("https://example.com/", "http://example.org/", "https://example.org:444/"):
        assert await auth.answer(made, stream(request(url), 401)) is False
    assert source.calls == 1
    assert await auth.answer(made, stream(request("https://EXAMPLE.org:443/other"), 401)) is True
