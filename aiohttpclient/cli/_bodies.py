"""The body of a request, as arguments say it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._exits import UsageError

if TYPE_CHECKING:
    from argparse import Namespace

    from ._sources import Sources


def body_settings(args: Namespace, sources: Sources) -> dict[str, Any]:
    """The keywords of a request that say what is sent; empty: nothing is.

    :raises UsageError: more than one kind of body, a file that cannot be read, or text that is not JSON
    """
    files = getattr(args, "file", [])
    form = bool(args.data or files)
    if form + (args.json_body is not None) + (args.content is not None) > 1:
        raise UsageError("a request has one body: --json-body, or --content, or a form of --data and --file")
    if args.json_body is not None:
        return {"content": json_bytes(sources.bytes(args.json_body, "--json-body"), args.json_body)}
    if args.content is not None:
        return {"content": sources.stream(args.content, "--content")}
    if files:
        return {"data": args.data, "files": [(one.field, _file(one, sources)) for one in files]}
    return {"data": args.data} if args.data else {}


def implied_fields(args: Namespace, given: list[tuple[str, str | None]]) -> list[tuple[str, str | None]]:
    """The fields that a body in JSON implies, unless they are ``given``."""
    named = {name.lower() for name, _ in given}
    if args.json_body is None or "content-type" in named:
        return []
    return [("Content-Type", "application/json")]


def json_bytes(text: bytes, given: str) -> bytes:
    """``text``, if it is JSON.

    :raises UsageError: it is not; ``given`` says where it stands
    """
    import json

    def refuse(name: str) -> None:
        raise ValueError(f"{name} is not JSON")

    try:
        json.loads(text.decode("utf-8"), parse_constant=refuse)
    except UnicodeDecodeError:
        raise UsageError("--json-body: it is not UTF-8") from None
    except ValueError as error:  # the text is not repeated: it may have a password in it
        where = f" in {given[1:]}" if given.startswith("@") else ""
        raise UsageError(f"--json-body: not JSON{where}: {error}") from None
    except RecursionError:
        raise UsageError("--json-body: it is nested too deeply to be checked; --content sends it as it is") from None
    return text


def _file(spec: Any, sources: Sources) -> tuple[str, Any, str | None]:
    from pathlib import Path

    content = sources.stream(f"@{spec.path}", "--file")
    name = spec.filename or (spec.field if spec.path == "-" else Path(spec.path).name)
    return (name, content, spec.content_type)
