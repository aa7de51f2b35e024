"""Testing against a service that is not always there: the first run is recorded, and all others are replayed."""

import asyncio
import tempfile
from pathlib import Path

from aiohttpclient import AsyncHTTPClient, BearerAuth
from aiohttpclient.testing import LoopbackServer, NotRecorded, Recorder, ServerRequest, ServerResponse


async def titles(base_url: str, token: str) -> list[str]:
    """What is tested: it logs in, follows a redirect, and reads a list."""
    async with AsyncHTTPClient(base_url=base_url, auth=BearerAuth(token)) as client:
        response = await client.get("/books/latest")
        return [book["title"] for book in response.raise_for_status().json()]


async def record(path: Path) -> str:
    """The first run: the service is there, and what it says is written down."""
    async with LoopbackServer() as service:
        service.add("GET", "/books/latest", ServerResponse(302, headers={"Location": "/books/2026"}))

        @service.route("GET", "/books/2026")
        async def books(request: ServerRequest) -> list[dict[str, str]]:
            return [{"title": "A Fire", "asked_with": request.headers["Authorization"]}]

        with Recorder(path):
            print("recorded:", await titles(service.url, "a-s3cret-token"))
        return service.url


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "books.har")
        url = asyncio.run(record(path))

        # By now nobody listens there. Another token is as good: none is in the file, not even where it was repeated.
        with Recorder(path, assert_all_played=True) as recorder:
            print("replayed:", asyncio.run(titles(url, "any-other-token")), "in", recorder.play_count, "answers")
        text = path.read_text(encoding="utf-8")
        print("the token is in the file:", "a-s3cret-token" in text)

        # The file is HAR, which browsers open; its texts may be changed.
        path.write_text(text.replace("A Fire", "A Fire, 2nd edition"), encoding="utf-8")
        with Recorder(path, mode="none"):
            print("changed:", asyncio.run(titles(url, "token")))

        # What is not there is an error, which says what is.
        with Recorder(path, mode="none"):
            try:
                asyncio.run(titles(url + "/v2", "token"))
            except NotRecorded as error:
                print(*str(error).replace(url, "").splitlines()[1:3], sep="\n")


main()
