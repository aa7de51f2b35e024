"""One request, and its answer to stdout or a file: get, head, post and their siblings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ._bodies import body_settings, implied_fields
from ._exits import FAILED, OK, UsageError
from ._loop import run
from ._output import Output, open_output, stdout_file, target
from ._report import answer_object, body_object, json_line, timings_object, timings_table
from ._setup import client_settings
from ._sources import Sources
from ._terminal import say, write
from ._verbose import Talk, response_lines

if TYPE_CHECKING:
    from argparse import Namespace

    from ..client import AsyncHTTPClient, Request, ResponseStream

JSON_BODY: Final = 64 * 1024 * 1024
"""Bytes of a body that ``--json`` has in its object, which is in memory; with ``-o FILE`` there is no bound."""


def run_request(args: Namespace) -> int:
    """Do what ``args`` say; the exit code."""
    sources = Sources()
    talk = Talk(verbose=args.verbose, show_secrets=args.show_secrets)
    if args.json and args.output == "-":
        raise UsageError("--json is for stdout alone: -o FILE takes the body, without -o it is in the object")
    target(args, args.url)  # whatever is wrong with the name is said now
    listens = args.verbose or args.timings or args.json
    settings = client_settings(args, sources, talk if listens else None)
    body = body_settings(args, sources)
    settings["headers"] += implied_fields(args, settings["headers"])
    if args.cookie:
        body["cookies"] = dict(args.cookie)
    if args.json and target(args, args.url) is None and args.max_body is None:
        settings["max_body"] = JSON_BODY
    return run(lambda: _exchange(args, settings, body, talk))


async def _exchange(args: Namespace, settings: dict[str, Any], options: dict[str, Any], talk: Talk) -> int:
    client = made_client(settings)
    try:
        async with client:
            request = made_request(client, args.method, args.url, options)
            stream = await _sent(client, request)
            try:
                code = await _answered(args, stream, talk)
            finally:
                await stream.close()
    finally:
        close_dialer(settings)
    if args.timings and talk.timings is not None:
        write("".join(f"{line}\n" for line in timings_table(talk.timings)))
    return code


def made_client(settings: dict[str, Any]) -> AsyncHTTPClient:
    """The client.

    :raises UsageError: one of the settings cannot be used
    """
    from ..client import AsyncHTTPClient
    from ..errors import InvalidURL

    try:
        return AsyncHTTPClient(**settings)
    except (InvalidURL, ValueError, TypeError, OSError) as error:  # OSError: of files that the environment names
        raise UsageError(str(error)) from error


def made_request(client: AsyncHTTPClient, method: str, url: str, options: dict[str, Any]) -> Request:
    """The request.

    :raises UsageError: it cannot be sent
    """
    from ..errors import InvalidURL

    try:
        return client.build_request(method, url, **options)
    except (InvalidURL, ValueError, TypeError, OSError) as error:
        raise UsageError(str(error).removesuffix("; a relative one needs base_url=")) from error


def usage(error: ValueError | TypeError) -> Exception:
    """What ``error`` is: of the command line, or of the network all the same, as a certificate that is refused is."""
    return error if isinstance(error, OSError) else UsageError(str(error))


async def _sent(client: AsyncHTTPClient, request: Request) -> ResponseStream:
    try:
        return await client.send(request)
    except (ValueError, TypeError) as error:  # a field that cannot be sent, a netrc file that is none
        raise usage(error) from error


def close_dialer(settings: dict[str, Any]) -> None:
    """Let go of what a dialer has, since a client leaves one alone that it was given."""
    close = getattr(settings["transport"], "close", None)
    if close is not None:
        close()


async def _answered(args: Namespace, stream: ResponseStream, talk: Talk) -> int:
    failed = args.fail and stream.status >= 400
    if args.json:
        await _as_object(args, stream, talk)
    elif not failed:
        output = open_output(args, args.url)  # named by who asked, and not by a redirect
        try:
            if args.include or args.command == "head":
                await output.head("\r\n".join(response_lines(stream)) + "\r\n")
            await _copy(args, stream, output)
            await output.end()
        finally:
            output.close()
    if failed:
        say(f"aiohttpclient {args.command}: {stream.status} {stream.reason} for {stream.method} {talk.shown(args.url)}")
    return FAILED if failed else OK


async def _copy(args: Namespace, stream: ResponseStream, output: Output) -> None:
    async for block in stream.iter_raw() if args.raw else stream.iter_bytes():
        await output.write(block)


async def _as_object(args: Namespace, stream: ResponseStream, talk: Talk) -> None:
    told = answer_object(stream, talk.shown(stream.request.url_text))
    path = target(args, args.url)
    if path is not None:
        output = open_output(args, args.url)
        try:
            await _copy(args, stream, output)
        finally:
            output.close()
        told |= {"size": output.size, "path": str(path)}
    else:
        blocks = [block async for block in (stream.iter_raw() if args.raw else stream.iter_bytes())]
        told |= body_object(b"".join(blocks), None if args.raw else stream.encoding)
    told["timings"] = timings_object(talk.timings)
    await Output(stdout_file(), "stdout").write(json_line(told))
