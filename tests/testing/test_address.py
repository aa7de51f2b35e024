"""Where a server or a proxy is, before its block and in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from aiohttpclient.testing import FaultProxy, LoopbackServer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from aiohttpclient.testing._address import Addressed

both = pytest.mark.parametrize(
    ("make", "name", "called"),
    [
        (LoopbackServer, "LoopbackServer", "server"),
        (lambda **at: FaultProxy("127.0.0.1", 1, **at), "FaultProxy", "proxy"),
    ],
    ids=["server", "proxy"],
)


@both
def test_before_the_block(make: Callable[..., Addressed], name: str, called: str) -> None:
    """Before its block a thing has no address, but the path that it was given."""
    for attribute in ("host", "port", "netloc"):
        with pytest.raises(RuntimeError) as caught:
            getattr(make(), attribute)
        block = f"`async with {name}(...) as {called}:`"
        assert str(caught.value) == f"the {called} has no address before its block: {block}"
    assert make().path is None
    assert make(path="socket").path == "socket"
    assert (repr(make()), repr(make(path="socket"))) == (f"<{name} before its block>", f"<{name} socket>")


@both
async def test_in_the_block(make: Callable[..., FaultProxy], name: str, called: str, tmp_path: Path) -> None:
    """In its block it has one, which stands in URLs as URLs want it."""
    async with make() as thing:
        assert (thing.host, thing.netloc, thing.path) == ("127.0.0.1", f"127.0.0.1:{thing.port}", None)
        assert thing.port > 0
    async with make(host="::1") as thing:
        assert (thing.host, thing.netloc) == ("::1", f"[::1]:{thing.port}")
        assert repr(thing) == f"<{name} [::1]:{thing.port}>"
    path = tmp_path / "socket"
    async with make(path=path) as thing:
        assert (thing.host, thing.port, thing.netloc, thing.path) == ("localhost", 0, "localhost", str(path))


@both
async def test_one_block(make: Callable[..., FaultProxy], name: str, called: str) -> None:
    """There is one block for each."""
    thing = make()
    async with thing:
        pass
    with pytest.raises(RuntimeError, match=f"^a {name} is used for one block: make another one$"):
        async with thing:
            pass
