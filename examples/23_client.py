"""A client as a service uses it: one for the life of the program, JSON both ways, and errors that say what came."""

import asyncio

from aiohttpclient import AsyncHTTPClient, StatusError
from examples._app import Answer, Asked, app, as_json
from examples._server import serve

USERS = {"1": {"name": "Ada"}, "2": {"name": "Grace"}}


def users(asked: Asked) -> Answer:
    number = asked.path.removeprefix("/api/users").strip("/")
    if asked.method == "POST":
        number = str(len(USERS) + 1)
        return as_json({"id": number}, "201 Created", Location=f"/api/users/{number}")
    if not number:
        return as_json([user["name"] for user in USERS.values()][: int(asked.query.get("limit", 10))])
    if number not in USERS:
        return as_json({"error": f"nobody has number {number}"}, "404 Not Found")
    return as_json(USERS[number])


async def main() -> None:
    async with (
        serve(app(users)) as (host, port),
        AsyncHTTPClient(base_url=f"http://{host}:{port}/api", headers={"X-Service": "billing"}, timeout=5) as client,
    ):
        response = await client.get("users/1")
        print(response.status, response.json())  # complete and decoded: nothing more to await

        response = await client.get("users", params={"limit": 1})
        print(response.json(), "in", response.headers["Content-Type"])

        response = await client.post("users", json={"name": "Edsger"})
        print(response.status, response.reason, response.headers["Location"])

        try:
            response = await client.get("users/7")
            response.raise_for_status()
        except StatusError as error:
            print(error.response.status, error.response.json()["error"])  # what the server has to say about it

        print(client.pool.stats().opened, "connection for all of it")


asyncio.run(main())
