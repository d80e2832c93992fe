"""Where a webhook may point: to the public internet, or into networks that the operator names.

A name is looked up once and the connection goes to the address that was checked, so that a name server cannot answer
differently the second time. Pure but for the look-up.
"""

import ipaddress
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, TypeAlias
from urllib.parse import SplitResult, urlsplit

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network

PORTS: Final = {"https": 443, "http": 80}
# Beside what Python calls not global. Addresses that carry an IPv4 address inside, which a gateway may unwrap (NAT64,
# 6to4, Teredo, the old compatible ones), and special ones of IANA's registries that older versions do not know.
WRAPPED: Final = ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32", "::/96")
SPECIAL: Final = ("192.0.0.0/24", "192.88.99.0/24", "fec0::/10", "5f00::/16", "3fff::/20")
CLOSED: Final[tuple[Network, ...]] = tuple(map(ipaddress.ip_network, WRAPPED + SPECIAL))


class Forbidden(Exception):
    """The address is not one that may be called; `code` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Unknown(Exception):
    """The name cannot be looked up, at least not now."""


@dataclass(frozen=True, slots=True)
class Target:
    """Whom to call: `ip` was checked, `host` is what its certificate has to name."""

    scheme: str
    host: str
    ip: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"


def parsed(url: str, *, allowed: Iterable[Network]) -> SplitResult:
    """The parts of an address that could be called. Raises Forbidden.

    Without encryption only where some network is allowed: nobody else's line carries it then.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise Forbidden("not-an-address") from None
    is_text = url.isascii() and url.isprintable() and " " not in url
    if parts.scheme not in PORTS or not parts.hostname or not is_text or port == 0:
        raise Forbidden("not-an-address")
    if parts.scheme == "http" and not any(True for _ in allowed):
        raise Forbidden("not-encrypted")
    if parts.username is not None or parts.password is not None:
        raise Forbidden("holds-a-password")
    return parts


def resolve(url: str, *, allowed: Iterable[Network] = ()) -> Target:
    """The target of an address. Every address of the name has to be good. Raises Forbidden and Unknown."""
    networks = tuple(allowed)
    parts = parsed(url, allowed=networks)
    host, port = str(parts.hostname), parts.port or PORTS[parts.scheme]
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Unknown(type(error).__name__) from error
    ips = [str(sockaddr[0]).partition("%")[0] for *_rest, sockaddr in found]
    if not ips or not all(_may_be_called(ipaddress.ip_address(ip), parts.scheme, networks) for ip in ips):
        raise Forbidden("not-public")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(scheme=parts.scheme, host=host, ip=ips[0], port=port, path=path)


def _may_be_called(ip: Address, scheme: str, allowed: tuple[Network, ...]) -> bool:
    inner = getattr(ip, "ipv4_mapped", None) or ip
    if any(inner.version == network.version and inner in network for network in allowed):
        return True
    return scheme == "https" and is_public(inner)


def is_public(ip: Address) -> bool:
    """Whether an address belongs to the public internet, and to one machine there."""
    is_closed = any(ip in network for network in CLOSED if ip.version == network.version)
    return ip.is_global and not ip.is_multicast and not is_closed
