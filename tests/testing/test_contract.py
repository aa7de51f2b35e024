"""The contract: the same calls of a client give the same results, wherever the application is that it talks to.

The calls, the application and the places are in ``contract/``. The measure is a LoopbackServer, a real server on a real
socket; what comes of the calls there is looked at as well.
"""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any, Final

import pytest

from aiohttpclient import AsyncHTTPClient

from .contract.calls import CALLS, Call
from .contract.in_asgi import in_asgi, in_asgi_https
from .contract.in_memory import in_memory, in_memory_https
from .contract.intercepted import mocked, recorded, registered, replayed
from .contract.on_sockets import behind_proxy, on_loopback, on_loopback_tls

if TYPE_CHECKING:
    from pathlib import Path

    from .contract.places import Place, Rehearse, Site

PLACES: Final[list[Place]] = [
    on_loopback_tls, behind_proxy, in_memory, in_memory_https, in_asgi, in_asgi_https,
    mocked, registered, recorded, replayed,
]  # fmt: skip

FAILED: Final = ("silence", "silence_in_a_body", "too_late", "body_cut", "chunks_cut", "connection_reset")

DIFFERENCES: Final = {
    "in_asgi": {
        "empty_query": "the scope has a query_string, which is empty in both cases",
        "reasons": "an application sends a status without a reason",
        "connection_reset": "an application has no connection that it could reset",
    },
    "registered": {
        "trailers": "a registration has none",
        **dict.fromkeys(FAILED, "an exchange that failed had no answer that could be registered"),
    },
    "replayed": dict.fromkeys(FAILED, "an exchange that failed is not in the recording, which has answers"),
}
"""What a place cannot do by its nature, by the name of the call, and why."""

DIFFERENCES["in_asgi_https"] = DIFFERENCES["in_asgi"]


def difference(call: Call, place: Place) -> str | None:
    """Why ``call`` has another result in ``place``; None: it has not."""
    return DIFFERENCES.get(place.__name__, {}).get(call.name)


async def outcome(call: Call, site: Site) -> Any:
    """What comes of ``call``: what it gives, or name and text of the exception."""
    async with AsyncHTTPClient(base_url=site.base, trust_env=False, **site.options) as client:
        try:
            return await call.function(client, site)
        except Exception as error:  # noqa: BLE001  # it is the outcome
            return type(error).__name__, without_times(site.shown(str(error)))


def without_times(text: str) -> str:
    """The text of an error, which may say how long something took."""
    return re.sub(r"\d+(\.\d+)?(e-\d+)? s\b", "T s", text)


async def result_of(call: Call, place: Place, folder: Path) -> Any:
    """What comes of ``call`` in ``place``."""
    rehearse: Rehearse = lambda site: outcome(call, site)  # noqa: E731  # its type is named
    async with place(folder, rehearse) as site:
        return await outcome(call, site)


async def measure(call: Call, folder: Path) -> Any:
    """What comes of ``call`` at a LoopbackServer: found out once for each kind of loop."""
    key = call.name, type(asyncio.get_running_loop())
    if key not in _measured:
        _measured[key] = await result_of(call, on_loopback, folder)
    return _measured[key]


_measured: dict[Any, Any] = {}


def final(result: Any) -> Any:
    """The status of what came last, or the name of an exception; 200 where a call looks at no status."""
    if isinstance(result, tuple):
        return result[0]
    last = [one for one in (result if isinstance(result, list) else [result]) if isinstance(one, dict)][-1:]
    return last[0].get("status", 200) if last else 200


@pytest.mark.parametrize("call", CALLS, ids=repr)
async def test_measure(call: Call, tmp_path: Path) -> None:
    """A call comes to what it is about: it is no comparison of one error with another."""
    result = await measure(call, tmp_path)
    assert final(result) == call.outcome, result


async def results(call: Call, folder: Path, differ: bool) -> dict[str, Any]:
    """What comes of ``call`` in the places where it is the same, or in those where it cannot be, by their names."""
    found = {}
    for place in PLACES:
        if (difference(call, place) is not None) is differ:
            own = folder / place.__name__
            own.mkdir()
            found[place.__name__] = await result_of(call, place, own)
    return found


# One test for all places of a call: there are a thousand of them, and a test of its own costs more than most calls.


@pytest.mark.parametrize("call", CALLS, ids=repr)
async def test_same_everywhere(call: Call, tmp_path: Path) -> None:
    """A call has the same result in each place."""
    measured = await measure(call, tmp_path)
    found = await results(call, tmp_path, differ=False)
    assert found
    assert found == dict.fromkeys(found, measured)


DIFFERENT: Final = [call for call in CALLS if any(difference(call, place) for place in PLACES)]


@pytest.mark.parametrize("call", DIFFERENT, ids=repr)
async def test_differences(call: Call, tmp_path: Path) -> None:
    """An exception is needed: the result is another one."""
    measured = await measure(call, tmp_path)
    assert not [place for place, result in (await results(call, tmp_path, differ=True)).items() if result == measured]


def test_differences_are_of_calls() -> None:
    """An exception is about a call and a place that there are."""
    assert set(DIFFERENCES) <= {place.__name__ for place in PLACES}
    assert {name for names in DIFFERENCES.values() for name in names} <= {call.name for call in CALLS}
