"""A method of the mock for each method of HTTP."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing import Unpack

    from ._mock_registration import AnswerOptions, Registration
    from ._mock_url import Address


class MockVerbs(ABC):
    """What can be said shorter where there is an ``add``."""

    @abstractmethod
    def add(self, url: Address, method: str = "GET", *args: Any, **answer: Any) -> Registration:
        """Answer a request."""

    def get(self, url: Address, **answer: Unpack[AnswerOptions]) -> Registration:
        """``add(url, "GET", ...)``: see there for the arguments."""
        return self.add(url, "GET", **answer)

    def head(self, url: Address, **answer: Unpack[AnswerOptions]) -> Registration:
        """``add(url, "HEAD", ...)``: see there for the arguments."""
        return self.add(url, "HEAD", **answer)

    def post(self, url: Address, **answer: Unpack[AnswerOptions]) -> Registration:
        """``add(url, "POST", ...)``: see there for the arguments."""
        return self.add(url, "POST", **answer)

    def put(self, url: Address, **answer: Unpack[AnswerOptions]) -> Registration:
        """``add(url, "PUT", ...)``: see there for the arguments."""
        return self.add(url, "PUT", **answer)

    def patch(self, url: Address, **answer: Unpack[AnswerOptions]) -> Registration:
        """``add(url, "PATCH", ...)``: see there for the arguments."""
        return self.add(url, "PATCH", **answer)

    def delete(self, url: Address, **answer: Unpack[AnswerOptions]) -> Registration:
        """``add(url, "DELETE", ...)``: see there for the arguments."""
        return self.add(url, "DELETE", **answer)

    def options(self, url: Address, **answer: Unpack[AnswerOptions]) -> Registration:
        """``add(url, "OPTIONS", ...)``: see there for the arguments."""
        return self.add(url, "OPTIONS", **answer)
