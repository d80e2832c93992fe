#!/bin/sh
# Back to a fresh clone. The default home with its database goes too, so a person at a terminal is asked.
if [ -d var/postgres ] && [ -t 0 ]; then
    printf 'This deletes var/ with its database. Type yes to go on: '
    read -r answer
    [ "$answer" = yes ] || exit 1
fi
if [ -x .venv/bin/python ]; then
    for home in var var/test var/test/gw*; do
        [ ! -d "$home" ] || PERENNIAL_HOME="$home" .venv/bin/python manage.py servers stop || exit 1
    done
fi
rm -rf var .venv node_modules .tools staticfiles .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
find . -name __pycache__ -type d -prune -exec rm -rf {} +
