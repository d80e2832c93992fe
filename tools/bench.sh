#!/bin/sh
# Every benchmark, one after the other; each prints its figures beside a peer or a floor.
failed=0
for script in benchmarks/*.py; do
    case "$script" in */_*|*/\*.py) continue ;; esac
    echo "== $script"
    .venv/bin/python -m "benchmarks.$(basename "$script" .py)" || failed=1
done
exit $failed
