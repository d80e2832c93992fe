"""The route table: every route, its methods and the roles that they are open to (core.access enforces it)."""

from core.access import EVERY_ROLE, Anyone, Methods, Table
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


DESK: Table = {
    "desk:today": PAGE,
    "desk:welcome": ADMIN_FORM,
    "desk:welcome_first": OPEN_FORM,
    "desk:own_data": ADMIN_FORM,
    "desk:first_steps_hide": {"POST": ADMINS},
    "desk:business": ADMIN_FORM,
    "desk:roles": {"GET": ADMINS},
    "desk:night_status": PAGE,
    "desk:customer_list": PAGE,
    "desk:customer_totals": PAGE,
    "desk:customer_detail": PAGE,
    "desk:customer_timeline": PAGE,
    "desk:customer_neighbours": PAGE,
    "desk:customer_portal": PAGE,
    "desk:portal_invite": {"POST": DESK_WORKERS},
    "desk:portal_close": {"POST": DESK_WORKERS},
    "desk:segment_list": PAGE,
    "desk:segment_detail": PAGE,
    "desk:segment_moves": PAGE,
    "desk:segment_export": EXPORT,
    "desk:scheme_detail": PAGE,
    "desk:group_detail": PAGE,
    "desk:group_moves": PAGE,
    "desk:group_export": EXPORT,
    "desk:plan_list": PAGE,
    "desk:plan_detail": PAGE,
    "desk:plan_edit": PLAN_FORM,
    "desk:customer_tags": {"POST": TAGGERS},
    "desk:tag_all": PLAN_FORM,
    "desk:tag_edit": PLAN_FORM,
    "desk:tag_job": PLAN_FORM,
    "desk:job_list": PAGE,
    "desk:job_detail": PAGE,
    "desk:job_retry": ACTION,
    "desk:run_detail": PAGE,
    "desk:run_start": ACTION,
    "desk:palette": PAGE,
}

SETTINGS: Table = {
    "settings:index": {"GET": ADMINS},
    "settings:staff_list": ADMIN_FORM,
    "settings:staff_detail": ADMIN_FORM,
    "settings:staff_act": {"POST": ADMINS},
    "settings:key_list": {"GET": ADMINS},
    "settings:key_create": {"GET": ADMINS, "POST": ADMINS},
    "settings:key_revoke": {"GET": ADMINS, "POST": ADMINS},
    "settings:webhook_list": {"GET": ADMINS},
    "settings:webhook_create": ADMIN_FORM,
    "settings:webhook_detail": {"GET": ADMINS},
    "settings:webhook_edit": ADMIN_FORM,
    "settings:webhook_remove": ADMIN_FORM,
    "settings:webhook_act": {"POST": ADMINS},
    "settings:delivery_replay": {"POST": ADMINS},
    "settings:alert_list": {"GET": OPERATORS},
    "settings:mail_list": {"GET": ADMINS},
    "settings:mail_detail": {"GET": ADMINS},
    "settings:mail_html": {"GET": ADMINS},
    "settings:alert_read": ACTION,
    "settings:alert_mail": {"POST": ADMINS},
}

# Facts that people write by hand.
RECORDS: Table = {
    "customers:customer_add": DESK_FORM,
    "customers:customer_edit": DESK_FORM,
    "customers:customer_archive": {"POST": DESK_WORKERS},
    "customers:customer_restore": {"POST": DESK_WORKERS},
    "customers:order_add": DESK_FORM,
    "customers:order_detail": PAGE,
    "customers:order_edit": DESK_FORM,
    "customers:order_cancel": {"POST": DESK_WORKERS},
    "customers:order_refund": DESK_FORM,
    "customers:company_list": PAGE,
    "customers:company_options": PAGE,
    "customers:company_add": DESK_FORM,
    "customers:company_detail": PAGE,
    "customers:company_edit": DESK_FORM,
    "customers:contract_list": PAGE,
    "customers:contract_options": PAGE,
    "customers:contract_add": DESK_FORM,
    "customers:contract_detail": PAGE,
    "customers:contract_edit": DESK_FORM,
    "customers:contract_renew": {"POST": DESK_WORKERS},
    "customers:contract_cancel": {"POST": DESK_WORKERS},
    "customers:contract_reopen": {"POST": DESK_WORKERS},
    "customers:contract_renew_automatic": {"POST": DESK_WORKERS},
    "customers:contract_remove": {"POST": DESK_WORKERS},
    "customers:contract_put_back": {"POST": DESK_WORKERS},
    "analytics:contract_value": PAGE,
    "analytics:company_contracts": PAGE,
    "customers:product_list": PAGE,
    "customers:product_options": PAGE,
    "customers:product_add": OPERATOR_FORM,
    "customers:product_detail": PAGE,
    "customers:product_edit": OPERATOR_FORM,
    "customers:category_list": PAGE,
    "customers:category_add": OPERATOR_FORM,
    "customers:category_edit": OPERATOR_FORM,
    "customers:record_history": PAGE,
    "customers:field_list": {"GET": ADMINS},
    "customers:field_add": ADMIN_FORM,
    "customers:field_edit": ADMIN_FORM,
    "customers:field_archive": {"POST": ADMINS},
    "settings:audit_log": {"GET": ADMINS},
}

VALUE: Table = {
    "analytics:segment_profit": PAGE,
    "analytics:cost_list": {"GET": EVERY_ROLE, "POST": OPERATORS},
    "analytics:unit_cost_edit": ACTION,
    "analytics:cost_import": OPERATOR_FORM,
    "analytics:cost_export": EXPORT,
    "analytics:kpi_list": PAGE,
    "analytics:kpi_detail": PAGE,
    "analytics:kpi_export": EXPORT,
    "analytics:retention": PAGE,
    "analytics:retention_export": EXPORT,
    "analytics:value": PAGE,
    "analytics:customer_value_course": PAGE,
    "analytics:value_export": EXPORT,
    "analytics:value_drivers_export": EXPORT,
    "analytics:report_card": PAGE,
    "analytics:report_card_export": EXPORT,
    "analytics:what_if": PAGE,
    "analytics:scenario_list": PAGE,
    "analytics:scenario_compare": PAGE,
    "analytics:scenario_export": EXPORT,
    "analytics:scenario_add": PLAN_FORM,
    "analytics:scenario_edit": PLAN_FORM,
    "analytics:scenario_delete": {"POST": PLANNERS},
    "analytics:scenario_restore": {"POST": PLANNERS},
}

LOYALTY: Table = {
    "loyalty:referral_list": PAGE,
    "loyalty:referral_detail": PAGE,
    "loyalty:referral_terms": OPERATOR_FORM,
    "loyalty:referral_step": ACTION,
    "loyalty:referral_release": ACTION,
    "loyalty:referral_cancel": ACTION,
    "loyalty:reward_list": PAGE,
    "loyalty:reward_add": OPERATOR_FORM,
    "loyalty:reward_detail": PAGE,
    "loyalty:reward_edit": OPERATOR_FORM,
    "loyalty:reward_archive": ACTION,
    "loyalty:reward_codes": ACTION,
    "loyalty:redemption_list": PAGE,
    "loyalty:redemption_mark": {"POST": DESK_WORKERS},
    "loyalty:redemption_detail": PAGE,
    "loyalty:redemption_cancel": {"POST": DESK_WORKERS},
    "loyalty:tier_list": PAGE,
    "loyalty:tier_rules": OPERATOR_FORM,
    "loyalty:tier_moves": PAGE,
    "loyalty:birthday_gift": ACTION,
    "loyalty:tier_give": OPERATOR_FORM,
    "loyalty:event_list": PAGE,
    "loyalty:event_add": PLAN_FORM,
    "loyalty:event_detail": PAGE,
    "loyalty:event_edit": PLAN_FORM,
    "loyalty:event_cancel": {"POST": PLANNERS},
    "loyalty:event_reply": {"POST": TAGGERS},
    "loyalty:offer_list": PAGE,
    "loyalty:offer_add": PLAN_FORM,
    "loyalty:offer_detail": PAGE,
    "loyalty:offer_edit": PLAN_FORM,
    "loyalty:offer_state": {"POST": PLANNERS},
    "loyalty:offer_codes": {"GET": EVERY_ROLE, "POST": PLANNERS},
    "loyalty:code_export": EXPORT,
    "loyalty:code_block": {"POST": TAGGERS},
    "loyalty:code_job": PLAN_FORM,
    "loyalty:price_list_list": PAGE,
    "loyalty:price_list_add": OPERATOR_FORM,
    "loyalty:price_list_detail": PAGE,
    "loyalty:price_list_edit": OPERATOR_FORM,
    "loyalty:price_set": ACTION,
    "loyalty:price_remove": ACTION,
    "loyalty:till": {"GET": DESK_WORKERS},
    "loyalty:till_customer": {"GET": DESK_WORKERS},
    "loyalty:till_redeem": DESK_FORM,
    "loyalty:till_done": {"GET": DESK_WORKERS},
    "loyalty:till_undo": {"POST": DESK_WORKERS},
    "loyalty:till_show": DESK_FORM,
}

IMPORTS: Table = {
    "customers:import_list": PAGE,
    "customers:import_new": {"GET": OPERATORS, "POST": OPERATORS},
    "customers:import_detail": PAGE,
    "customers:import_mapping": {"GET": OPERATORS, "POST": OPERATORS},
    "customers:import_start": ACTION,
    "customers:import_stop": ACTION,
    "customers:import_discard": ACTION,
    "customers:import_rejects": {"GET": OPERATORS},
    "customers:import_batch": PAGE,
    "customers:import_undo": {"GET": OPERATORS, "POST": OPERATORS},
}

# For machines. Metrics ask for their token or an admin by themselves (core.views.health).
PROBES: Table = {
    "livez": {"GET": PUBLIC},
    "readyz": {"GET": PUBLIC},
    "metrics": {"GET": PUBLIC},
}

# Sign-up, social accounts and changes of the address are not in the table, so they are closed.
ACCOUNTS: Table = {
    "settings:language_set": {"POST": PUBLIC},
    "account_login": OPEN_FORM,
    "account_logout": OPEN_FORM,
    "account_inactive": {"GET": PUBLIC},
    "account_reauthenticate": OWN_FORM,
    "account_change_password": OWN_FORM,
    "account_set_password": OWN_FORM,
    "account_reset_password": OPEN_FORM,
    "account_reset_password_done": {"GET": PUBLIC},
    "account_reset_password_from_key": OPEN_FORM,
    "account_reset_password_from_key_done": {"GET": PUBLIC},
    "account_profile": OWN_FORM,
    "account_session_end": {"POST": SIGNED_IN},
    "usersessions_list": OWN_FORM,
    "mfa_index": {"GET": SIGNED_IN},
    "mfa_authenticate": OPEN_FORM,
    "mfa_login_webauthn": OPEN_FORM,
    "mfa_reauthenticate": OWN_FORM,
    "mfa_reauthenticate_webauthn": OWN_FORM,
    "mfa_activate_totp": OWN_FORM,
    "mfa_deactivate_totp": OWN_FORM,
    "mfa_view_recovery_codes": {"GET": SIGNED_IN},
    "mfa_generate_recovery_codes": OWN_FORM,
    "mfa_download_recovery_codes": {"GET": SIGNED_IN},
    "mfa_list_webauthn": {"GET": SIGNED_IN},
    "mfa_add_webauthn": OWN_FORM,
    "mfa_edit_webauthn": OWN_FORM,
    "mfa_remove_webauthn": OWN_FORM,
}

# Customers' own pages. Staff are no customers here: whoever is both has another address for it.
PORTAL: Table = {
    "me:sign_in": OPEN_FORM,
    "me:code": OPEN_FORM,
    "me:sign_out": {"POST": PUBLIC},
    "me:home": OWN_PAGE,
    "me:notices_seen": OWN_ACTION,
    "me:reward_list": OWN_PAGE,
    "me:reward_confirm": {"GET": CUSTOMERS, "POST": CUSTOMERS},
    "me:redemption": OWN_PAGE,
    "me:wallet": OWN_PAGE,
    "me:statement": OWN_PAGE,
    "me:order_list": OWN_PAGE,
    "me:profile": {"GET": CUSTOMERS, "POST": CUSTOMERS},
    "me:export": OWN_PAGE,
}

ADMIN: Table = {"admin:*": {"GET": ADMINS, "POST": ADMINS}}

# The scopes of keys (core.scopes), of which one is enough.
API: Table = {
    "api:schema": {"GET": PUBLIC},
    "api:customer_list": api("customers", "GET"),
    "api:customer_detail": api("customers", "GET", "PATCH"),
    "api:customer_by_name": api("customers", "GET", "PUT"),
    "api:company_list": api("customers", "GET"),
    "api:company_detail": api("customers", "GET"),
    "api:company_by_name": api("customers", "GET", "PUT"),
    "api:contract_list": api("customers", "GET"),
    "api:contract_detail": api("customers", "GET"),
    "api:contract_renew": api("customers", "POST"),
    "api:contract_cancel": api("customers", "POST"),
    "api:contract_by_name": api("customers", "GET", "PUT"),
    "api:cost_list": api("customers", "GET", "POST"),
    "api:product_list": api("orders", "GET"),
    "api:product_detail": api("orders", "GET", "PUT"),
    "api:order_list": api("orders", "GET"),
    "api:order_batch": api("orders", "POST"),
    "api:order_detail": api("orders", "GET"),
    "api:refund_list": api("orders", "GET", "POST"),
    "api:order_by_name": api("orders", "GET", "PUT"),
    "api:score_list": api("analytics", "GET"),
    "api:score_detail": api("analytics", "GET"),
    "api:segment_list": api("analytics", "GET"),
    "api:member_list": api("analytics", "GET"),
    "api:scheme_member_list": api("analytics", "GET"),
    "api:kpi_list": api("analytics", "GET"),
    "api:cohort_list": api("analytics", "GET"),
    "api:report_card": api("analytics", "GET"),
    "api:referral_list": api("loyalty", "GET"),
    "api:referral_codes": api("loyalty", "POST"),
    "api:referral_claim": api("loyalty", "POST"),
    "api:webhook_list": api("admin", "GET", "POST"),
    "api:webhook_detail": api("admin", "GET", "PUT", "DELETE"),
    "api:webhook_secret": api("admin", "POST"),
    "api:webhook_test": api("admin", "POST"),
    "api:delivery_list": api("admin", "GET"),
    "api:delivery_replay": api("admin", "POST"),
    "api:offer_list": api("loyalty", "GET"),
    "api:wallet_detail": {**api("loyalty", "GET"), "POST": opening("loyalty" + READ)},
    "api:points": api("loyalty", "GET"),
    "api:points_quote": api("loyalty", "POST"),
    "api:points_redeem": api("loyalty", "POST"),
    "api:points_holds": api("loyalty", "POST"),
    "api:points_commit": api("loyalty", "POST"),
    "api:points_release": api("loyalty", "POST"),
    "api:points_adjust": api("loyalty", "POST"),
    "api:reward_list": api("loyalty", "GET", "POST"),
    "api:reward_detail": api("loyalty", "GET", "PUT"),
    "api:code_validate": api("loyalty", "POST"),
    "api:code_redeem": api("loyalty", "POST"),
    "api:code_confirm": api("loyalty", "POST"),
    "api:code_release": api("loyalty", "POST"),
    "api:job_list": api("admin", "GET"),
    "api:job_detail": api("admin", "GET"),
    "api:unknown": dict.fromkeys(("GET", "POST", "PUT", "PATCH", "DELETE"), PUBLIC),
}

TABLE: Table = {
    **API,
    **PROBES,
    **DESK,
    **SETTINGS,
    **ACCOUNTS,
    **PORTAL,
    **ADMIN,
    **IMPORTS,
    **RECORDS,
    **VALUE,
    **LOYALTY,
}
