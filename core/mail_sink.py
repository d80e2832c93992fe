"""A mail server for a try-out: it takes every mail and keeps it for the page `/outbox/`.

`python -m core.mail_sink PORT DIRECTORY` listens on the loopback only and hands nothing on.
"""

import asyncio
import signal
import sys
from pathlib import Path
from typing import Final

from aiosmtpd.smtp import SMTP, Envelope, Session

from core import outbox

HOST: Final = "127.0.0.1"
MOST_BYTES: Final = 2 << 20


class Sink:
    def __init__(self, directory: Path) -> None:
        self.directory = directory

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's
        outbox.keep(self.directory, envelope.original_content or b"")
        return "250 Kept for the outbox"


async def serve(port: int, directory: Path) -> None:
    """Take mails until SIGTERM."""
    loop, sink, ended = asyncio.get_running_loop(), Sink(directory), asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, ended.set)

    def session() -> SMTP:
        return SMTP(sink, data_size_limit=MOST_BYTES, enable_SMTPUTF8=True, hostname="localhost", loop=loop)

    async with await loop.create_server(session, HOST, port):
        await ended.wait()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), Path(sys.argv[2])))
