"""A real browser by the WebDriver protocol: Debian's chromium and its driver, over plain HTTP."""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

__all__ = ["Browser", "browser", "missing"]

_STARTED = re.compile(r"successfully on port (\d+)")


def missing() -> str:
    """What is not installed; empty where all is there."""
    names = [name for name in ("chromium", "chromedriver") if shutil.which(name) is None]
    return f"not installed: {', '.join(names)} (Debian: chromium, chromium-driver)" if names else ""


class Browser:
    """One window."""

    def __init__(self, driver: str, session: str) -> None:
        self._base = f"{driver}/session/{session}"

    def look(self, width: int, height: int, theme: str, *, phone: bool = False) -> None:
        """Set the size of the window and the theme that the system asks for."""
        size = {"width": width, "height": height, "deviceScaleFactor": 2 if phone else 1, "mobile": phone}
        self.cdp("Emulation.setDeviceMetricsOverride", **size)
        features = [{"name": "prefers-color-scheme", "value": theme}]
        self.cdp("Emulation.setEmulatedMedia", media="", features=features)

    def open(self, file: Path) -> None:
        """Open a file, and wait until its script has run."""
        self.log()
        call("POST", f"{self._base}/url", {"url": file.absolute().as_uri()})
        self.wait("return document.documentElement.dataset.ready === 'true'")

    def wait(self, script: str) -> None:
        """Wait until a script returns true; the driver's own limit ends it."""
        waiting = (
            "const done = arguments[0]; const look = () => ((() => {"
            + script
            + "})() ? done() : requestAnimationFrame(look));"
            " look();"
        )
        self._script("async", waiting)

    def run(self, script: str, *values: Any) -> Any:
        """What a script returns."""
        return self._script("sync", script, *values)

    def cdp(self, command: str, **parameters: Any) -> Any:
        """A command of the DevTools protocol."""
        return call("POST", f"{self._base}/goog/cdp/execute", {"cmd": command, "params": parameters})

    def log(self) -> list[str]:
        """Messages of the console since the last call: errors, warnings, what the page's policy refused."""
        return [entry["message"] for entry in call("POST", f"{self._base}/se/log", {"type": "browser"})]

    def picture(self, file: Path | None = None, *, whole: bool = False) -> bytes:
        """A PNG of the window, or of the whole page."""
        content = base64.b64decode(
            self.cdp("Page.captureScreenshot", format="png", captureBeyondViewport=whole)["data"]
        )
        if file is not None:
            file.write_bytes(content)
        return content

    def _script(self, kind: str, script: str, *values: Any) -> Any:
        return call("POST", f"{self._base}/execute/{kind}", {"script": script, "args": list(values)})


@contextmanager
def browser() -> Iterator[Browser]:
    """A browser without a window; it ends with the block."""
    command = ["chromedriver", "--port=0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            assert process.stdout is not None
            port = next(found[1] for line in process.stdout if (found := _STARTED.search(line)))
            driver = f"http://127.0.0.1:{port}"
            arguments = ["--headless=new", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars"]
            if os.geteuid() == 0:
                # Chromium's own sandbox does not run as root.
                arguments.append("--no-sandbox")
            wanted = {
                "goog:chromeOptions": {"args": arguments, "binary": shutil.which("chromium")},
                "goog:loggingPrefs": {"browser": "ALL"},
                "timeouts": {"script": 20000},
            }
            session = call("POST", f"{driver}/session", {"capabilities": {"alwaysMatch": wanted}})[
                "sessionId"
            ]
            try:
                yield Browser(driver, session)
            finally:
                call("DELETE", f"{driver}/session/{session}")
        finally:
            process.terminate()


def call(method: str, url: str, body: Any = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.loads(answer.read())["value"]
    except urllib.error.HTTPError as error:
        raise AssertionError(error.read().decode()[:2000]) from None
