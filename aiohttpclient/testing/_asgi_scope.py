"""What an ASGI application is told of a request: the scope of the HTTP & WebSocket ASGI message format."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

if TYPE_CHECKING:
    from ._request import ServerRequest

ASGI_VERSION: Final = "3.0"

SPEC_VERSION: Final = "2.5"
"""Since 2.4 ``send`` raises an OSError when the client is gone."""

EXTENSIONS: Final = ("http.response.trailers", "http.response.early_hint")

_IN_PATHS: Final = "/:@!$&'()*+,;=~"
"""What stands in a path as it is (RFC 3986 section 3.3)."""


def http_scope(
    request: ServerRequest,
    *,
    scheme: str,
    client: tuple[str, int] | None,
    server: tuple[str, int],
    root_path: str,
    state: dict[str, Any],
) -> dict[str, Any]:
    """The scope of ``request``.

    ``path`` and ``raw_path`` begin with ``root_path``, which is not in the target: so does uvicorn, which stands behind
    a proxy that has taken it away.
    """
    return {
        "type": "http",
        "asgi": {"version": ASGI_VERSION, "spec_version": SPEC_VERSION},
        "http_version": request.http_version,
        "method": request.method,
        "scheme": scheme,
        "path": root_path + request.path,
        "raw_path": _bytes(quote(root_path, _IN_PATHS) + request.raw_path),
        "query_string": _query_string(request),
        "root_path": root_path,
        "headers": [
            (name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in request.headers.items()
        ],
        "client": client,
        "server": server,
        "state": state.copy(),
        "extensions": {name: {} for name in EXTENSIONS},
    }


def _query_string(request: ServerRequest) -> bytes:
    return b"" if request.method == "CONNECT" else _bytes(request.target.partition("?")[2])


def _bytes(text: str) -> bytes:
    return text.encode("latin-1")  # as which heads are read


def wants_websocket(request: ServerRequest) -> bool:
    """Whether the client asks for a WebSocket (RFC 6455 section 4.1)."""
    return "upgrade" in _tokens(request, "Connection") and "websocket" in _tokens(request, "Upgrade")


def takes_trailers(request: ServerRequest) -> bool:
    """Whether the client wants fields behind a chunked body (RFC 9110 section 10.1.4)."""
    return request.version >= 11 and "trailers" in _tokens(request, "TE")


def _tokens(request: ServerRequest, name: str) -> set[str]:
    return {token.strip().lower() for value in request.headers.getall(name, []) for token in value.split(",")}
