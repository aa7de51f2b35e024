"""The constants and ``responses``, against the documentation of ``http.client`` and against the module itself."""

from __future__ import annotations

import http
import http.client

import pytest

from aiohttpclient import status
from tests.support.cases import for_each

DOCUMENTED = """\
CONTINUE | 100
SWITCHING_PROTOCOLS | 101
PROCESSING | 102
OK | 200
CREATED | 201
ACCEPTED | 202
NON_AUTHORITATIVE_INFORMATION | 203
NO_CONTENT | 204
RESET_CONTENT | 205
PARTIAL_CONTENT | 206
MULTI_STATUS | 207
IM_USED | 226
MULTIPLE_CHOICES | 300
MOVED_PERMANENTLY | 301
FOUND | 302
SEE_OTHER | 303
NOT_MODIFIED | 304
USE_PROXY | 305
TEMPORARY_REDIRECT | 307
BAD_REQUEST | 400
UNAUTHORIZED | 401
PAYMENT_REQUIRED | 402
FORBIDDEN | 403
NOT_FOUND | 404
METHOD_NOT_ALLOWED | 405
NOT_ACCEPTABLE | 406
PROXY_AUTHENTICATION_REQUIRED | 407
REQUEST_TIMEOUT | 408
CONFLICT | 409
GONE | 410
LENGTH_REQUIRED | 411
PRECONDITION_FAILED | 412
REQUEST_ENTITY_TOO_LARGE | 413
REQUEST_URI_TOO_LONG | 414
UNSUPPORTED_MEDIA_TYPE | 415
REQUESTED_RANGE_NOT_SATISFIABLE | 416
EXPECTATION_FAILED | 417
UNPROCESSABLE_ENTITY | 422
LOCKED | 423
FAILED_DEPENDENCY | 424
UPGRADE_REQUIRED | 426
INTERNAL_SERVER_ERROR | 500
NOT_IMPLEMENTED | 501
BAD_GATEWAY | 502
SERVICE_UNAVAILABLE | 503
GATEWAY_TIMEOUT | 504
HTTP_VERSION_NOT_SUPPORTED | 505
INSUFFICIENT_STORAGE | 507
NOT_EXTENDED | 510
"""

TABLE = {name: int(code) for name, _, code in (line.partition(" | ") for line in DOCUMENTED.splitlines())}

RENAMED = {
    "CONTENT_TOO_LARGE": "REQUEST_ENTITY_TOO_LARGE",
    "URI_TOO_LONG": "REQUEST_URI_TOO_LONG",
    "RANGE_NOT_SATISFIABLE": "REQUESTED_RANGE_NOT_SATISFIABLE",
    "UNPROCESSABLE_CONTENT": "UNPROCESSABLE_ENTITY",
}


def test_the_documented_table_is_whole() -> None:
    """The table above has as many rows as the documentation has status constants."""
    assert len(TABLE) == 49


@for_each(TABLE.items())
def test_documented_constant(name: str, code: int) -> None:
    """Each constant of the documentation exists by its name, has its value, and is an HTTPStatus, as in http.client."""
    assert getattr(status, name) == code
    assert isinstance(getattr(status, name), http.HTTPStatus)
    assert name in status.__all__


@for_each(http.HTTPStatus.__members__)
def test_name_of_today(name: str) -> None:
    """Each name that the running Python's HTTPStatus has is here, and is the very member."""
    assert getattr(status, name) is http.HTTPStatus[name]
    assert getattr(status, name) is getattr(http.client, name)
    assert name in status.__all__


@pytest.mark.parametrize(("new", "old"), RENAMED.items())
def test_renamed_code(new: str, old: str) -> None:
    """A code that RFC 9110 renamed has both names on every Python version."""
    assert getattr(status, new) is getattr(status, old)


def test_nothing_else_is_exported() -> None:
    """Beside HTTPStatus names, old and new, there are only the two ports and the phrases."""
    codes = {name for name in status.__all__ if isinstance(getattr(status, name), http.HTTPStatus)}
    assert codes == {*http.HTTPStatus.__members__, *RENAMED, *RENAMED.values()}
    assert set(status.__all__) - codes == {"HTTP_PORT", "HTTPS_PORT", "responses"}


def test_default_ports() -> None:
    """The default ports are http.client's (RFC 9110 section 4.2)."""
    assert (status.HTTP_PORT, status.HTTPS_PORT) == (http.client.HTTP_PORT, http.client.HTTPS_PORT) == (80, 443)


def test_responses() -> None:
    """``responses`` maps codes to reason phrases: the documentation's example, and http.client's whole mapping."""
    assert status.responses[status.NOT_FOUND] == "Not Found"
    assert status.responses[404] == "Not Found"
    assert status.responses == http.client.responses
