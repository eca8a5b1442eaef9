# Each target does all of its own set-up: system libraries, a virtual environment, the package.
# Python 3.11 or later; nothing is installed outside .venv but Debian's own libraries.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
SCREEN := $(DISPLAY)$(WAYLAND_DISPLAY)

# What Qt and OpenGL need on a bare Debian; xvfb where there is no screen.
LIBRARIES := libgl1 libegl1 libglib2.0-0 libdbus-1-3 libfontconfig1 libxkbcommon-x11-0 \
	libxcb-cursor0 libxcb-icccm4 libxcb-keysyms1 libxcb-shape0 xvfb xauth

# A real window, drawn in software, on a virtual screen.
SOFTWARE := env QT_QPA_PLATFORM=xcb LIBGL_ALWAYS_SOFTWARE=1
VIRTUAL_SCREEN := xvfb-run --auto-servernum --server-args="-screen 0 1600x1000x24" $(SOFTWARE)

.PHONY: help demo test lint figures libraries clean

help:
	@echo "make demo      set up, encode the sample scans and show their latent maps"
	@echo "make test      set up and run every check, as continuous integration does"
	@echo "make figures   set up and make the pictures of the README and the guide anew"
	@echo "make clean     remove the virtual environment and what the demo wrote"

demo: $(VENV)/.installed libraries
	$(if $(SCREEN),,$(VIRTUAL_SCREEN)) $(BIN)/napari-kikuchi demo $(if $(SCREEN),,--screenshots)

test: $(VENV)/.installed-test libraries lint
	$(SOFTWARE) $(BIN)/python -m pytest --numprocesses auto --dist loadfile --durations 30

lint: $(VENV)/.installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

figures: $(VENV)/.installed libraries
	$(VIRTUAL_SCREEN) $(BIN)/napari-kikuchi demo --screenshots
	mkdir -p docs/images
	for scan in additive wrought; do \
		cp demo_output/$$scan.nickel-principal-32.png docs/images/$$scan.png; done
	$(VIRTUAL_SCREEN) $(BIN)/python docs/make_pictures.py

$(VENV)/.created:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and \
		f"napari-kikuchi needs Python 3.11 or later, not {sys.version.split()[0]}: make PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV) || { echo "python3 -m venv failed: apt-get install python3-venv" >&2; exit 1; }
	$(BIN)/python -m pip install --quiet --upgrade pip
	touch $@

$(VENV)/.installed: $(VENV)/.created pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[app]"
	touch $@

# The test tools are dependency groups of pyproject.toml: not part of what users install.
$(VENV)/.installed-test: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --group test --group lint
	touch $@

# Installs what is missing where it may; otherwise says the line to run.
libraries:
	@command -v dpkg-query >/dev/null || { echo "Not Debian: napari's own guide lists the system libraries that Qt needs."; exit 0; }; \
	missing=""; for package in $(LIBRARIES); do \
		dpkg-query -W -f '$${Status}' $$package 2>/dev/null | grep -q "ok installed" || \
		dpkg-query -W -f '$${Provides}\n' 2>/dev/null | grep -qw "$$package" || missing="$$missing $$package"; \
	done; \
	[ -z "$$missing" ] && exit 0; \
	if [ "$$(id -u)" = 0 ]; then \
		echo "Installing$$missing"; \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing >/dev/null; \
	else \
		echo "System libraries are missing. Run, then try again:" >&2; \
		echo "  sudo apt-get install$$missing" >&2; exit 1; \
	fi

clean:
	rm -rf $(VENV) demo_output
