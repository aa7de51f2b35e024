"""The behaviours of a client, each a decision and what carries it out."""

from ._auth import ATTEMPTS, AuthMiddleware, in_time, is_replayable, or_closed, verdict
from ._cookies import CookiesMiddleware
from ._expectations import ExpectationsMiddleware
from ._redirects import RedirectsMiddleware
from ._retries import SPENT, RetriesMiddleware

__all__ = [
    "ATTEMPTS",
    "SPENT",
    "AuthMiddleware",
    "CookiesMiddleware",
    "ExpectationsMiddleware",
    "RedirectsMiddleware",
    "RetriesMiddleware",
    "in_time",
    "is_replayable",
    "or_closed",
    "verdict",
]
