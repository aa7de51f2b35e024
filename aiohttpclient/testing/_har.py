"""HAR files (HTTP Archive 1.2): read with plain words for what is none, and written to be read by people, and by diff.

http://www.softwareishard.com/blog/har-12-spec/ is the format. What a file has beyond it, in names of any kind, is kept.
What is written here: names in the order of the alphabet, one member to a line, but small objects in one line; so a
field that changes is a line that changes. A file is written beside its place, and put there when it is complete.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from .._files import alone_in, put_file
from .._version import VERSION as OUR_VERSION

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path

Document: TypeAlias = dict[str, Any]
"""A HAR file as JSON has it: ``{"log": {"version": ..., "creator": ..., "entries": [...]}}``."""

VERSION: Final = "1.2"

WIDTH: Final = 120
"""Characters up to which an object or a list without others in it stands in one line."""

_MODE: Final = 0o666
"""Of a new file, less what the umask takes: recordings are meant to be shared, and hold no secrets."""

_INVISIBLE: Final = re.compile("[\x7f-\x9f\xad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]")
"""What is written as an escape: halves of pairs, which UTF-8 cannot hold, and what nobody sees or what splits lines."""


def new_document() -> Document:
    """A file without entries."""
    return {
        "log": {"version": VERSION, "creator": {"name": "aiohttpclient", "version": OUR_VERSION}, "entries": []},
    }


def read(path: Path) -> Document | None:
    """What the file has; None where there is none. Entries are objects, and nothing more is known of them.

    :raises ValueError: it is no HAR file; the text says why, and shows nothing of what is in it
    :raises OSError: it cannot be read
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    try:
        document = json.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: not UTF-8, as a HAR file is (at byte {error.start})") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"{path}: not JSON: {error.msg} (line {error.lineno}, column {error.colno})") from None
    except ValueError:  # Python takes no more digits than sys.get_int_max_str_digits()
        raise ValueError(f"{path}: not a HAR file: there is a number of too many digits") from None
    except RecursionError:
        raise ValueError(f"{path}: not a HAR file: there are too many objects within each other") from None
    _check(document, path)
    return dict(document)


def _check(document: Any, path: Path) -> None:
    log = document.get("log") if isinstance(document, dict) else None
    if not isinstance(log, dict):
        raise ValueError(f'{path}: not a HAR file: it has no object "log"')  # noqa: TRY004  # the file, not the call
    version = log.get("version", VERSION)
    if not (isinstance(version, str) and re.fullmatch(r"1(\.\d+)*|", version)):
        raise ValueError(f"{path}: a HAR file of version {version!r:.40}, where 1.2 is known")
    entries = log.get("entries")
    if not isinstance(entries, list):
        raise ValueError(f'{path}: not a HAR file: "log" has no list "entries"')  # noqa: TRY004  # the same
    for number, entry in enumerate(entries, 1):
        if not isinstance(entry, dict):
            raise ValueError(f"{path}: entry {number} is not an object")  # noqa: TRY004  # the same


def write(path: Path, document: Document) -> None:
    """Put a file with ``document`` at ``path`` in one step; folders on the way to it are made.

    Whoever reads it meanwhile, and whoever finds it after this process was killed, sees the old one or the new one. A
    file that is replaced leaves its mode to the new one; of a symbolic link the file is replaced to which it leads.

    :raises OSError: it cannot be written, or what is there is no file; that is there still
    """
    place = path.resolve()
    place.parent.mkdir(parents=True, exist_ok=True)
    put_file(place, dumps(document).encode(), _MODE, keep_mode=True)


def alone(path: Path) -> AbstractContextManager[None]:
    """Keep others who ask for it here, in any process, from the folder of ``path``, which is made."""
    folder = path.resolve().parent
    folder.mkdir(parents=True, exist_ok=True)
    return alone_in(folder)


def dumps(document: Document) -> str:
    """``document`` as text; the same one always gives the same text."""
    return _INVISIBLE.sub(lambda found: f"\\u{ord(found[0]):04x}", _dumped(document, "")) + "\n"


def _dumped(value: Any, indent: str) -> str:
    if isinstance(value, (dict, list)) and value:
        if indent and not any(isinstance(one, (dict, list)) and one for one in _parts(value)):
            line = json.dumps(value, ensure_ascii=False, sort_keys=True)
            if len(indent) + len(line) <= WIDTH:
                return line
        return _in_lines(value, indent)
    return json.dumps(value, ensure_ascii=False)


def _parts(value: dict[str, Any] | list[Any]) -> list[Any]:
    return list(value.values()) if isinstance(value, dict) else value


def _in_lines(value: dict[str, Any] | list[Any], indent: str) -> str:
    deeper = indent + "  "
    if isinstance(value, list):
        lines = [deeper + _dumped(one, deeper) for one in value]
        return "[\n" + ",\n".join(lines) + f"\n{indent}]"
    lines = [f"{deeper}{json.dumps(key, ensure_ascii=False)}: {_dumped(value[key], deeper)}" for key in sorted(value)]
    return "{\n" + ",\n".join(lines) + f"\n{indent}}}"
