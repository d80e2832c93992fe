"""Keeps what the customer list searches and sorts by, folded in the database (perennial_fold)."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from django.db import connection

REFRESH: Final = """
UPDATE customers_customer c SET sort_name = told.sort_name, search = told.search
FROM (
    SELECT c.id, left(perennial_fold(coalesce(nullif(c.name, ''), min(i.external_id), '')), 80) AS sort_name,
        perennial_fold(concat_ws(' ', nullif(c.name, ''), max(company.name),
            (SELECT string_agg(address, ' ' ORDER BY id) FROM customers_email e WHERE e.customer_id = c.id),
            (SELECT string_agg(number, ' ' ORDER BY id) FROM customers_phone p WHERE p.customer_id = c.id),
            string_agg(i.external_id, ' ' ORDER BY i.id))) AS search
    FROM customers_customer c
    LEFT JOIN customers_company company ON company.id = c.company_id
    LEFT JOIN customers_identity i ON i.customer_id = c.id
    WHERE c.id IN ({customers}) GROUP BY c.id
) told
WHERE c.id = told.id AND (c.sort_name, c.search) IS DISTINCT FROM (told.sort_name, told.search)"""

# The same for a row `told` of a new customer (name, external_id, email, phone, "" for none), who has no company yet.
SORT_NAME_OF_NEW: Final = "left(perennial_fold(coalesce(nullif(told.name, ''), told.external_id)), 80)"
SEARCH_OF_NEW: Final = """perennial_fold(concat_ws(' ', nullif(told.name, ''), nullif(told.email, ''),
    nullif(told.phone, ''), told.external_id))"""

OF_IDS: Final = REFRESH.format(customers="SELECT unnest(%(customers)s::bigint[])")
OF_DOCUMENTS: Final = REFRESH.format(
    customers="SELECT customer_id FROM document WHERE chunk = %(chunk)s AND is_return = %(is_return)s"
    " AND (is_return OR outcome IN ('created', 'updated'))"
)


def refresh(*, customer_ids: Iterable[int]) -> None:
    """Write the search texts of these customers anew. Call it after names, e-mails, phones or identities changed."""
    with connection.cursor() as cursor:
        cursor.execute(OF_IDS, {"customers": list(customer_ids)})


def refresh_documents(params: Mapping[str, Any]) -> None:
    """The same for the customers of a chunk of staged documents (customers.services.staging)."""
    with connection.cursor() as cursor:
        cursor.execute(OF_DOCUMENTS, params)
