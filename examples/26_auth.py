"""Who we are: Basic, a Bearer token that is fetched and renewed, and Digest, which never sends the password."""

import asyncio
import hashlib
import itertools
import re

from aiohttpclient import AsyncHTTPClient, BearerAuth, DigestAuth
from examples._app import Answer, Asked, app
from examples._server import serve

CHALLENGE = 'Digest realm="vault", nonce="n0", algorithm=SHA-256, qop="auth"'


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def proves(asked: Asked, field: str) -> bool:
    """Whether a Digest field shows that its sender knows the password (RFC 7616)."""
    said: dict[str, str] = {name: value.strip('"') for name, value in re.findall(r'(\w+)=("[^"]*"|[^,\s]+)', field)}
    secret, request = sha256("me:vault:secret"), sha256(f"{asked.method}:{asked.path}")
    return said["response"] == sha256(":".join([secret, "n0", said["nc"], said["cnonce"], "auth", request]))


def site(asked: Asked) -> Answer:
    field = asked.fields.get("authorization", "nothing")
    if asked.path == "/token" and field != "Bearer token-2":  # the first has expired
        return Answer(status="401 Unauthorized", fields={"WWW-Authenticate": "Bearer"})
    if asked.path == "/digest" and not (field.startswith("Digest") and proves(asked, field)):
        return Answer(status="401 Unauthorized", fields={"WWW-Authenticate": CHALLENGE})
    return Answer(field.encode())


async def main() -> None:
    numbers = itertools.count(1)

    async def fetch_token() -> str:
        """Asks another service, say; called when there is no token, and once more after a 401."""
        await asyncio.sleep(0)
        return f"token-{next(numbers)}"

    async with serve(app(site)) as (host, port), AsyncHTTPClient(base_url=f"http://{host}:{port}") as client:
        response = await client.get("/", auth=("me", "secret"))
        print(response.text)

        bearer = BearerAuth(fetch_token)  # give it to the client, and it is for all requests
        answers = await asyncio.gather(*(client.get("/token", auth=bearer) for _ in range(5)))
        print(answers[0].text, "for", len(answers), "requests; tokens fetched:", next(numbers) - 1)

        response = await client.get("/digest", auth=DigestAuth("me", "secret"))
        assert response.ok
        assert "secret" not in response.text
        print(response.status, response.text.partition(" ")[0], response.request)


asyncio.run(main())
