"""What is not shown: the secrets in URLs and header fields, in a log, in an error, in a repr.

Names tell what is a secret. They are recognised by patterns, because a list never has the next one. What is hidden or
dropped in vain costs little; but names that are common and harmless (``page``, ``sort_key``, ``X-Pass-Through``) must
stay legible, or a log is of no use.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import unquote

HIDDEN: Final = "***"
"""What stands in the place of a secret."""

_WORD: Final = r"(?:(?<![a-z])|(?-i:(?<=[a-z])(?=[A-Z])))"
"""Where a word begins, of which a name may have several: ``user_pass``, ``user-pass``, ``userPass``; not ``bypass``."""

_END: Final = r"(?:(?![a-z])|(?-i:(?<=[a-z])(?=[A-Z])|(?=[A-Z][a-z])))"
"""Where one ends: ``otp_code``, ``otpCode``, ``OTPCode``; not ``hotpink``."""

_LAST: Final = r"\d*\]?$"
"""The end of a name, be it ``pass2`` or ``user[pass]``."""

_ANYWHERE: Final = "|".join(
    (
        # Whoever has it is let in: access tokens, sessions, and what keeps forms from being forged.
        r"(?i)token|secret|bearer|jwt|sess(?:ion|id)|(?<!allow-)credential|[cx]srf",
        # The same, by names so short that they are one in no company but that of "X-": phpBB, single sign-on, CAS.
        r"^(?:x-)?(?:sid|sso|ticket)$",
        # Keys of services, and what identifies them (AWSAccessKeyId, Ocp-Apim-Subscription-Key of Azure).
        r"(?:api|access|subscription|private)[-_]?key",
        # What a person knows; as the last word, for X-Pass-Through is none.
        rf"passw|passphrase|passcode|{_WORD}(?:pass|pwd?){_LAST}",
        # The second factor: X-GitHub-OTP, otp_attempt, totp.
        rf"{_WORD}[th]?otp{_END}",
        # What was computed from a secret, and can be presented once more: of signed URLs, webhooks, RFC 9421.
        rf"signature|{_WORD}hmac{_END}",
        # Who somebody is, signed by another: OAuth 2 (RFC 7521), SAML. Not client_assertion_type, which is a constant.
        rf"assertion{_LAST}|saml[-_]?(?:response|art)",
    )
)
"""Names that are secrets wherever they stand."""

_IN_QUERIES: Final = _ANYWHERE + r"|^(?:key|sig|sign|code|auth)$"
"""In a query besides: those of signed URLs, of OAuth 2, of services with keys; alone, for ``sort_key`` is none."""

_IN_FIELDS: Final = (
    _ANYWHERE
    + r"|auth(?!or(?!i))|cookie|honeycomb-team"
    + r"|(?<!idempotency)(?<!websocket)(?<!surrogate)(?<!cache)-key$"
)
"""In a head besides: Authorization and its kin (not X-Author), Cookie, Auth-Key, Fastly-Key ... What is dropped in vain
was most likely of no use to a stranger either."""

_TAIL: Final = r"(?i)(?:or?d|d)?s?(?:[-_ ]?(?:id|key|value|code|hash|pem|data|string|text|plain))?\d*\]?"
"""What may follow the word in the name of a member of JSON that holds a secret, and is not about one: ``session_id``,
``SecretString``, ``tokens``, ``password``; not ``token_type``, ``token_endpoint``, ``session_count``."""

_FIELDS_IN_JSON: Final = r"(?i)(?:proxy-)?authorization|(?:set-)?cookie"
"""Members that are called as fields are: of a server that says what it was asked."""


def shown_url(text: str) -> str:
    """``text`` with the values of parameters hidden that mostly are secrets."""
    if "?" not in text:
        return text
    shown, end, delimiter = [], 0, re.compile("[&;#]|\\Z").search
    for found in re.finditer(r"[?&;]([^=?&;#]+)=", text):  # values have "?" too, and URLs of their own
        if found.start() >= end and is_secret_parameter(unquote(found[1])):
            shown += [text[end : found.end()], HIDDEN]
            stop = delimiter(text, found.end())
            assert stop is not None
            end = stop.start()
    return "".join([*shown, text[end:]])


USERINFO: Final = re.compile(r"(?<=//)[^/?#\s]*@")
"""User and password in a URL, wherever in a text that is; with the ``@``."""


def shown_text(text: str) -> str:
    """``text``, such as that of an error, with the secrets hidden that URLs in it have."""
    # Word by word: behind a URL in a line there is more, which is no part of its query.
    return re.sub(r"\S+", lambda found: shown_url(found[0]), USERINFO.sub(f"{HIDDEN}@", text))


def is_secret(name: str) -> bool:
    """Whether a field of this name is taken for a credential, which is for its own origin only, and not to be shown."""
    return re.search(_IN_FIELDS, name) is not None


def is_secret_parameter(name: str) -> bool:
    """Whether the value of a parameter of this name, in a query or a form, mostly is a secret."""
    return re.search(_IN_QUERIES, name) is not None


def is_secret_member(name: str) -> bool:
    """Whether the text that a member of this name has in an object of JSON mostly is a secret.

    Stricter than for parameters, as documents say much about secrets without holding one, and what is hidden in vain is
    missed by whoever reads the rest.
    """
    if re.fullmatch(_FIELDS_IN_JSON, name):
        return True
    return any(re.fullmatch(_TAIL, name[found.end() :]) for found in re.finditer(_ANYWHERE, name))
