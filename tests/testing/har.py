"""HAR 1.2 as data: what must be there, and of which type, after http://www.softwareishard.com/blog/har-12-spec/."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

NUMBER = (int, float)

FIELD = {"name": str, "value": str}
COOKIE = {"name": str, "value": str, "path?": str, "domain?": str, "expires?": str, "httpOnly?": bool, "secure?": bool}
REQUEST = {
    "method": str, "url": str, "httpVersion": str, "cookies": [COOKIE], "headers": [FIELD], "queryString": [FIELD],
    "postData?": {"mimeType": str, "text": str, "params?": list}, "headersSize": NUMBER, "bodySize": NUMBER,
}  # fmt: skip
CONTENT = {"size": NUMBER, "compression?": NUMBER, "mimeType": str, "text?": str, "encoding?": str}
RESPONSE = {
    "status": NUMBER, "statusText": str, "httpVersion": str, "cookies": [COOKIE], "headers": [FIELD],
    "content": CONTENT, "redirectURL": str, "headersSize": NUMBER, "bodySize": NUMBER,
}  # fmt: skip
TIMINGS = {
    "blocked?": NUMBER, "dns?": NUMBER, "connect?": NUMBER, "send": NUMBER, "wait": NUMBER, "receive": NUMBER,
    "ssl?": NUMBER,
}  # fmt: skip
ENTRY = {
    "pageref?": str, "startedDateTime": str, "time": NUMBER, "request": REQUEST, "response": RESPONSE, "cache": dict,
    "timings": TIMINGS, "serverIPAddress?": str, "connection?": str,
}  # fmt: skip
FILE = {
    "log": {
        "version": str, "creator": {"name": str, "version": str}, "browser?": dict, "pages?": list, "entries": [ENTRY],
    },
}  # fmt: skip


def check(found: Any, rule: Any, where: str = "file") -> None:
    """Refuse what HAR 1.2 does not allow; names that begin with an underscore are free, and so is ``comment``."""
    if isinstance(rule, dict):
        assert isinstance(found, dict), where
        for name, one in rule.items():
            if name.rstrip("?") in found:
                check(found[name.rstrip("?")], one, f"{where}.{name}")
            else:
                assert name.endswith("?"), f"{where}.{name} is missing"
        unknown = {name for name in found if name not in rule and f"{name}?" not in rule and not name.startswith("_")}
        assert not unknown - {"comment"}, f"{where}: {unknown}"
    elif isinstance(rule, list):
        assert isinstance(found, list), where
        for one in found:
            check(one, rule[0], f"{where}[]")
    else:
        assert isinstance(found, rule), where


DATE = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)"


def entries(path: Path) -> list[dict[str, Any]]:
    """The entries of a file that is HAR 1.2."""
    document = json.loads(path.read_bytes().decode())
    check(document, FILE)
    listed: list[dict[str, Any]] = document["log"]["entries"]
    for one in listed:
        assert re.fullmatch(DATE, one["startedDateTime"])
        assert one["time"] == sum(value for name, value in one["timings"].items() if value >= 0 and name != "ssl")
        assert min(one["timings"][name] for name in ("send", "wait", "receive")) >= 0
    return listed
