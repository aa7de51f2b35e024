"""``client/_pipeline.py``."""

from __future__ import annotations

from typing import Any

from aiohttpclient.client._pipeline import ORDER, compose, in_order
from aiohttpclient.client._request import Request


async def test_order() -> None:
    """The first middleware is the outermost: it sees a request first, and its answer last."""
    seen: list[str] = []

    def named(name: str) -> Any:
        async def middleware(request: Request, call_next: Any) -> Any:
            seen.append(f"{name} down")
            answer = await call_next(request)
            seen.append(f"{name} up")
            return answer

        return middleware

    async def send(request: Request) -> Any:
        seen.append(request.method)
        return "answer"

    handler = compose([named("a"), named("b")], send)
    assert await handler(Request("GET", "http://a/")) == "answer"  # type: ignore[comparison-overlap]  # a fake
    assert seen == ["a down", "b down", "GET", "b up", "a up"]


def test_the_callers_are_outermost() -> None:
    """What a caller brings stands before what the client has, whose order is fixed."""
    own: Any = {name: f"own {name}" for name in reversed(ORDER)}
    given: Any = ["mine", "and mine"]
    ordered: list[Any] = in_order(own, given)
    assert ordered == ["mine", "and mine", *(f"own {name}" for name in ORDER)]


def test_nothing_around() -> None:
    """Without middlewares the handler is the handler."""

    async def send(request: Request) -> Any:
        return None

    assert compose([], send) is send
