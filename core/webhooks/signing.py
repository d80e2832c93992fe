"""Signatures by Standard Webhooks : the receiver knows who sent a message, and that nothing was changed."""

import base64
import secrets
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from uuid import UUID

from standardwebhooks.webhooks import Webhook as Signer


def new_secret() -> str:
    """192 bits of chance, as the standard writes them."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(24)).decode()


def headers(*, uid: UUID, body: str, at: datetime, keys: Sequence[str]) -> Mapping[str, str]:
    """What goes with a message: its id, the time of sending, and a signature by each of the keys."""
    name = f"msg_{uid.hex}"
    signatures = [Signer(key).sign(msg_id=name, timestamp=at.astimezone(UTC), data=body) for key in keys]
    return {
        "webhook-id": name,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(signatures),
    }
