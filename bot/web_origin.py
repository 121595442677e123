"""Where a request to the page comes from: whose page sent it, and from which address on the network."""

import ipaddress
import re
from urllib.parse import urlsplit

from aiohttp import web

NEIGHBOURS = 64  # bits of an IPv6 address: whoever has one has all that share them


def is_own(origin: str, host: str, public_url: str) -> bool:
    """Whether a page of this origin is ours. Behind a proxy the host may be the server's name inside."""
    return origin.partition("://")[2] == host or site_of(origin) == site_of(public_url) is not None


def site_of(address: str) -> tuple[str, str, int] | None:
    """Scheme, host and port of an address; None for what is no http(s) address."""
    try:
        parts = urlsplit(address)
        port = parts.port or {"http": 80, "https": 443}[parts.scheme]
    except (ValueError, KeyError):
        return None
    return (parts.scheme, parts.hostname, port) if parts.hostname else None


def address_of(request: web.Request, *, proxied: bool) -> str:
    """Where the visitor comes from: the peer, or whom a proxy of ours speaks for.

    X-Forwarded-For is believed where the peer is this machine, or in the same private network when there is a public
    address, which is then a proxy's; and only its last part, which that proxy wrote itself.
    """
    peer = _ip(request.remote or "")
    if peer is None:
        return request.remote or ""
    forwarded = request.headers.getall("X-Forwarded-For", [])
    if forwarded and (peer.is_loopback or (proxied and peer.is_private)):
        peer = _ip(forwarded[-1].rpartition(",")[2].strip()) or peer
    if isinstance(peer, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((peer, NEIGHBOURS), strict=False))
    return str(peer)


def _ip(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """An address, with or without a port (“[2001:db8::1]:443”), as some proxies write it."""
    if found := re.fullmatch(r"\[(.+)\](:\d+)?|([\d.]+):\d+", text):
        text = found[1] or found[3]
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, ipaddress.IPv6Address) else address
