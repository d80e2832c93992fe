#!/bin/sh
# pytest on the tests' own homes and servers; the servers stop afterwards. Arguments go to pytest.
PERENNIAL_HOME="$PWD/var/test"
PERENNIAL_DURABLE=0
PYTHONDONTWRITEBYTECODE=
export PERENNIAL_HOME PERENNIAL_DURABLE
unset DATABASE_URL REDIS_URL PYTHONDONTWRITEBYTECODE

stop() {
    for home in "$PERENNIAL_HOME" "$PERENNIAL_HOME"/gw*; do
        [ ! -d "$home/run" ] || PERENNIAL_HOME=$home .venv/bin/python manage.py servers stop > /dev/null
    done
}
trap 'stop; exit 130' INT TERM
.venv/bin/python -m pytest "$@"
status=$?
stop
exit $status
