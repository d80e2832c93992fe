"""Technical errors in words: each usual kind has its sentence, and none is left without one."""

import pytest

from core import failures


@pytest.mark.parametrize(
    ("error", "code"),
    [
        ("server closed the connection unexpectedly (OperationalError)", "database-gone"),
        ("terminating connection due to administrator command (AdminShutdown)", "database-gone"),
        ('connection failed: connection to server at "db", port 5432 failed (OperationalError)', "database-gone"),
        ('could not extend file "base/5/1": No space left on device (DiskFull)', "disk-full"),
        ("[Errno 28] No space left on device (OSError)", "disk-full"),
        ("canceling statement due to lock timeout (LockNotAvailable)", "locked"),
        ("deadlock detected (OperationalError)", "locked"),
        ("out of memory (OperationalError)", "memory"),
        ("MemoryError", "memory"),
        ("The worker host:81 went away.", "worker-gone"),
        ("Worker exited prematurely: signal 9 (SIGKILL) Job: 3. (WorkerLostError)", "worker-gone"),
        ("[Errno 2] No such file or directory: '/data/a.csv' (FileNotFoundError)", "file-missing"),
        ("[Errno 13] Permission denied: '/data/a.csv' (PermissionError)", "not-allowed"),
        ("canceling statement due to statement timeout (QueryCanceled)", "too-slow"),
        ("SoftTimeLimitExceeded()", "too-slow"),
        ("Error 111 connecting to localhost:6379. Connection refused. (ConnectionError)", "redis-gone"),
        ('new row violates check constraint "there_is_one_business" (IntegrityError)', "data-refused"),
        ("could not convert string to float: 'twelve' (ValueError)", "data"),
        ("'NoneType' object has no attribute 'pk' (AttributeError)", "program"),
        ("ZeroDivisionError", "program"),
        ("", "program"),
    ],
)
def test_each_usual_error_has_a_reason(error, code):
    assert failures.reason(error).code == code


def test_a_sentence_written_for_people_is_the_reason():
    found = failures.reason("The column “date” is missing.")
    assert (found.code, found.sentence) == ("refused", "The column “date” is missing.")


def test_every_reason_says_what_to_do():
    for code, reason in failures.REASONS.items():
        assert reason.code == code
        assert str(reason.sentence).endswith(".")
        assert str(reason.advice).endswith(".")


def test_every_saying_leads_to_a_reason():
    assert {code for code, _ in failures.SAYINGS} <= set(failures.REASONS)
