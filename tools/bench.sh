#!/bin/sh
# Every benchmark, one after the other; each prints its figures beside a peer or a floor.
failed=0
for name in model_work grain forecasts import_orders night pages api; do
    echo "== benchmarks.$name"
    .venv/bin/python -m "benchmarks.$name" || failed=1
done
exit $failed
