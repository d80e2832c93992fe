"""Counters that end with the test that made them, so that no test meets the limits that another one used up."""

import hashlib
import os


def key_of_this_test(key, prefix, version):
    """A Django cache key: pytest says in the environment which test runs, and every thread of ours can read it."""
    test = os.environ.get("PYTEST_CURRENT_TEST", "").rpartition(" ")[0]
    return f"{prefix}:{version}:{hashlib.sha256(test.encode()).hexdigest()[:16]}:{key}"
