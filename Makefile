# Each target does all of its own set-up in .venv, on Python 3.11 or later.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
DISPLAYED := $(shell test -n "$$DISPLAY$$WAYLAND_DISPLAY" && echo yes)

.PHONY: demo test lint figures clean
help:
	@echo "make demo   set up, encode the sample scans and show them"
	@echo "make test   set up and run every check"

clean:
	rm -rf $(VENV) demo_output
