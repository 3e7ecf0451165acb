"""A real JupyterLab in a headless Chromium, for tests and pictures: started on a free port, in one folder, and ended whole.

The caller's environment names the kernel (JUPYTER_PATH). Nothing outside the given folder is written.
"""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time

from playwright.sync_api import sync_playwright

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--no-sandbox --disable-gpu --disable-dev-shm-usage --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --force-color-profile=srgb --font-render-hinting=none"
).split()
THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}
SETTINGS = {
    # Lab would ask over the notebook whether it may fetch news.
    "labconfig/page_config.json": {"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": True}},
    # All cells are in the page, also those outside the window.
    "lab/user-settings/@jupyterlab/notebook-extension/tracker.jupyterlab-settings": {"windowingMode": "none"},
}
STATUS = "() => window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel?.status"
DRAWN = """
() => ({
  gaps: document.querySelectorAll('.cm-gap').length,
  spans: document.querySelectorAll('.cm-line span').length,
  length: document.querySelector('.jp-WindowedPanel-inner').scrollHeight,
})
"""
# A loaded machine is slow; nothing here waits longer than it must.
PATIENCE_S = 90


def browser_program():
    named = os.environ.get("AG_CHROMIUM")
    found = [named] if named else [path for path in map(shutil.which, BROWSERS) if path]
    return found[0] if found else None


def wait_for(what, check, pause=lambda: time.sleep(0.05)):
    """Polls until `check` gives something, and gives that."""
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        found = check()
        if found:
            return found
        pause()
    sys.exit(f"no {what} within {PATIENCE_S} s")


@contextlib.contextmanager
def server(folder):
    """JupyterLab serving `folder/work`; gives its address. Settings, signatures and sockets lie beside it."""
    places = {name: os.path.join(folder, name) for name in ("work", "config", "data", "runtime", "home")}
    for place in places.values():
        os.makedirs(place, exist_ok=True)
    for path, settings in SETTINGS.items():
        path = os.path.join(places["config"], path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as file:
            json.dump(settings, file)
    environment = dict(
        os.environ,
        JUPYTER_CONFIG_DIR=places["config"],
        JUPYTER_DATA_DIR=places["data"],
        JUPYTER_RUNTIME_DIR=places["runtime"],
        AG_HOME=places["home"],
    )
    log = open(os.path.join(folder, "lab.log"), "wb")
    command = [
        *[sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ip=127.0.0.1", "--port=0"],
        *["--IdentityProvider.token=", "--ServerApp.disable_check_xsrf=True", "--LabApp.expose_app_in_browser=True"],
        *["--ServerApp.terminals_enabled=False", f"--ServerApp.root_dir={places['work']}"],
    ]
    process = subprocess.Popen(command, env=environment, cwd=places["work"], stdout=log, stderr=log, start_new_session=True)
    try:
        yield wait_for("JupyterLab", lambda: address(process, places["runtime"], log.name))
    finally:
        end(process)
        log.close()


def address(process, runtime, log):
    """The server chose its port itself and wrote it down; by then it listens."""
    if process.poll() is not None:
        sys.exit(f"JupyterLab ended with {process.returncode}:\n{open(log, errors='replace').read()}")
    for name in os.listdir(runtime):
        if name.startswith("jpserver-") and name.endswith(".json"):
            with contextlib.suppress(ValueError):
                with open(os.path.join(runtime, name)) as file:
                    return json.load(file)["url"]
    return None


def end(process):
    """The server ends its kernels when asked; whatever of its group is left then is killed."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(10)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@contextlib.contextmanager
def chromium():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_program(), headless=True, args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


class Lab:
    """One notebook open in one page."""

    def __init__(self, browser, url, notebook, width=1000, height=1000, scale=1):
        context = browser.new_context(viewport={"width": width, "height": height}, device_scale_factor=scale)
        self.page = context.new_page()
        self.page.set_default_timeout(PATIENCE_S * 1000)
        self.complaints = []
        self.page.on("pageerror", lambda error: self.complaints.append(f"page error: {error}"))
        self.page.on("console", self.console)
        # A workspace of its own: nothing is reopened from the page before.
        self.page.goto(f"{url}lab/workspaces/w{time.monotonic_ns()}/tree/{notebook}?reset", wait_until="domcontentloaded")
        # Asked to run before its kernel is there, Lab would ask the person for one.
        self.wait("kernel", lambda: self.page.evaluate(STATUS) == "idle")
        self.page.evaluate("() => { window.jupyterapp.shell.collapseLeft() }")

    def console(self, message):
        if message.type == "error":
            self.complaints.append(f"console: {message.text} ({message.location.get('url', '')})")

    def run(self, command, arguments=None):
        self.page.evaluate("([c, a]) => window.jupyterapp.commands.execute(c, a ?? undefined)", [command, arguments])

    def theme(self, name):
        self.run("apputils:change-theme", {"theme": THEMES[name]})
        wanted = "true" if name == "light" else "false"
        self.page.wait_for_selector(f'body[data-jp-theme-light="{wanted}"]', state="attached")
        self.page.wait_for_timeout(300)

    def run_all(self):
        """Runs all cells as the menu does and waits until none waits for its turn."""
        self.run("notebook:run-all-cells")
        prompts = "() => [...document.querySelectorAll('.jp-CodeCell .jp-InputPrompt')].map(p => p.textContent)"
        self.wait("end of all cells", lambda: all(any(c.isdigit() for c in text) for text in self.page.evaluate(prompts)))
        self.wait("idle kernel", lambda: self.page.evaluate(STATUS) == "idle")

    def save(self):
        self.run("docmanager:save")
        dirty = "() => window.jupyterapp.shell.currentWidget.context.model.dirty"
        self.wait("saved notebook", lambda: not self.page.evaluate(dirty))

    def wait(self, what, check):
        """Polling from here: a page that is not drawn does not poll by itself."""
        wait_for(what, check, pause=lambda: self.page.wait_for_timeout(50))

    def grow(self):
        """The window becomes as long as the notebook: an editor draws and colours only what is in the window."""
        length = self.page.evaluate("() => document.querySelector('.jp-WindowedPanel-inner').scrollHeight")
        width = self.page.viewport_size["width"]
        self.page.set_viewport_size({"width": width, "height": min(length + 120, 12_000)})
        self.page.evaluate("() => document.querySelector('.jp-WindowedPanel-outer').scrollTo(0, 0)")
        self.wait("drawn editors", self.is_drawn)

    def is_drawn(self):
        """No gap is left in an editor, and nothing is added within a moment."""
        before = self.page.evaluate(DRAWN)
        self.page.wait_for_timeout(200)
        return before["gaps"] == 0 and self.page.evaluate(DRAWN) == before
