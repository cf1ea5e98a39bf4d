"""A small real DNS server on loopback, and a real resolver that asks nobody else."""

from __future__ import annotations

import socket
import threading
from collections import defaultdict
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import dns.exception
import dns.message
import dns.name
import dns.rdatatype
import dns.resolver
import dns.rrset

from tests.servers import HOST

_KINDS = ("A", "AAAA")
_TIMEOUT_S = 10.0


@dataclass(slots=True)
class Names:
    """The zone: each name has the answers that follow each other; the last one stays.

    An answer is a list of addresses (of either kind) or one other name.
    """

    zone: dict[str, list[list[str]]] = field(default_factory=dict)
    asked: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    port: int = 0

    def resolve(self, host: str, _port: int) -> list[str]:
        """A ``Resolver``: asks over UDP each time, keeps nothing."""
        resolver = dns.resolver.Resolver(configure=False)
        resolver.nameservers, resolver.port = [HOST], self.port
        resolver.lifetime, resolver.cache = _TIMEOUT_S, None
        found: list[str] = []
        for kind in _KINDS:
            try:
                answer = resolver.resolve(host, kind, raise_on_no_answer=False)
            except dns.exception.DNSException:
                continue
            found += [record.to_text() for record in answer.rrset or ()]
        return found

    def answer(self, query: dns.message.Message) -> dns.message.Message:
        """What the server says to one question."""
        response = dns.message.make_response(query)
        (question,) = query.question
        name = question.name.to_text(omit_final_dot=True)
        kind = dns.rdatatype.to_text(question.rdtype)
        for target in self._current(name, kind):
            owner = dns.name.from_text(name)
            if _kind_of(target) == "CNAME":
                response.answer.append(dns.rrset.from_text(owner, 0, "IN", "CNAME", f"{target}."))
                followed = [t for t in self._current(target, kind) if _kind_of(t) == kind]
                if followed:
                    response.answer.append(
                        dns.rrset.from_text(f"{target}.", 0, "IN", kind, *followed)
                    )
        own = [t for t in self._last(name) if _kind_of(t) == kind]
        if own:
            response.answer.append(dns.rrset.from_text(f"{name}.", 0, "IN", kind, *own))
        return response

    def _current(self, name: str, kind: str) -> Sequence[str]:
        if kind == _KINDS[0]:
            self.asked[name] += 1
        return self._last(name)

    def _last(self, name: str) -> Sequence[str]:
        answers = self.zone.get(name, [[]])
        return answers[min(max(self.asked[name], 1), len(answers)) - 1]


def _kind_of(target: str) -> str:
    if ":" in target:
        return "AAAA"
    return "A" if target.replace(".", "").isdecimal() else "CNAME"


@contextmanager
def serving_names(names: Names) -> Generator[Names]:
    """Answer over UDP for the length of the block."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind((HOST, 0))
        names.port = server.getsockname()[1]
        thread = threading.Thread(target=_serve, args=(server, names), daemon=True)
        thread.start()
        yield names
        server.sendto(b"", (HOST, names.port))
        thread.join(_TIMEOUT_S)


def _serve(server: socket.socket, names: Names) -> None:
    while True:
        data, client = server.recvfrom(4096)
        if not data:
            return
        server.sendto(names.answer(dns.message.from_wire(data)).to_wire(), client)
