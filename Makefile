# make study [STUDY=quick], make findings, make test, make lab, make lint, make clean; the first use makes .venv.
STUDY ?= quick
PYTHON ?= python3.11
CORES ?= 2
BIN := .venv/bin
READY := .venv/.ready

.PHONY: study findings test lab lint format clean

study: $(READY)
	@$(BIN)/python -m hybridlib check studies/$(STUDY).yaml
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/snakemake --snakefile workflow/Snakefile --config study=studies/$(STUDY).yaml \
		--cores $(CORES) --rerun-incomplete --rerun-triggers mtime --nolock --keep-going --quiet rules
	@echo "reports/$(STUDY)/index.html"

findings: $(READY)
	@$(BIN)/python -m hybridlib findings

test: $(READY)
	$(BIN)/python -m pytest -n $(CORES) --dist loadfile

lab: $(READY)
	$(BIN)/jupyter lab notebooks

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf .venv .snakemake .pytest_cache .mypy_cache .ruff_cache .hypothesis build *.egg-info

$(READY): requirements.txt pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --requirement requirements.txt
	$(BIN)/pip install --quiet --no-deps --editable .
	touch $@
