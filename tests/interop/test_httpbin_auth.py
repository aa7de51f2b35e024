"""Authentication with httpbin: Basic, Bearer and Digest, what is right and what is wrong."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from aiohttpclient import AsyncHTTPClient, BasicAuth, BearerAuth, DigestAuth, NetrcAuth
from aiohttpclient.client import ClientEvent
from tests.support.servers import HOST

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from aiohttpclient import Response
    from aiohttpclient.pool import PoolEvent
    from tests.support.tls import TlsKit

USERS = [("user", "password"), ("us er", "p:w%?#"), ("jürgen", "größe"), ("user", "日本語"), ("a", " ")]
"""User names and passwords; a colon is in the password only, where Basic may have it."""

DIGEST_USERS = [("user", "password"), ("a@b'c", "p:w;x=y,z&!$(*)"), ("~", "-._+")]
"""The same for Digest; httpbin hashes its paths decoded, so these have no character that must be encoded in a path."""


class Sent:
    """Counts the requests that a client sends: it is what the client calls with its events."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, event: ClientEvent | PoolEvent) -> None:
        self.count += isinstance(event, ClientEvent) and event.kind.name == "SENDING"

    def since(self) -> int:
        """How many since this was asked last."""
        count, self.count = self.count, 0
        return count


@pytest.fixture
def sent() -> Sent:
    return Sent()


def authenticated(response: Response, user: str) -> bool:
    """Whether the answer is that of somebody who was let in."""
    return response.status == 200 and response.json() == {"authenticated": True, "user": user}


# -- Basic


@pytest.mark.parametrize(("user", "password"), USERS)
@pytest.mark.parametrize("path", ["basic-auth", "hidden-basic-auth"])
@pytest.mark.parametrize("form", [lambda *given: given, BasicAuth], ids=["tuple", "BasicAuth"])
async def test_basic(
    client: AsyncHTTPClient, path: str, user: str, password: str, form: Callable[[str, str], Any]
) -> None:
    """User and password are sent at once, also to who would not ask for them."""
    response = await client.get(f"{path}/{quote(user)}/{quote(password)}", auth=form(user, password))
    assert authenticated(response, user)


@pytest.mark.parametrize(("path", "status"), [("basic-auth", 401), ("hidden-basic-auth", 404)])
async def test_basic_refused(httpbin: str, sent: Sent, path: str, status: int) -> None:
    """Without a password, or with a wrong one, the refusal is the answer, and nothing is sent twice."""
    async with AsyncHTTPClient(base_url=httpbin, trust_env=False, on_event=sent) as client:
        for auth in (None, ("user", "wrong"), ("nobody", "password"), BearerAuth("token")):
            response = await client.get(f"{path}/user/password", auth=auth)
            assert (response.status, sent.since()) == (status, 1)
            assert ("WWW-Authenticate" in response.headers) == (status == 401)


async def test_of_client_and_request(httpbin: str) -> None:
    """A request is sent in the name of the client's user, unless it says another, or nobody."""
    async with AsyncHTTPClient(base_url=httpbin, auth=("one", "1"), trust_env=False) as client:
        assert authenticated(await client.get("basic-auth/one/1"), "one")
        assert authenticated(await client.get("basic-auth/two/2", auth=("two", "2")), "two")
        assert (await client.get("basic-auth/one/1", auth=None)).status == 401
        own = {"authorization": "Basic dHdvOjI="}
        assert authenticated(await client.get("basic-auth/two/2", headers=own), "two")


async def test_netrc(httpbin: str, tmp_path: Path) -> None:
    """The password may come from a netrc file, for the hosts that it names."""
    file = tmp_path / "netrc"
    file.write_text(f"machine {HOST} login user password pass\n")
    file.chmod(0o600)
    async with AsyncHTTPClient(trust_env=False, auth=NetrcAuth(file)) as client:
        assert authenticated(await client.get(f"{httpbin}/basic-auth/user/pass"), "user")
        elsewhere = httpbin.replace(HOST, "localhost")
        assert (await client.get(f"{elsewhere}/basic-auth/user/pass")).status == 401


async def test_netrc_of_the_environment(httpbin: str, tmp_path: Path, environment: pytest.MonkeyPatch) -> None:
    """The netrc file that ``NETRC`` names is used where the environment is trusted, and not else."""
    file = tmp_path / "netrc"
    file.write_text(f"machine {HOST} login user password pass\n")
    file.chmod(0o600)
    environment.setenv("NETRC", str(file))
    for trust_env in (True, False):
        async with AsyncHTTPClient(trust_env=trust_env) as client:
            response = await client.get(f"{httpbin}/basic-auth/user/pass")
        assert authenticated(response, "user") == trust_env


# -- Bearer


async def test_bearer(client: AsyncHTTPClient) -> None:
    """A token is sent as it is."""
    assert (await client.get("bearer", auth=BearerAuth("abc.DEF-1~+/=="))).json() == {
        "authenticated": True,
        "token": "abc.DEF-1~+/==",
    }
    refused = await client.get("bearer")
    assert (refused.status, refused.headers["WWW-Authenticate"]) == (401, "Bearer")


async def test_bearer_is_fetched(httpbin: str, sent: Sent) -> None:
    """A function that gives tokens is called when one is needed, and once more when it is refused."""
    tokens = itertools.count(1)

    async def fetch() -> str:
        return f"token-{next(tokens)}"

    async with AsyncHTTPClient(base_url=httpbin, auth=BearerAuth(fetch), trust_env=False, on_event=sent) as client:
        for _ in range(2):
            assert (await client.get("bearer")).json()["token"] == "token-1"
        assert sent.since() == 2
        assert (await client.get("status/401")).status == 401  # with the second one, too
        assert sent.since() == 2
        assert (await client.get("bearer")).json()["token"] == "token-2"


# -- Digest


@pytest.mark.parametrize("algorithm", ["", "/MD5", "/SHA-256", "/SHA-512"])
@pytest.mark.parametrize("qop", ["auth", "auth-int", "either"])
async def test_digest(httpbin: str, sent: Sent, qop: str, algorithm: str) -> None:
    """The first request is asked who we are; the next ones say so by themselves, also at other pages."""
    auth = DigestAuth("user", "password")
    async with AsyncHTTPClient(base_url=httpbin, auth=auth, trust_env=False, on_event=sent) as client:
        for expected in (2, 1, 1):
            response = await client.get(f"digest-auth/{qop}/user/password{algorithm}")
            assert authenticated(response, "user")
            assert sent.since() == expected
        assert (await client.get("get")).json()["headers"]["Authorization"].startswith("Digest ")


@pytest.mark.parametrize(("user", "password"), DIGEST_USERS)
async def test_digest_users(client: AsyncHTTPClient, user: str, password: str) -> None:
    """User name and password may have odd characters; the server computes the same proof of them."""
    path = f"digest-auth/auth/{user}/{password}/SHA-256"
    assert authenticated(await client.get(path, auth=DigestAuth(user, password)), user)


async def test_digest_with_wrong_password(httpbin: str, sent: Sent) -> None:
    """A wrong password is refused once, and not tried again: that would lock the account."""
    async with AsyncHTTPClient(base_url=httpbin, trust_env=False, on_event=sent) as client:
        auth = DigestAuth("user", "wrong")
        for _ in range(2):
            response = await client.get("digest-auth/auth/user/password", auth=auth)
            assert (response.status, sent.since()) == (401, 2)
        right = DigestAuth("user", "password")
        assert authenticated(await client.get("digest-auth/auth/user/password", auth=right), "user")


async def test_digest_with_stale_nonces(httpbin: str, sent: Sent) -> None:
    """A nonce that the server has used up is replaced by its new one, without asking anybody; not for ever."""
    auth = DigestAuth("user", "password")
    async with AsyncHTTPClient(base_url=httpbin, auth=auth, trust_env=False, on_event=sent) as client:
        for expected in (2, 2, 2):
            assert authenticated(await client.get("digest-auth/auth/user/password/MD5/1"), "user")
            assert sent.since() == expected
        never = await client.get("digest-auth/auth/user/password/MD5/0", auth=DigestAuth("user", "password"))
        assert (never.status, "stale=True" in never.headers["WWW-Authenticate"]) == (401, True)
        assert sent.since() == 3


async def test_digest_over_tls(httpbin_tls: str, tls: TlsKit) -> None:
    """The same over HTTPS; another origin has its own nonces."""
    async with AsyncHTTPClient(auth=DigestAuth("user", "password"), ssl_context=tls.client, trust_env=False) as client:
        for base in (httpbin_tls, httpbin_tls.replace(HOST, "localhost")):
            assert authenticated(await client.get(f"{base}/digest-auth/auth-int/user/password/SHA-256"), "user")


async def test_digest_and_redirects(client: AsyncHTTPClient) -> None:
    """Whoever is led to a page that asks, answers there."""
    response = await client.get(
        "redirect-to", params={"url": "/digest-auth/auth/user/password"}, auth=DigestAuth("user", "password")
    )
    assert authenticated(response, "user")
    assert [each.status for each in response.history] == [302]
