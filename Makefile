# The one door: every target first installs what it misses, saying what and how long it takes.
# PORT=8081 moves the server, BASE=/a/b/ serves below a path, SPEC=player runs matching browser tests only,
# LESSON=caching tests matching lessons only, ALL=1 all of them in full, BENCH=frames measures that part only.

.DEFAULT_GOAL := help
.PHONY: help serve dev test build bench gallery check soak starts

PORT ?= 8080
BASE ?= /
SPEC ?=
BENCH ?=
export PORT BASE SPEC BENCH

help: ## list the targets
	@sed -n 's/^\([a-z]*\): ## /  make \1 -- /p' $(MAKEFILE_LIST) | awk -F ' -- ' '{ printf "%-15s %s\n", $$1, $$2 }'

serve: ## optimised build, served at http://127.0.0.1:8080 or the next free port
	@sh .ci/task serve

dev: ## reload on every edit, quick unoptimised build
	@sh .ci/task dev

test: ## format, lints, native tests, wasm tests, release build, real-browser tests; ALL=1 on every lesson in full
	@sh .ci/task test

soak: ## random schedules for every law, then random use of every lesson in Chromium, ten minutes each; SOAK=1 LESSON=balancing SCHEDULES=1000 for less
	@sh .ci/task soak

check: ## the part of `make test` that needs no browser and no release build
	@sh .ci/task check

build: ## the static site in dist/, ready for any host
	@sh .ci/task build

bench: ## a table of speed, row by row: start, engine, stage, answers, floods, beside limits and peers
	@sh .ci/task bench

starts: ## list anew what no start of a page runs, which press then holds back; after larger changes of the site
	@sh .ci/task starts

gallery: ## pictures of every lesson in every dress, at every step, after every action, in gallery/; ONLY=steps LESSON=balancing for less
	@sh .ci/task gallery
