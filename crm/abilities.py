"""What each role may do, in words, read from the route table: the page cannot say what the table does not do.

An ability names routes by patterns. A route with a POST counts by it alone, because its GET only shows the form.
"""

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from core.access import Allowed, Anyone, Table
from core.models import Role


@dataclass(frozen=True, kw_only=True)
class Ability:
    area: Promise
    label: Promise
    routes: tuple[str, ...]
    method: str = "POST"

    def covers(self, route: str, method: str) -> bool:
        return method == self.method and any(fnmatchcase(route, pattern) for pattern in self.routes)


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of the page: for each role whether it may, `None` where the permission to export decides."""

    ability: Ability
    cells: list[bool | None]


CUSTOMERS: Final = _("Customers and orders")
SEGMENTS: Final = _("Segments")
ANALYSE: Final = _("Analysis")
LOYALTY: Final = _("Loyalty")
IMPORTS: Final = _("Imports")
NIGHTS: Final = _("Nights, jobs and alerts")
SETTINGS: Final = _("Settings")


def _see(area: Promise, label: Promise, *routes: str) -> Ability:
    return Ability(area=area, label=label, routes=routes, method="GET")


def _do(area: Promise, label: Promise, *routes: str) -> Ability:
    return Ability(area=area, label=label, routes=routes, method="POST")


ABILITIES: Final = (
    _see(
        CUSTOMERS,
        _("See the desk, customers, companies, orders and products"),
        *("desk:today", "desk:night_status", "desk:palette", "customers:company_*", "desk:customer_list"),
        *("desk:customer_totals", "desk:customer_detail", "desk:customer_timeline", "desk:customer_neighbours"),
        "desk:customer_portal",
        *("customers:order_*", "customers:product_*", "customers:category_*", "customers:record_history"),
        "analytics:customer_value_course",
    ),
    _do(
        CUSTOMERS,
        _("Add and change customers, companies, orders and refunds"),
        *("customers:customer_*", "customers:company_*", "customers:order_*"),
    ),
    _see(CUSTOMERS, _("See customers who may be one person"), "desk:duplicate_list", "desk:customer_merge*"),
    _do(CUSTOMERS, _("Merge customers who are one person"), "desk:customer_merge_with", "desk:customer_apart"),
    _do(CUSTOMERS, _("Invite customers to their own page, and close it"), "desk:portal_*"),
    _see(
        CUSTOMERS, _("See contracts"), "customers:contract_*", "analytics:contract_value", "analytics:company_contracts"
    ),
    _do(CUSTOMERS, _("Add, change, renew and cancel contracts"), "customers:contract_*"),
    _do(CUSTOMERS, _("Add and change products and categories"), "customers:product_*", "customers:category_*"),
    _see(
        SEGMENTS,
        _("See segments and their retention plans"),
        *("desk:segment_list", "desk:segment_detail", "desk:segment_moves", "desk:scheme_detail", "desk:group_detail"),
        *("desk:group_moves", "desk:plan_list", "desk:plan_detail", "analytics:segment_profit"),
    ),
    _do(SEGMENTS, _("Write retention plans, tag whole lists, change tags"), "desk:plan_*", "desk:tag_*"),
    _do(SEGMENTS, _("Tag a customer"), "desk:customer_tags"),
    _see(SEGMENTS, _("Take the members of a segment out as a file"), "desk:*_export"),
    _see(
        ANALYSE,
        _("See value, key figures, retention and the report card"),
        *("analytics:value", "analytics:kpi_list", "analytics:kpi_detail", "analytics:retention"),
        "analytics:report_card",
    ),
    _see(
        ANALYSE,
        _("Ask what if, and compare scenarios"),
        *("analytics:what_if", "analytics:scenario_list", "analytics:scenario_compare"),
    ),
    _do(ANALYSE, _("Save, change and delete scenarios"), "analytics:scenario_*"),
    _see(ANALYSE, _("Take figures and cohorts out as a file"), "analytics:*_export"),
    _do(
        ANALYSE,
        _("Enter what it costs to win and to serve customers"),
        *("analytics:cost_*", "analytics:unit_cost_edit"),
    ),
    _see(
        LOYALTY,
        _("See tiers and events"),
        *("loyalty:tier_list", "loyalty:tier_moves", "loyalty:event_list", "loyalty:event_detail"),
    ),
    _do(
        LOYALTY,
        _("Set the rules of tiers and the birthday gift, give a tier by hand"),
        *("loyalty:tier_rules", "loyalty:birthday_gift", "loyalty:tier_give"),
    ),
    _do(LOYALTY, _("Add, change and cancel events"), "loyalty:event_add", "loyalty:event_edit", "loyalty:event_cancel"),
    _do(LOYALTY, _("Reply to events for customers"), "loyalty:event_reply"),
    _see(
        LOYALTY,
        _("See the programme, rewards, redemptions, offers, price lists and referrals"),
        *("loyalty:programme", "loyalty:earn_try", "loyalty:reward_list", "loyalty:reward_detail"),
        *("loyalty:redemption_list", "loyalty:redemption_detail", "loyalty:offer_list", "loyalty:offer_detail"),
        *("loyalty:price_list_list", "loyalty:price_list_detail", "loyalty:referral_list", "loyalty:referral_detail"),
    ),
    _do(
        LOYALTY,
        _("Set the programme, its rules, rewards, price lists and the terms of referrals"),
        *("loyalty:programme_*", "loyalty:rule_*", "loyalty:action_*", "loyalty:reward_*", "loyalty:price_*"),
        *("loyalty:referral_terms", "loyalty:referral_step"),
    ),
    _do(
        LOYALTY, _("Release and cancel referrals that were held"), "loyalty:referral_release", "loyalty:referral_cancel"
    ),
    _do(LOYALTY, _("Note by whose code a customer came"), "loyalty:referral_claim"),
    _do(
        LOYALTY,
        _("Make and change offers and their codes"),
        *("loyalty:offer_add", "loyalty:offer_edit", "loyalty:offer_state", "loyalty:offer_codes", "loyalty:code_job"),
    ),
    _do(LOYALTY, _("Block a code"), "loyalty:code_block"),
    _see(LOYALTY, _("Take codes out as a file"), "loyalty:code_export"),
    _see(
        LOYALTY,
        _("See points of customers, adjustments that wait and what points owe"),
        *("loyalty:customer_*", "loyalty:adjustment_list", "loyalty:liability", "loyalty:posting_list"),
    ),
    _see(
        LOYALTY, _("Take points and what they owe out as a file"), "loyalty:points_export", "loyalty:liability_export"
    ),
    _do(LOYALTY, _("Adjust points and release holds"), "loyalty:points_adjust", "loyalty:hold_release"),
    _do(LOYALTY, _("Decide on adjustments above the limit"), "loyalty:adjustment_decide"),
    _see(
        LOYALTY,
        _("Find customers at the till"),
        *("loyalty:till", "loyalty:till_customer", "loyalty:till_done", "loyalty:sale_done"),
    ),
    _do(
        LOYALTY,
        _("Sell and redeem at the till and hand rewards over"),
        *("loyalty:till_redeem", "loyalty:till_undo", "loyalty:till_show", "loyalty:sale_*", "loyalty:redemption_*"),
    ),
    _see(IMPORTS, _("See imports"), "customers:import_list", "customers:import_detail", "customers:import_batch"),
    _see(IMPORTS, _("Take out the rows that were refused"), "customers:import_rejects"),
    _do(IMPORTS, _("Import files and take them back"), "customers:import_*"),
    _see(NIGHTS, _("See nights and jobs"), "desk:job_*", "desk:run_*"),
    _do(NIGHTS, _("Start a night and try failed jobs again"), "desk:job_*", "desk:run_*"),
    _see(NIGHTS, _("See alerts"), "settings:alert_list"),
    _do(NIGHTS, _("Mark alerts as read"), "settings:alert_read"),
    _do(NIGHTS, _("Choose to get mails about alerts"), "settings:alert_mail"),
    _see(
        SETTINGS,
        _("See settings, roles, API keys, webhooks and fields"),
        *("settings:index", "desk:roles", "settings:key_list", "customers:field_list"),
        *("settings:webhook_list", "settings:webhook_detail"),
    ),
    _do(
        SETTINGS,
        _("Change the business and start with own data"),
        *("desk:business", "desk:welcome", "desk:own_data", "desk:first_steps_hide"),
    ),
    _do(SETTINGS, _("Invite staff and change what they may do"), "settings:staff_*"),
    _do(SETTINGS, _("Make and revoke API keys"), "settings:key_*"),
    _do(SETTINGS, _("Add and change webhooks, and send again"), "settings:webhook_*", "settings:delivery_replay"),
    _do(SETTINGS, _("Add and change fields of customers"), "customers:field_*"),
    _see(SETTINGS, _("Read who changed what"), "settings:audit_log"),
    _see(SETTINGS, _("Read the mails of a try-out"), "settings:mail_*"),
)


def decisive(table: Table) -> dict[tuple[str, str], Allowed]:
    """(route, method) → who may: the POST of what can be posted, else the GET."""
    return {
        (route, method): roles
        for route, methods in table.items()
        for method, roles in methods.items()
        if method == "POST" or "POST" not in methods
    }


def rows(table: Table) -> list[Row]:
    """The abilities that exist here, in order. Where the routes of one disagree, the strictest counts."""
    found = [(ability, _allowed(ability, table)) for ability in ABILITIES]
    return [
        Row(ability=ability, cells=[_cell(roles, role) for role in Role.values])
        for ability, roles in found
        if roles is not None
    ]


def _allowed(ability: Ability, table: Table) -> Allowed | None:
    sets = [roles for place, roles in decisive(table).items() if ability.covers(*place)]
    return frozenset.intersection(*sets) if sets else None


def _cell(roles: Allowed, role: str) -> bool | None:
    if Anyone.MAY_EXPORT in roles and role != Role.ADMIN:
        return True if role in roles else None
    return role in roles or Anyone.MAY_EXPORT in roles
