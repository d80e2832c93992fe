"""Clients that send calls at the same time, each over a connection of its own that stays open."""

import http.client
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

Call = tuple[str, str, bytes, str]  # method, address, body, idempotency key


@dataclass(frozen=True)
class Sent:
    seconds: float
    statuses: Counter[int]

    @property
    def rate(self) -> float:
        return sum(self.statuses.values()) / self.seconds


class Wire:
    def __init__(self, port: int, key: str, clients: int) -> None:
        self.port, self.clients = port, clients
        self.headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}

    def send(self, calls: Sequence[Call]) -> Sent:
        """Until all calls are answered."""
        parts = [calls[number :: self.clients] for number in range(self.clients)]
        started = time.perf_counter()
        with ThreadPoolExecutor(self.clients) as pool:
            statuses = sum(pool.map(self._send, parts), Counter[int]())
        return Sent(time.perf_counter() - started, statuses)

    def _send(self, calls: Sequence[Call]) -> Counter[int]:
        wire = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        statuses: Counter[int] = Counter()
        for call in calls:
            try:
                statuses[self._call(wire, *call)] += 1
            except (http.client.RemoteDisconnected, ConnectionError):  # a worker made room for a fresh one
                wire.close()
                statuses[self._call(wire, *call)] += 1
        wire.close()
        return statuses

    def _call(self, wire: http.client.HTTPConnection, method: str, address: str, body: bytes, key: str) -> int:
        wire.request(method, address, body, self.headers | {"Idempotency-Key": key})
        answer = wire.getresponse()
        answer.read()
        return answer.status
