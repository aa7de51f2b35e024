"""What the environment of the process says: proxies, certificates, a file for TLS keys.

Theory of operation
-------------------
The variables are read once, when an :class:`Environment` is made; what they mean is worked out when it is first needed.
A client with ``trust_env=False`` makes none. There is no standard for the variables of proxies. What curl does is taken
for one, and where people write more than curl reads (ports, ``*.example.org``), they get what they mean:

* ``http_proxy``, ``https_proxy``: for origins of that scheme. ``all_proxy``: for those without one of their own.
* The name in lower case wins over the one in upper case, and, empty, turns that off, as in ``urllib``.
* ``HTTP_PROXY`` counts only outside of CGI: there it may be a field ``Proxy`` of somebody's request (CVE-2016-5385,
  "httpoxy"). The presence of ``REQUEST_METHOD`` tells.
* Loopback is like every other host: an exception for it must be in ``no_proxy``.

``urllib.request.getproxies`` is asked for what only it knows: the settings of macOS and Windows, when no variable names
a proxy; and ``proxy_bypass`` for the exceptions to those. For the variables they do not do: they read those of the
process only, and of ``no_proxy`` neither networks nor IPv6 addresses, nor a port that is the scheme's own.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import ssl
import sys
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from .._url import ascii_host, split_url
from ..errors import InvalidURL
from ..net import default_context, make_context
from ..pool import Proxy

if TYPE_CHECKING:
    from collections.abc import Mapping

    Address: TypeAlias = IPv4Address | IPv6Address
    Network: TypeAlias = IPv4Network | IPv6Network

SCHEMES: Final = ("http", "https", "all")
"""What ``_proxy`` is put behind, in the names of variables."""

WITH_SYSTEM_SETTINGS: Final = frozenset({"darwin", "win32"})
"""Where ``urllib.request.getproxies`` knows more than the variables (``sys.platform``)."""


class Chosen(NamedTuple):
    """A proxy, and where it was found."""

    source: str
    url: str


class NoProxy:
    """The hosts that are asked directly, as ``no_proxy`` lists them. Whatever is none of the following is ignored.

    Entries are separated by commas or blanks:

    * ``*``: all hosts
    * ``example.org``, also ``.example.org`` and ``*.example.org``: the name and all below it
    * ``10.1.2.3``, ``::1``, ``[::1]``: the address
    * ``10.0.0.0/8``, ``fd00::/8``, ``[fd00::]/8``: all addresses of the network
    * ``example.org:8080``, ``[::1]:8080``, ``10.0.0.0/8:8080``: the same, but only at that port

    An address is never looked up for a name: ``10.0.0.0/8`` says nothing about ``intranet.example``.
    """

    __slots__ = ("_everything", "_names", "_networks")

    def __init__(self, text: str) -> None:
        self._everything = False
        self._names: dict[str, set[int | None]] = {}  # None: at every port
        self._networks: list[tuple[Network, int | None]] = []
        for entry in re.split(r"[,\s]+", text):
            if entry == "*":
                self._everything = True
            elif entry:
                self._add(entry)

    def _add(self, entry: str) -> None:
        name, port = _without_port(entry)
        if (network := _network(name)) is not None:
            self._networks.append((network, port))
        elif (found := _name(name.removeprefix("*.").lstrip("."))) is not None:
            self._names.setdefault(found, set()).add(port)

    def covers(self, host: str, port: int) -> bool:
        """Whether ``host`` (a name, or an address without brackets) is to be asked directly at ``port``."""
        if self._everything:
            return True
        if (address := _address(host)) is not None:
            forms = (address, getattr(address, "ipv4_mapped", None) or address)
            return any(form in network and at in {None, port} for network, at in self._networks for form in forms)
        name = host.lower().removesuffix(".")
        while name:
            if not {None, port}.isdisjoint(self._names.get(name, ())):
                return True
            name = name.partition(".")[2]
        return False


class Environment:
    """What the environment says to a client, as it was when this was made.

    :param environ: the variables; None: those of the process, and the system's settings besides
    """

    __slots__ = ("_listed", "_no_proxy", "_proxies", "_system", "cert_dir", "cert_file", "keylog_file")

    def __init__(self, environ: Mapping[str, str] | None = None) -> None:
        # Copied: the original looks names up without case on Windows, and so would not tell HTTP_PROXY from http_proxy.
        variables = dict(os.environ if environ is None else environ)
        self._proxies = {scheme: found for scheme in SCHEMES if (found := _proxy_variable(variables, scheme))}
        self._listed = (_either(variables, "no_proxy") or Chosen("", "")).url
        self._no_proxy: NoProxy | None = None
        self._system = False
        if environ is None and not self._proxies and sys.platform in WITH_SYSTEM_SETTINGS:
            self._proxies = _system_proxies()
            self._system = bool(self._proxies)
        self.cert_file = variables.get("SSL_CERT_FILE") or None
        self.cert_dir = variables.get("SSL_CERT_DIR") or None
        self.keylog_file = variables.get("SSLKEYLOGFILE") or None

    def __repr__(self) -> str:
        return (
            f"<{type(self).__name__} proxies from {', '.join(each.source for each in self._proxies.values()) or '-'}>"
        )

    @property
    def has_proxies(self) -> bool:
        """Whether there is any proxy; without one, ``proxy_for`` need not be asked."""
        return bool(self._proxies)

    def proxy_for(self, origin: str) -> str | None:
        """The URL of the proxy for ``origin`` (``"https://example.org"``, ``"http://[::1]:8080"``); None: no proxy.

        Where the proxy is one of the system's settings, and these have exceptions, the system may look the name up
        meanwhile, and everything waits. A pool asks once for each origin.

        :raises InvalidURL: ``origin`` is no absolute URL, or what a variable holds is not the URL of a proxy: the text
            names the variable, and does not show what it holds
        """
        scheme, host, port, _ = split_url(origin)
        found = self._proxies.get(scheme) or self._proxies.get("all")
        if found is None or self._exempt(host, port):
            return None
        try:
            Proxy.parse(found.url)
        except InvalidURL as error:
            raise InvalidURL(f"{found.source}: {error}") from None
        return found.url

    def _exempt(self, host: str, port: int) -> bool:
        if self._system:
            from urllib.request import proxy_bypass

            return bool(proxy_bypass(host))
        if self._no_proxy is None:
            self._no_proxy = NoProxy(self._listed)
        return self._no_proxy.covers(host, port)

    def verify_paths(self) -> tuple[str | None, str | None]:
        """``SSL_CERT_FILE`` and ``SSL_CERT_DIR``: what is trusted instead of certifi's roots; None: not set.

        The file has certificates in PEM, the directory one in each file, named by its hash (``openssl rehash``); there
        may be several, separated as in ``PATH``.

        :raises OSError: there is no such file or directory; the text names the variable
        """
        if self.cert_file is not None and not os.path.isfile(self.cert_file):  # noqa: PTH113  # a path as OpenSSL has it
            raise _missing("SSL_CERT_FILE", "file", self.cert_file)
        for path in (self.cert_dir or "").split(os.pathsep):
            if path and not os.path.isdir(path):  # noqa: PTH112  # the same
                raise _missing("SSL_CERT_DIR", "directory", path)
        return self.cert_file, self.cert_dir

    def ssl_context(self) -> ssl.SSLContext | None:
        """A context like the default one, with what the variables say; None: they say nothing.

        With ``SSL_CERT_FILE`` or ``SSL_CERT_DIR`` only what is there is trusted. ``SSLKEYLOGFILE`` gets the keys of all
        connections, with which whoever has recorded them can read them.

        :raises OSError, ssl.SSLError: a file is not there, cannot be read or written, or has no certificates; the text
            names the variable
        """
        cafile, capath = self.verify_paths()
        if not (cafile or capath or self.keylog_file):
            return None
        if self.keylog_file:
            _check_writable("SSLKEYLOGFILE", self.keylog_file)
        context = _trusting(cafile, capath) if cafile or capath else make_context()
        context.keylog_filename = self.keylog_file  # type: ignore[assignment]  # None is fine: no file
        return context


def without_environment() -> ssl.SSLContext | None:
    """A context for clients that trust no variable; None: the default one will do.

    Python itself looks at ``SSLKEYLOGFILE`` when it makes a context.
    """
    if default_context().keylog_filename is None:
        return None
    context = make_context()
    context.keylog_filename = None  # type: ignore[assignment]  # no file
    return context


# -- variables ---------------------------------------------------------------------------------------------------------


def _proxy_variable(variables: Mapping[str, str], scheme: str) -> Chosen | None:
    """The proxy for ``scheme`` that a variable names, as a URL."""
    found = _either(variables, f"{scheme}_proxy")
    if found is None or (found.source == "HTTP_PROXY" and "REQUEST_METHOD" in variables):
        return None
    return Chosen(found.source, _as_url(found.url))


def _either(variables: Mapping[str, str], name: str) -> Chosen | None:
    """The variable ``name`` in lower case, or in upper case when there is none; None: nothing is in it."""
    source = name if name in variables else name.upper()
    value = variables.get(source, "").strip()
    return Chosen(source, value) if value else None


def _as_url(text: str) -> str:
    scheme, separator, rest = text.partition("://")
    if not separator:
        return f"http://{text}"
    return f"socks4://{rest}" if scheme.lower() == "socks" else text  # as curl takes it, and Windows means it


def _system_proxies() -> dict[str, Chosen]:
    """The proxies of the system's settings (macOS, Windows)."""
    from urllib.request import getproxies

    return {
        scheme: Chosen("the system's settings", _as_url(url))
        for scheme, url in getproxies().items()
        if scheme in SCHEMES
    }


# -- entries of no_proxy -----------------------------------------------------------------------------------------------


def _without_port(entry: str) -> tuple[str, int | None]:
    """The host, or network, of an entry, and the port if it has one."""
    found = re.fullmatch(r"((?:\[[^\]]*\]|[^:/]*)(?:/[0-9.]*)?):([0-9]{1,5})", entry)
    return (found[1], int(found[2])) if found else (entry, None)


def _network(text: str) -> Network | None:
    """The network, or the single address, that ``text`` stands for."""
    bare = text.replace("[", "", 1).replace("]", "", 1).partition("%")[0]
    with contextlib.suppress(ValueError):
        return ip_network(bare, strict=False)
    return None


def _name(text: str) -> str | None:
    with contextlib.suppress(InvalidURL):
        return ascii_host(text).lower().removesuffix(".")
    return None


def _address(host: str) -> Address | None:
    with contextlib.suppress(ValueError):
        return ip_address(host.partition("%")[0])
    return None


# -- certificates ------------------------------------------------------------------------------------------------------


def _missing(variable: str, kind: str, path: str) -> OSError:
    return FileNotFoundError(errno.ENOENT, f"{variable} names a {kind} that is not there", path)


def _check_writable(variable: str, path: str) -> None:
    """Make the file if there is none; whoever makes a context later does not say which variable is to blame."""
    try:
        with open(path, "ab"):  # noqa: PTH123  # a path as OpenSSL has it
            pass
    except OSError as error:
        raise OSError(error.errno, f"{variable}: {error.strerror}", path) from None


def _trusting(cafile: str | None, capath: str | None) -> ssl.SSLContext:
    """A context that differs from ``make_context`` in what it trusts only."""
    variables = " and ".join(name for name, path in (("SSL_CERT_FILE", cafile), ("SSL_CERT_DIR", capath)) if path)
    try:
        return make_context(cafile=cafile, capath=capath)
    except ssl.SSLError as error:
        raise ssl.SSLError(error.errno, f"{variables}: no certificates could be read: {error.strerror}") from None
    except OSError as error:
        raise OSError(error.errno, f"{variables}: {error.strerror}", cafile or capath) from None
