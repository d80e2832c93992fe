#!/bin/sh
# Every benchmark, one after the other; each prints its figures beside a peer or a floor. SIZE=small tries all of them
# in some minutes: figures of so few customers say nothing about the goals. ONLY="night pages" runs these alone.
failed=0
bench() {
    name=$1
    shift
    case " ${ONLY:-$name} " in *" $name "*) ;; *) return ;; esac
    echo "== benchmarks.$name $*"
    .venv/bin/python -m "benchmarks.$name" "$@" || failed=1
}

if [ "$SIZE" = small ]; then
    bench model_work --customers 20000 --rounds 1
    bench grain --customers 20000
    bench forecasts
    bench import_orders --rows 5000 --slice 1000
    bench night --customers 5000 --orders 30000 --rest 1
    bench pages --customers 5000 --orders 20000 --requests 20
    bench api --requests 100 --batches 2 --clients 2 --rounds 1
    bench points --accounts 500 --requests 50 --calls 100 --clients 2 --attempts 200 --rounds 1
    bench crediting --orders 5000
    bench tiers --orders 5000 --customers 3000
else
    for each in model_work grain forecasts real_logs import_orders night pages api points crediting tiers; do
        bench $each
    done
fi
exit $failed
