"""What httpbin gets to know after a redirect: at the same origin, and, by another name, at another one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from aiohttpclient import AsyncHTTPClient
from tests.support.servers import HOST

if TYPE_CHECKING:
    from aiohttpclient import Response

ABOUT_THE_BODY = {
    "Content-Digest": "sha-256=:x:",
    "Content-Encoding": "x-own",
    "Content-Language": "de",
    "Content-Length": "4",
    "Content-Location": "/here",
    "Content-Md5": "x",
    "Content-Range": "bytes 0-3/9",
    "Content-Type": "text/x-own",
    "Digest": "x",
    "Expect": "100-continue",
    "Last-Modified": "Sun, 06 Nov 1994 08:49:37 GMT",
    "Repr-Digest": "sha-256=:x:",
    "Trailer": "X-End",
}
"""Fields that say something of a body, in the case in which httpbin shows them."""


async def led_to(client: AsyncHTTPClient, url: str, status: int = 302, **options: Any) -> Response:
    """What is answered after a redirect to ``url``."""
    params: dict[str, Any] = {"url": url, "status_code": status}
    return await client.request(options.pop("method", "GET"), "redirect-to", params=params, **options)


@pytest.fixture
def elsewhere(httpbin: str) -> str:
    """The same server by another name, which makes it another origin."""
    return httpbin.replace(HOST, "localhost")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_fields_about_the_body(client: AsyncHTTPClient, status: int) -> None:
    """Where the body does not go along, neither do the fields about it; where it does, they do."""
    headers = {**ABOUT_THE_BODY, "X-Mine": "1"}
    response = await led_to(client, "/anything", status, method="POST", content=b"body", headers=headers)
    seen = response.json()
    assert seen["headers"]["X-Mine"] == "1"
    if status < 304:
        assert (seen["method"], seen["data"]) == ("GET", "")
        assert not seen["headers"].keys() & {*ABOUT_THE_BODY, "Transfer-Encoding"}
    else:
        assert (seen["method"], seen["data"]) == ("POST", "body")
        assert headers.items() <= seen["headers"].items()


async def test_relative(client: AsyncHTTPClient, httpbin: str) -> None:
    """Location may be a reference of any kind."""
    for location, path in {
        "anything/a": "/anything/a",
        "./anything/a/../b": "/anything/b",
        "../../anything/a/.": "/anything/a/",
        "/anything/a/./b": "/anything/a/b",
        f"{httpbin.removeprefix('http:')}/anything/a": "/anything/a",
    }.items():
        assert (await led_to(client, location)).json()["url"] == httpbin + path


async def test_user_information_in_location(client: AsyncHTTPClient, httpbin: str, elsewhere: str) -> None:
    """Who redirects does not decide who we are: neither does it let us in, nor does it take our place."""
    for base in (httpbin, elsewhere):
        location = f"{base.replace('://', '://user:word@')}/basic-auth/user/word"
        assert (await led_to(client, location)).status == 401
        response = await led_to(client, location, auth=("user", "word"))
        assert response.status == (200 if base == httpbin else 401)
        response = await led_to(client, location.replace("user:word@", "evil:secret@"), auth=("user", "word"))
        assert response.status == (200 if base == httpbin else 401)
        assert str(response.url) == f"{base}/basic-auth/user/word"


async def test_cookies_that_are_bound_to_no_domain(httpbin: str, elsewhere: str) -> None:
    """Cookies of the client without a domain go with redirects within the origin, and no further, nor back."""
    async with AsyncHTTPClient(base_url=httpbin, cookies={"unbound": "1"}, trust_env=False) as client:
        assert (await led_to(client, "/cookies")).json() == {"cookies": {"unbound": "1"}}
        assert (await led_to(client, f"{elsewhere}/cookies")).json() == {"cookies": {}}
        back = await led_to(client, f"{elsewhere}/redirect-to?url={httpbin}/cookies", 307)
        assert (back.json(), len(back.history)) == ({"cookies": {}}, 2)
        assert (await client.get("cookies")).json() == {"cookies": {"unbound": "1"}}


async def test_host_of_the_caller(client: AsyncHTTPClient, httpbin: str, elsewhere: str) -> None:
    """A Host of the caller's own is for the origin that was asked, and not for another one."""
    for location, host in (
        ("/headers", "virtual.example"),
        (f"{httpbin}/headers", "virtual.example"),
        (f"{elsewhere}/headers", elsewhere.removeprefix("http://")),
    ):
        seen = (await led_to(client, location, headers={"Host": "virtual.example"})).json()
        assert seen["headers"]["Host"] == host
