from core.models.business import Business
from core.models.change import Change, Cursor, XidField
from core.models.job import Job, Run
from core.models.user import Role, User

__all__ = ["Business", "Change", "Cursor", "Job", "Role", "Run", "User", "XidField"]
