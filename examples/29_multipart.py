"""Forms: fields, files from disk that are never whole in memory, and what a redirect makes of them."""

import asyncio
import tempfile
from email.message import Message
from email.parser import BytesParser
from pathlib import Path

from aiohttpclient import AsyncHTTPClient
from examples._app import Answer, Asked, app, as_json
from examples._server import serve


def described(part: Message) -> str:
    content = part.get_payload(decode=True)
    name, filename = part.get_param("name", header="content-disposition"), part.get_filename()
    return f"{name}: {filename or 'no file'}, {part.get_content_type()}, {len(bytes(content or b''))} bytes"


def site(asked: Asked) -> Answer:
    if asked.path == "/old":
        return Answer(status="307 Temporary Redirect", fields={"Location": "/upload"})
    head = f"Content-Type: {asked.fields['content-type']}\r\n\r\n".encode()
    form = BytesParser().parsebytes(head + asked.body)
    parts = [described(part) for part in form.walk()][1:]
    return as_json({"length": asked.fields.get("content-length"), "parts": parts})


async def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "holiday.jpg"
        path.write_bytes(bytes(3_000_000))
        async with serve(app(site)) as (host, port), AsyncHTTPClient(base_url=f"http://{host}:{port}") as client:
            form = {"title": "Our holiday", "tags": ["sea", "sun"]}
            files = [
                ("photo", path),  # opened when it is sent, and closed after that
                ("notes", ("notes.txt", "it rained", "text/plain")),
                ("table", ("a\r\nb.csv", b"1,2\n")),  # whatever a name has in it cannot become a field
            ]
            response = await client.post("/upload", data=form, files=files)
            print("Content-Length:", response.json()["length"])  # known before: no chunks
            for part in response.json()["parts"]:
                print("  ", part)

            response = await client.post("/old", files={"photo": path})  # sent twice, since it can be
            print(response.history[0].status, response.json()["parts"])

            with path.open("rb") as file:
                response = await client.post("/upload", files={"photo": ("open.jpg", file)})
            print(response.json()["parts"])


asyncio.run(main())
