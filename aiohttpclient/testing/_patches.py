"""Which interceptors are on, and what is put in the place of methods of pools and connections while any is.

Theory of operation. Sites are a stack, for the whole process: the last one that was started is asked first. The
first of them puts replacements into the classes, the last one that goes takes them out again, so that nothing costs
anything while there are none. What was begun with a replacement may end after it was taken out: it knows the original.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._site import Site

_MISSING: Final = object()


class Patch:
    """A method of a class, and what stands in its place while interceptors are on.

    ``original`` is what is called in place of the replacement: what was there when that was put in.
    """

    def __init__(self, owner: type, name: str, replacement: Callable[..., Any]) -> None:
        self._owner = owner
        self._name = name
        self._replacement = replacement
        self._own: Any = _MISSING
        self.original: Callable[..., Any] = getattr(owner, name)

    def put_in(self) -> None:
        """Put the replacement in."""
        self._own = vars(self._owner).get(self._name, _MISSING)
        self.original = getattr(self._owner, self._name)
        setattr(self._owner, self._name, self._replacement)

    def take_out(self) -> None:
        """Put back what was there; nothing, where the class had it from another one."""
        if self._own is _MISSING:
            delattr(self._owner, self._name)
        else:
            setattr(self._owner, self._name, self._own)


class Stack:
    """The sites of the interceptors that are on, the last one at the end, and the patches that this takes."""

    def __init__(self) -> None:
        self.all: tuple[Site, ...] = ()
        self.patches: list[Patch] = []
        self._lock = threading.RLock()

    def patch(self, owner: type, name: str) -> Callable[[Callable[..., Any]], Patch]:
        """The decorated function is to be put in the place of ``owner.name``."""

        def made(replacement: Callable[..., Any]) -> Patch:
            self.patches.append(Patch(owner, name, replacement))
            return self.patches[-1]

        return made

    def add(self, site: Site) -> None:
        """Ask that of ``site`` first from now on."""
        with self._lock:
            if not self.all:
                for patch in self.patches:
                    patch.put_in()
            self.all = (*self.all, site)

    def remove(self, site: Site) -> None:
        """Ask it no more."""
        with self._lock:
            self.all = tuple(each for each in self.all if each is not site)
            if not self.all:
                for patch in self.patches:
                    patch.take_out()

    def below(self, site: Site) -> tuple[Site, ...]:
        """Those that are asked after that of ``site``; none where it is not on any more."""
        below: list[Site] = []
        for each in self.all:
            if each is site:
                return tuple(below)
            below.append(each)
        return ()


STACK: Final = Stack()
