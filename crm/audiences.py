"""The audiences and kinds of calls that the route table is written in."""

from core.access import EVERY_ROLE, Anyone, Methods
from core.models import CUSTOMER, Role
from core.scopes import READ, opening

PUBLIC = frozenset({Anyone.PUBLIC})
SIGNED_IN = frozenset({Anyone.SIGNED_IN})
CUSTOMERS = frozenset({CUSTOMER})
OPERATORS = frozenset({Role.ADMIN, Role.MANAGER})
ADMINS = frozenset({Role.ADMIN})
EXPORTERS = frozenset({Anyone.MAY_EXPORT})

PAGE = {"GET": EVERY_ROLE}
ACTION = {"POST": OPERATORS}
DESK_WORKERS = frozenset({Role.ADMIN, Role.MANAGER, Role.AGENT})
DESK_FORM = {"GET": DESK_WORKERS, "POST": DESK_WORKERS}
OPERATOR_FORM = {"GET": OPERATORS, "POST": OPERATORS}
PLANNERS = frozenset({Role.ADMIN, Role.MANAGER, Role.MARKETER})
PLAN_FORM = {"GET": PLANNERS, "POST": PLANNERS}
TAGGERS = PLANNERS | DESK_WORKERS
ADMIN_FORM = {"GET": ADMINS, "POST": ADMINS}
OWN_PAGE = {"GET": CUSTOMERS}
OWN_ACTION = {"POST": CUSTOMERS}
OPEN_FORM = {"GET": PUBLIC, "POST": PUBLIC}
EXPORT = {"GET": EXPORTERS}
OWN_FORM = {"GET": SIGNED_IN, "POST": SIGNED_IN}


def api(area: str, *methods: str) -> Methods:
    """The methods of an API route: reading takes the area's scope for reading, everything else the whole scope."""
    return {method: opening(area + (READ if method == "GET" else "")) for method in methods}
