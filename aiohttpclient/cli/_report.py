"""What is told of an answer besides its body: the table of ``--timings``, and the object of ``--json``."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

from ._terminal import seconds_text

if TYPE_CHECKING:
    from ..client import ResponseStream, Timings

PARTS = ("pool", "dns", "connect", "tls", "send", "wait", "receive")


def timings_table(timings: Timings) -> list[str]:
    """The lines of ``--timings``."""
    lines = [f"{name:>8}  {seconds_text(getattr(timings, name)):>10}" for name in PARTS]
    lines.append(f"{'total':>8}  {seconds_text(timings.total):>10}")
    about = [str(timings.address[0])] if isinstance(timings.address, tuple) else []
    about += [timings.tls_version] if timings.tls_version else []
    return [*lines, f"{'to':>8}  {', '.join(about)}"] if about else lines


def timings_object(timings: Timings | None) -> dict[str, Any] | None:
    """The same for programs: seconds, None for what was not done."""
    if timings is None:
        return None
    values = {name: _rounded(getattr(timings, name)) for name in PARTS}
    return {**values, "total": _rounded(timings.total), "reused": timings.reused, "tls_version": timings.tls_version}


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 6)


def answer_object(stream: ResponseStream, url: str) -> dict[str, Any]:
    """What ``--json`` says of a head. ``headers`` are [name, value] pairs, since names repeat."""
    return {
        "method": stream.method,
        "url": url,
        "status": stream.status,
        "reason": stream.reason,
        "version": f"{stream.version // 10}.{stream.version % 10}",
        "headers": [[name, value] for name, value in stream.headers.items()],
        "history": [{"status": hop.status, "location": hop.headers.get("Location")} for hop in stream.history],
        "attempts": max(1, len(stream.attempts)),
    }


def body_object(content: bytes, encoding: str | None) -> dict[str, Any]:
    """A body in JSON: as text where it is text, else in base64; ``size`` are its bytes."""
    try:
        return {"size": len(content), "text": content.decode(encoding or "utf-8")}
    except (UnicodeError, LookupError):
        return {"size": len(content), "base64": base64.b64encode(content).decode("ascii")}


def json_line(value: Any) -> bytes:
    """``value`` as one line of JSON, in ASCII: it survives every encoding of a terminal."""
    return json.dumps(value).encode("ascii") + b"\n"
