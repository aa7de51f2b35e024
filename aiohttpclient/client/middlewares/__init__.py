"""The behaviours of a client, each a decision and what carries it out."""

from ._auth import AuthMiddleware
from ._cookies import CookiesMiddleware
from ._redirects import RedirectsMiddleware
from ._retries import SPENT, RetriesMiddleware

__all__ = ["SPENT", "AuthMiddleware", "CookiesMiddleware", "RedirectsMiddleware", "RetriesMiddleware"]
