"""What the middleware for ``auth`` sends, how often, and what it leaves alone."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from aiohttpclient.client._auth import BasicAuth, BearerAuth
from aiohttpclient.client._contents import content_payload
from aiohttpclient.client._digest import DigestAuth
from aiohttpclient.client.middlewares._auth import ATTEMPTS, AuthMiddleware, is_replayable
from tests.client.fakes_auth import DigestServer, FakeStream, Server, fake, request

if TYPE_CHECKING:
    from aiohttpclient.client._request import Request
    from aiohttpclient.client._stream import ResponseStream


class Recorder:
    """An auth that writes what number the attempt has, and notes what it is asked."""

    def __init__(self, answer: bool | BaseException = False) -> None:
        self.verdict = answer
        self.authorized: list[Request] = []
        self.answered: list[tuple[Request, FakeStream]] = []
        self.notes: list[Any] = []

    async def authorize(self, request: Request) -> None:
        self.notes.append(request.extensions.setdefault("note", len(self.authorized)))
        self.authorized.append(request)
        request.headers["Authorization"] = f"Attempt {len(self.authorized)}"

    async def answer(self, request: Request, stream: ResponseStream) -> bool:
        self.answered.append((request, fake(stream)))
        if isinstance(self.verdict, BaseException):
            raise self.verdict
        return self.verdict


class Learner(Recorder):
    """One that also looks at answers that are not 401."""

    def __init__(self, error: Exception | None = None) -> None:
        super().__init__()
        self.error = error
        self.accepted_streams: list[FakeStream] = []

    def accepted(self, request: Request, stream: ResponseStream) -> None:
        self.accepted_streams.append(fake(stream))
        if self.error is not None:
            raise self.error


def answering(*statuses: int) -> Server:
    """A server that gives these, and then nothing more."""
    left = list(statuses)
    return Server(lambda _: (left.pop(0), []))


# -- what passes


async def test_without_auth() -> None:
    """Without auth the request passes as it is, and nothing of it is looked at."""
    server = answering(401)
    made = request()
    answer = await AuthMiddleware()(made, server)
    assert server.requests == [made]
    assert made._headers is None
    assert made._extensions is None
    assert (fake(answer).released, fake(answer).closed) == (0, 0)


@pytest.mark.parametrize("name", ["Authorization", "authorization"])
async def test_own_field_wins(name: str) -> None:
    """An ``Authorization`` field of the caller's own is sent as it is, and a 401 to it is not answered."""
    auth = Recorder(True)
    server = answering(401)
    made = request(auth=auth)
    made.headers[name] = "Mine"
    answer = await AuthMiddleware()(made, server)
    assert answer.status == 401
    assert server.requests == [made]
    assert server.fields == ["Mine"]
    assert not auth.authorized
    assert not auth.answered


@pytest.mark.parametrize("auth", [BasicAuth("a", "b"), BearerAuth("t"), Recorder(True)], ids=["basic", "bearer", "own"])
async def test_the_request_stays_clean(auth: Any) -> None:
    """The request that was given has neither credentials nor notes in it afterwards: what is sent is a copy."""
    made = request(auth=auth)
    made.headers["X"] = "y"
    made.extensions["mine"] = 1
    server = answering(401, 401, 401)
    await AuthMiddleware()(made, server)
    assert list(made.headers.items()) == [("X", "y")]
    assert made.extensions == {"mine": 1}
    assert made not in server.requests
    for sent in server.requests:
        assert sent.headers["X"] == "y"
        assert sent.extensions["mine"] == 1
        assert (sent.method, sent.url_text, sent.settings) == (made.method, made.url_text, made.settings)


# -- what is sent again


@pytest.mark.parametrize(
    ("statuses", "verdict", "sent"),
    [
        ([200], True, 1),
        ([403], True, 1),
        ([407], True, 1),
        ([401], False, 1),
        ([401, 200], True, 2),
        ([401, 403], True, 2),
        ([401, 401, 200], True, 3),
        ([401] * (ATTEMPTS + 1), True, ATTEMPTS),
    ],
)
async def test_attempts(statuses: list[int], verdict: bool, sent: int) -> None:
    """A 401 that auth can answer is sent again, ``ATTEMPTS`` times in all; the last answer is the result."""
    auth = Recorder(verdict)
    server = answering(*statuses)
    answer = await AuthMiddleware()(request(auth=auth), server)
    assert fake(answer) is server.streams[-1]
    assert server.statuses == statuses[:sent]
    assert server.fields == [f"Attempt {number}" for number in range(1, sent + 1)]
    assert [one.released for one in server.streams] == [1] * (sent - 1) + [0]
    assert [one.held for one in server.streams] == [int(status == 401) for status in statuses[:sent]]
    assert [one.closed for one in server.streams] == [0] * sent
    assert len(auth.answered) == server.statuses.count(401)


async def test_attempts_are_copies() -> None:
    """Each attempt is a request of its own, with the notes of the ones before, and one field."""
    auth = Recorder(True)
    server = answering(401, 401, 200)
    await AuthMiddleware()(request(auth=auth), server)
    assert len(set(map(id, server.requests))) == 3
    assert auth.authorized == server.requests
    assert auth.answered == list(zip(server.requests[:2], server.streams, strict=False))
    assert auth.notes == [0, 0, 0]
    assert all(len(one.headers.getall("Authorization")) == 1 for one in server.requests)


async def test_released_before_the_next_attempt() -> None:
    """An answer is given up before the request is sent again, so that its connection can carry that."""
    order = []

    class Stream(FakeStream):
        async def release(self) -> None:
            order.append("release")

    async def handler(made: Request) -> Any:
        order.append("send")
        return Stream(made, 401)

    await AuthMiddleware()(request(auth=Recorder(True)), handler)
    assert order == ["send", "release"] * (ATTEMPTS - 1) + ["send"]


async def test_replayable_body_is_sent_again() -> None:
    """A body that can be replayed is sent again with the request."""
    payload = content_payload(b"body")
    server = DigestServer({"u": "p"}, qop="auth-int", body=b"body")
    answer = await AuthMiddleware()(request(method="POST", payload=payload, auth=DigestAuth("u", "p")), server)
    assert answer.status == 200
    assert [one.payload for one in server.requests] == [payload] * 2


async def test_body_for_one_time() -> None:
    """A body that cannot is not sent twice: the 401 is the answer, and what it says is known the next time."""
    auth = DigestAuth("u", "p")
    server = DigestServer({"u": "p"})
    answers = []
    for _ in range(2):
        made = request(method="POST", payload=content_payload(iter([b"body"])), auth=auth)
        assert not is_replayable(made)
        answers.append(await AuthMiddleware()(made, server))
    assert server.statuses == [401, 200]
    assert [(one.released, one.closed) for one in map(fake, answers)] == [(0, 0)] * 2


async def test_token_is_fetched_again() -> None:
    """A token that is refused is replaced, and the request sent with the new one."""
    tokens = iter(["old", "new"])
    auth = BearerAuth(lambda: next(tokens))
    server = Server(lambda made: (200 if made.headers["Authorization"] == "Bearer new" else 401, []))
    for _ in range(2):
        assert (await AuthMiddleware()(request(auth=auth), server)).status == 200
    assert server.fields == ["Bearer old", "Bearer new", "Bearer new"]


class Frank(Recorder):
    """One that can say what it thinks of a 401 without asking anybody."""

    def __init__(self, answer: bool = True) -> None:
        super().__init__(answer)
        self.refusals = 0

    def refused(self, request: Request, stream: ResponseStream) -> bool:
        self.refusals += 1
        return bool(self.verdict)


@pytest.mark.parametrize("verdict", [True, False])
@pytest.mark.parametrize(
    ("frees", "has_room", "asked"), [(True, False, True), (False, True, True), (False, False, False)]
)
async def test_nobody_is_asked_in_the_way(frees: bool, has_room: bool, asked: bool, verdict: bool) -> None:
    """An auth that can do without is not to ask anybody while an answer keeps the last connection that there is."""
    seen = []

    def look(url: str) -> bool:
        seen.append(url)
        return has_room

    auth, other = Frank(verdict), Recorder(verdict)
    for one in (auth, other):
        server = answering(401, 200)
        server.frees = frees
        await AuthMiddleware(look)(request(auth=one), server)
        assert [stream.released for stream in server.streams] == ([1, 0] if verdict else [0])
    assert (auth.refusals, len(auth.answered), len(other.answered)) == (int(not asked), int(asked), 1)
    assert seen == ([] if frees else [request().url_text] * 2)


async def test_nothing_to_set() -> None:
    """An auth that has nothing for this origin lets the request pass without the field."""

    class Silent(Recorder):
        async def authorize(self, request: Request) -> None:
            pass

    server = answering(200)
    await AuthMiddleware()(request(auth=Silent()), server)
    assert server.fields == [None]


# -- what is learned from other answers


async def test_accepted() -> None:
    """An auth that wants to sees each final answer but a 401."""
    auth = Learner()
    auth.verdict = True
    server = answering(401, 200)
    await AuthMiddleware()(request(auth=auth), server)
    assert auth.accepted_streams == server.streams[1:]


# -- what goes wrong


@pytest.mark.parametrize("error", [RuntimeError("no token"), asyncio.CancelledError()], ids=["failed", "cancelled"])
async def test_failing_answer_closes_the_stream(error: BaseException) -> None:
    """When auth fails over a 401, or is cancelled, the answer is closed, and the error passes."""
    server = answering(401)
    with pytest.raises(type(error)):
        await AuthMiddleware()(request(auth=Recorder(error)), server)
    assert [(one.released, one.closed) for one in server.streams] == [(0, 1)]


async def test_failing_accepted_closes_the_stream() -> None:
    """The same goes for an answer that was none."""
    server = answering(200)
    with pytest.raises(RuntimeError, match="odd"):
        await AuthMiddleware()(request(auth=Learner(RuntimeError("odd"))), server)
    assert server.streams[0].closed == 1


async def test_failing_authorize_sends_nothing() -> None:
    """When auth fails before the first attempt, nothing is sent."""

    def no_token() -> str:
        raise RuntimeError("no token")

    server = answering(200)
    with pytest.raises(RuntimeError, match="no token"):
        await AuthMiddleware()(request(auth=BearerAuth(no_token)), server)
    assert not server.requests


async def test_failing_handler() -> None:
    """What fails further in passes, and is not asked about."""

    async def handler(made: Request) -> Any:
        raise OSError("gone")

    auth = Recorder(True)
    with pytest.raises(OSError, match="gone"):
        await AuthMiddleware()(request(auth=auth), handler)
    assert not auth.answered
