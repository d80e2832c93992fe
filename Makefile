# `make run` and `make test` need Python >= 3.11 and make on the machine; the rest comes from package registries.
# make run PORT=8010 PERENNIAL_HOME=another-home DEMO=0
# make bench SIZE=small ONLY="night pages"
# make report-card FILE=orders.csv PRESET=generic ORIGIN="2025-06-30 2025-12-31"

PORT ?= 8000
PYTHON ?= $(shell command -v python3 || command -v python || echo python3)
VENV := .venv/bin

.PHONY: run setup test lint bench report-card soak clean

run:
	@$(PYTHON) tools/bootstrap.py --port $(PORT)
	@DEMO='$(DEMO)' exec $(VENV)/python manage.py up --port $(PORT)

setup:
	@$(PYTHON) tools/bootstrap.py
	@$(VENV)/python -m core.statics
	@echo "Set up. Next: make run"

test:
	@$(PYTHON) tools/bootstrap.py
	@tools/chromium.sh
	@tools/test.sh -n auto

soak:
	@$(PYTHON) tools/bootstrap.py
	@SOAK=1 tools/test.sh -m faults

lint:
	@$(PYTHON) tools/bootstrap.py
	@tools/lint.sh

bench:
	@$(PYTHON) tools/bootstrap.py
	@SIZE='$(SIZE)' ONLY='$(ONLY)' tools/bench.sh

report-card:
	@$(PYTHON) tools/bootstrap.py
	@$(VENV)/python manage.py report_card $(FILE) --preset '$(or $(PRESET),generic)' $(if $(ORIGIN),--origin $(ORIGIN))

clean:
	@tools/clean.sh
