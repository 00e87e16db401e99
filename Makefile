# Everything goes through boot.py; this file only gives its commands short names.
PYTHON ?= python3
PORT ?= 8000
export PORT

.DEFAULT_GOAL := help
.PHONY: help run test lint fmt bench demo-reset doctor

help: ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 14

run: ## the whole product with demo data on http://127.0.0.1:8000/ (PORT=… for another port)
	@$(PYTHON) boot.py run

test: ## every check and every test
	@$(PYTHON) boot.py test

lint: ## style, templates, types and import contracts
	@$(PYTHON) boot.py lint

fmt: ## rewrite Python in the house style
	@$(PYTHON) boot.py fmt

bench: ## measure, and write docs/benchmarks.md
	@$(PYTHON) boot.py bench

demo-reset: ## throw the demo data away and make it anew
	@$(PYTHON) boot.py demo-reset

doctor: ## what this machine lacks, and the line that installs it
	@$(PYTHON) boot.py doctor
