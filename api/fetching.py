"""Files from other hosts, fetched so that nobody can make this server ask where they themselves could not.

The host's name is resolved once, every address that it has is judged, and the connection goes to an address that was
found good: a name that says something else a moment later changes nothing. Redirects are judged like the first address.
"""

import asyncio
import contextlib
import functools
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from pathlib import PurePosixPath
from urllib.parse import unquote

import httpx
from anyio import to_thread

from cms.errors import Fault, InvalidContent
from media.receiving import Incoming, Received

Address = IPv4Address | IPv6Address
# The addresses of a host's name. Raises OSError for a name that has none.
Resolve = Callable[[str, int], Sequence[Address]]
# Whether the server may be asked at this address and port.
Allowed = Callable[[Address, int], bool]

MOST_REDIRECTS = 5
# Threads of their own: names that take long to answer must not keep the server's from everybody else.
_RESOLVERS = ThreadPoolExecutor(4, thread_name_prefix="resolver")
_MOST_ADDRESSES = 3
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


@dataclass(frozen=True)
class Fetched:
    """What came, the name that its address ends with, and what the host calls this state of it."""

    name: str
    received: Received
    etag: str | None = None
    last_modified: str | None = None


class NotModified(Exception):
    """The host says that nothing has changed since."""


@dataclass(frozen=True)
class _Asked:
    """A web address that was read and found plain."""

    url: httpx.URL
    host: str
    port: int


def resolved(host: str, port: int) -> Sequence[Address]:
    """What the system's resolver says."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    # A scope, as in fe80::1%eth0, is no part of the address.
    return [ip_address(str(one[4][0]).partition("%")[0]) for one in found]


def is_outside(address: Address, port: int) -> bool:
    """Whether the whole world can reach the address: not private, not special, not another one in disguise; on the
    ports of the web."""
    if port not in (80, 443) or not address.is_global or address.is_multicast or address.is_reserved:
        return False
    if isinstance(address, IPv6Address) and address not in _GLOBAL_UNICAST:
        return False
    return not any(address.version == network.version and address in network for network in _SPECIAL)


# Whatever else IPv6 has is mapped (::ffff:0:0/96), translated (64:ff9b::/96), local, multicast or not given out.
_GLOBAL_UNICAST = ip_network("2000::/3")
# Beside what Python's is_global, is_multicast and is_reserved know, which differs between its versions.
_SPECIAL = tuple(
    ip_network(network)
    for network in (
        "0.0.0.0/8",
        "100.64.0.0/10",
        "192.0.0.0/24",
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",
        "192.175.48.0/24",
        "198.18.0.0/15",
        "2001::/23",  # Teredo, ORCHID and other protocols
        "2001:db8::/32",
        "2002::/16",  # 6to4: an IPv4 address inside
        "2620:4f:8000::/48",
        "3fff::/20",
    )
)


@functools.cache
def trusted() -> ssl.SSLContext:
    """The certificates of the world."""
    return httpx.create_ssl_context(trust_env=False)


@dataclass(frozen=True)
class Fetcher:
    """How files are fetched. `seconds` is for everything together: names, redirects and the last byte."""

    resolve: Resolve = resolved
    allowed: Allowed = is_outside
    trusted: Callable[[], ssl.SSLContext] = trusted
    seconds: float = 60

    async def fetch(self, url: str, *, into: Incoming) -> Fetched:
        """Take what an address gives. Raises `InvalidContent` with a fault of `/url`, `TooLarge`."""
        return await self._fetch(url, into, {})

    async def fetch_changed(
        self, url: str, *, into: Incoming, etag: str | None = None, last_modified: str | None = None
    ) -> Fetched:
        """The same, unless the host says that it is still in the state that was seen. Raises `NotModified`, too."""
        seen = {"If-None-Match": etag, "If-Modified-Since": last_modified}
        return await self._fetch(url, into, {name: value for name, value in seen.items() if value})

    async def _fetch(self, url: str, into: Incoming, headers: Mapping[str, str]) -> Fetched:
        try:
            async with asyncio.timeout(self.seconds):
                return await self._follow(url, into, headers)
        except TimeoutError:
            raise _refused("fetch_failed", f"It did not arrive within {self.seconds:g} seconds.") from None
        except (httpx.InvalidURL, UnicodeError):
            raise _refused("address_refused", "It leads to what is no web address.") from None
        except httpx.HTTPError as error:
            raise _refused("fetch_failed", f"It cannot be fetched: {type(error).__name__}.") from error

    async def _follow(self, url: str, into: Incoming, headers: Mapping[str, str]) -> Fetched:
        asked = _read(url)
        for _ in range(MOST_REDIRECTS + 1):
            async with self._answer(asked, headers) as answer:
                if answer.status_code == 304 and headers:
                    raise NotModified
                if answer.status_code not in _REDIRECTS:
                    await _take(answer, into)
                    state = (answer.headers.get(name) for name in ("etag", "last-modified"))
                    return Fetched(_name(asked.url), into.finish(), *state)
                asked = _read(str(asked.url.join(answer.headers.get("location", ""))))
        raise _refused("fetch_failed", f"It leads on more than {MOST_REDIRECTS} times.")

    @contextlib.asynccontextmanager
    async def _answer(self, asked: _Asked, headers: Mapping[str, str]) -> AsyncIterator[httpx.Response]:
        addresses = await self._judged(asked)
        verify = await to_thread.run_sync(self.trusted)
        # No connection is kept: one that was made for a host must not serve another at the same address.
        async with httpx.AsyncClient(verify=verify, trust_env=False, follow_redirects=False, timeout=10) as client:
            response = await _sent(client, asked, addresses, headers)
            try:
                yield response
            finally:
                await response.aclose()

    async def _judged(self, asked: _Asked) -> Sequence[Address]:
        """The addresses of a host, every one of them allowed."""
        try:
            asking = asyncio.get_running_loop().run_in_executor(_RESOLVERS, self.resolve, asked.host, asked.port)
            addresses = await asking
        except (OSError, UnicodeError, ValueError):
            addresses = ()
        if not addresses:
            raise _refused("fetch_failed", "There is no host of that name.")
        if not all(self.allowed(address, asked.port) for address in addresses):
            raise _refused(
                "address_refused", "Files are fetched from hosts on the public Internet, on ports 80 and 443."
            )
        return addresses[:_MOST_ADDRESSES]


def _read(url: str) -> _Asked:
    try:
        read = httpx.URL(url)
        # A name such as xn--a is found out to be none only when it is read.
        host = read.host
    except (httpx.InvalidURL, UnicodeError):
        raise _refused("address_refused", "This is no web address.") from None
    if read.scheme not in ("http", "https") or not host:
        raise _refused("address_refused", "Give a web address that starts with https:// or http://.")
    if read.userinfo:
        raise _refused("address_refused", "An address with a user's name or password is not asked.")
    return _Asked(read, host, read.port or (443 if read.scheme == "https" else 80))


async def _sent(
    client: httpx.AsyncClient, asked: _Asked, addresses: Sequence[Address], headers: Mapping[str, str]
) -> httpx.Response:
    """The answer of the first address that takes the connection."""
    host = {"Host": asked.url.netloc.decode("ascii"), "Accept-Encoding": "identity", "User-Agent": "Sitedesk"}
    for last, address in enumerate(addresses, start=1 - len(addresses)):
        # The name stays in Host, and in TLS, where the certificate is checked against it.
        request = client.build_request(
            "GET",
            asked.url.copy_with(host=str(address), fragment=None),
            headers={**headers, **host},
            extensions={"sni_hostname": asked.url.raw_host.decode("ascii")},
        )
        try:
            return await client.send(request, stream=True)
        except (httpx.ConnectError, httpx.ConnectTimeout):
            if last == 0:
                raise
    raise AssertionError("no address")


async def _take(answer: httpx.Response, into: Incoming) -> None:
    if answer.status_code != 200:
        raise _refused("fetch_failed", f"The host answers {answer.status_code}.")
    if answer.headers.get("content-encoding", "identity").lower() != "identity":
        # Unpacked it could be a thousand times as large.
        raise _refused("fetch_failed", "The host sends it compressed, which it was asked not to.")
    async for chunk in answer.aiter_raw():
        await to_thread.run_sync(into.write, chunk)


def _name(url: httpx.URL) -> str:
    return unquote(PurePosixPath(url.path).name) or "file"


def _refused(code: str, message: str) -> InvalidContent:
    return InvalidContent([Fault("/url", code, message)])
