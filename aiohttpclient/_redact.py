"""What is not shown: the secrets in URLs and header fields, in a log, in an error, in a repr."""

from __future__ import annotations

import re
from typing import Final

HIDDEN: Final = "***"
"""What stands in the place of a secret."""

_HIDING: Final = (
    r"(?i)([?&;](?:[^=&;#]*(?:token|secret|passw|signature|credential|api[-_]?key|session)[^=&;#]*|key|sig|code|auth|pwd)=)"
    r"[^&;#]*"
)
"""Parameters of a query that mostly are secrets: those of signed URLs, of OAuth 2, of services with keys. Compiled when
first used."""


def shown_url(text: str) -> str:
    """``text`` with the values of such parameters hidden."""
    return re.sub(_HIDING, rf"\1{HIDDEN}", text) if "?" in text else text


_CREDENTIALS: Final = (
    r"(?i)auth(?!or(?!i))|cookie|token|secret|passw|(?<!allow-)credential|jwt|bearer|session|api-?key|honeycomb-team"
    r"|(?<!idempotency)(?<!websocket)-key$"
)
"""Parts of names of fields that are credentials: Authorization, Cookie, X-Api-Key, X-Auth-Token, X-Csrf-Token,
X-Amz-Security-Token, Private-Token (GitLab), Ocp-Apim-Subscription-Key (Azure), Mcp-Session-Id ... A pattern, because a
list never has the next one. What is dropped in vain was most likely of no use to a stranger either."""


def is_secret(name: str) -> bool:
    """Whether a field of this name is taken for a credential, which is for its own origin only, and not to be shown."""
    return re.search(_CREDENTIALS, name) is not None
