#!/bin/sh
# Every check runs, also after a failure; the last lines name those that failed.
failed=""

check() {
    echo "— $*"
    "$@" || failed="$failed
  $*"
}

PATH="$PWD/.venv/bin:$PATH"
check ruff check .
check ruff format --check .
check mypy .
check lint-imports
check python tools/catalogues.py check
check djlint --check --lint --quiet templates
check python manage.py makemigrations --check --dry-run

if [ -n "$failed" ]; then
    echo "Failed:$failed"
    exit 1
fi
echo "All checks pass."
