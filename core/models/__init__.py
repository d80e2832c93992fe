from core.models.api_key import ApiKey
from core.models.business import Business
from core.models.change import Change, Cursor, XidField
from core.models.idempotency_key import IdempotencyKey
from core.models.job import Job, Progress, Run
from core.models.user import Role, User

__all__ = ["ApiKey", "Business", "Change", "Cursor", "IdempotencyKey", "Job", "Progress", "Role", "Run", "User", "XidField"]
