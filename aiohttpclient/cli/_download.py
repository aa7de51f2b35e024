"""The command ``download``: files, one after the other, resumed and checked."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ._exits import OK, UsageError, exit_of, told
from ._loop import run
from ._names import name_of
from ._output import Output, stdout_file
from ._progress import Progress
from ._report import json_line
from ._request import close_dialer, made_client, made_request, usage
from ._setup import client_settings
from ._sources import Sources
from ._terminal import is_terminal, say, seconds_text, size_text
from ._verbose import Talk

if TYPE_CHECKING:
    from argparse import Namespace

    from ..client import AsyncHTTPClient, Download


def run_download(args: Namespace) -> int:
    """Do what ``args`` say; the exit code: that of the first file that failed."""
    talk = Talk(verbose=args.verbose, show_secrets=args.show_secrets)
    jobs = targets(args)
    settings = client_settings(args, Sources(), talk if args.verbose else None)
    return run(lambda: _all(args, settings, jobs, talk))


def targets(args: Namespace) -> list[tuple[str, Path]]:
    """Each URL, and where its file goes. A second argument that is no URL is a path.

    :raises UsageError: two would go to one place, there is one path for many, or no such directory
    """
    urls, output = list(args.url), args.output
    if not Path(args.directory).is_dir():
        raise UsageError(f"-C: {args.directory} is no directory")
    if output is None and len(urls) == 2 and "://" not in urls[1]:
        output = urls.pop()
    if output is not None:
        if len(urls) > 1:
            raise UsageError("-o is one place, and there are several URLs: -C says a directory")
        if output == "-":
            raise UsageError("a file is needed; 'get' writes to stdout")
        path = Path(args.directory, output)
        return [(urls[0], path / name_of(urls[0]) if path.is_dir() else path)]
    if args.digest is not None and ":" in args.digest and len(urls) > 1:
        raise UsageError("one --digest cannot be that of several files; --digest sha256 tells each")
    found = [(url, Path(args.directory, name_of(url))) for url in urls]
    seen: set[Path] = set()
    for _, path in found:
        if path in seen:
            raise UsageError(f"two URLs would go to {path}: get them one by one, with -o")
        seen.add(path)
    return found


async def _all(args: Namespace, settings: dict[str, Any], jobs: list[tuple[str, Path]], talk: Talk) -> int:
    client = made_client(settings)
    code = OK
    try:
        async with client:
            for url, _ in jobs:
                made_request(client, "GET", url, {})  # all of them can be asked for
            for url, path in jobs:
                failed = await _one(args, client, url, path, talk)
                code = code or failed
    finally:
        close_dialer(settings)
    return code


async def _one(args: Namespace, client: AsyncHTTPClient, url: str, path: Path, talk: Talk) -> int:
    progress = None if args.quiet else Progress(path.name, live=is_terminal(sys.stderr))
    since = asyncio.get_running_loop().time()
    options = {"cookies": dict(args.cookie)} if args.cookie else {}
    done, failed = None, None
    try:
        done = await client.download(
            url, path, resume=args.resume, overwrite=not args.no_clobber, progress=progress, digest=args.digest,
            **options,  # type: ignore[arg-type]  # cookies alone
        )  # fmt: skip
    except Exception as error:  # noqa: BLE001  # the other files are still to come
        failed = usage(error) if isinstance(error, ValueError) else error  # such as a --digest that is none
    except BaseException:  # Ctrl-C: by now the client has written what came
        args.hint = _kept(args, path)
        raise
    finally:
        if progress is not None:
            progress.end()
    if failed is not None:
        return await _failed(args, failed, path, talk.shown(url))
    assert done is not None
    if progress is not None:
        say(_summary(done, asyncio.get_running_loop().time() - since))
    await _tell(args, _told_of(done, talk.shown(url)))
    return OK


async def _failed(args: Namespace, error: Exception, path: Path, url: str) -> int:
    if args.debug:
        raise error
    say(f"aiohttpclient download: {told(error)}{_kept(args, path)}")
    await _tell(args, {"url": url, "path": str(path), "error": type(error).__name__, "message": told(error)})
    return exit_of(error)


def _summary(done: Download, seconds: float) -> str:
    resumed = f", {size_text(done.resumed)} of them before" if done.resumed else ""
    digest = f", {done.digest}" if done.digest else ""
    return f"{done.path}: {size_text(done.size)}{resumed} in {seconds_text(seconds)}{digest}"


def _told_of(done: Download, url: str) -> dict[str, Any]:
    return {"url": url, "path": str(done.path), "size": done.size, "resumed": done.resumed, "digest": done.digest}


def _kept(args: Namespace, path: Path) -> str:
    """Whether something is there to go on from."""
    part = path.with_name(f"{path.name}.part")
    try:
        return (
            "; what came is kept, and the same command goes on from there"
            if args.resume and part.stat().st_size
            else ""
        )
    except OSError:
        return ""


async def _tell(args: Namespace, value: dict[str, Any]) -> None:
    if args.json:
        await Output(stdout_file(), "stdout").write(json_line(value))
    elif value.get("digest") and args.quiet:
        await Output(stdout_file(), "stdout").write(f"{value['digest']}  {value['path']}\n".encode())
