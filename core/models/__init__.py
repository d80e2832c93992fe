from core.models.alert import Alert, AlertMail, AlertMailOff, AlertRead
from core.models.api_key import ApiKey
from core.models.business import Business
from core.models.change import Change, Cursor, XidField
from core.models.edit import Edit
from core.models.idempotency_key import IdempotencyKey
from core.models.job import Job, Progress, Run
from core.models.pulse import Arrival, Pulse
from core.models.user import CUSTOMER, Role, User
from core.models.webhook import Delivery, Event, Webhook

__all__ = [
    "CUSTOMER",
    "Alert",
    "AlertMail",
    "AlertMailOff",
    "AlertRead",
    "ApiKey",
    "Arrival",
    "Business",
    "Change",
    "Cursor",
    "Delivery",
    "Edit",
    "Event",
    "IdempotencyKey",
    "Job",
    "Progress",
    "Pulse",
    "Role",
    "Run",
    "User",
    "Webhook",
    "XidField",
]
