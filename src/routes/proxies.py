"""The client behind reverse proxies, as far as the proxies are trusted."""

import ipaddress
from collections.abc import Mapping, Sequence

from starlette.types import Scope

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class TrustedProxies:
    """Reads ``X-Forwarded-For`` and ``X-Forwarded-Proto``, which anybody can send, only from trusted peers."""

    def __init__(self, proxies: Sequence[str]) -> None:
        self._networks: list[Network] = [ipaddress.ip_network(each, strict=False) for each in proxies]

    def apply(self, scope: Scope, headers: Mapping[bytes, bytes]) -> str:
        """Put the client's address and scheme into an ASGI scope; returns the address, "" when unknown.

        The rightmost forwarded address that is not itself a trusted proxy is the client: what stands left of it
        was written by that client.
        """
        peer = scope["client"][0] if scope.get("client") else ""
        if not self._networks or not self._trusts(peer):
            return peer
        if headers.get(b"x-forwarded-proto") in (b"http", b"https"):
            scope["scheme"] = headers[b"x-forwarded-proto"].decode()
        address = peer
        for each in reversed(headers.get(b"x-forwarded-for", b"").decode("latin-1").split(",")):
            if not _is_address(each.strip()):
                break
            address = each.strip()
            if not self._trusts(address):
                break
        scope["client"] = (address, 0)
        return address

    def _trusts(self, address: str) -> bool:
        return _is_address(address) and any(ipaddress.ip_address(address) in network for network in self._networks)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def subject_of(address: str) -> str:
    """Whom a limit counts for an address: for IPv6 its /64, of which anybody has all addresses."""
    if ":" not in address:
        return address
    try:
        return str(ipaddress.ip_network(f"{address.partition('%')[0]}/64", strict=False))
    except ValueError:
        return address
