"""A headless Chromium, driven over its DevTools protocol."""

from __future__ import annotations

import base64
import itertools
import json
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
DEADLINE = 20.0


class Browser:
    """One tab.

    Attributes:
        faults: what its console said of errors, violations of the page's policy among them.
        requested: addresses that it asked for.
    """

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._ids = itertools.count(1)
        self.faults: list[str] = []
        self.requested: list[str] = []
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Call a method of the protocol."""
        number = next(self._ids)
        self._socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            said = json.loads(self._socket.recv(timeout=DEADLINE))
            self._note(said)
            if said.get("id") == number:
                if "error" in said:
                    raise RuntimeError(f"{method}: {said['error']}")
                result: dict[str, Any] = said["result"]
                return result

    def _note(self, said: dict[str, Any]) -> None:
        given = said.get("params", {})
        if said.get("method") == "Runtime.exceptionThrown":
            self.faults.append(str(given["exceptionDetails"]))
        elif said.get("method") == "Log.entryAdded" and given["entry"]["level"] == "error":
            self.faults.append(given["entry"]["text"])
        elif said.get("method") == "Network.requestWillBeSent":
            self.requested.append(given["request"]["url"])

    def open(self, address: str) -> None:
        """Go to a page, and wait until it has filled itself in."""
        self.call("Page.navigate", url=address)
        self.until("document.readyState === 'complete' && document.querySelectorAll('#notice li').length > 0")

    def run(self, script: str) -> Any:
        """Value of an expression in the page."""
        done = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True, userGesture=True)
        if "exceptionDetails" in done:
            raise RuntimeError(str(done["exceptionDetails"]))
        return done["result"].get("value")

    def until(self, condition: str) -> None:
        """Wait for an expression to become true."""
        end = time.monotonic() + DEADLINE
        while not self.run(condition):
            if time.monotonic() > end:
                raise AssertionError(f"never: {condition}; the page says {self.text('body')!r}; {self.faults}")
            time.sleep(0.02)

    def text(self, selector: str) -> str:
        """What a person reads there."""
        return str(self.run(f"document.querySelector({json.dumps(selector)}).innerText"))

    def shown(self, selector: str) -> bool:
        """Whether a person sees it."""
        return bool(self.run(f"document.querySelector({json.dumps(selector)}).offsetParent !== null"))

    def press(self, key: str, modifiers: int = 0) -> None:
        """Press a key where the focus is; modifiers: 2 control, 8 shift."""
        codes = {"Tab": 9, "Enter": 13, "Escape": 27, " ": 32}
        how = {"key": key, "windowsVirtualKeyCode": codes[key], "modifiers": modifiers}
        text = {"text": "\r"} if key == "Enter" else {"text": " "} if key == " " else {}
        self.call("Input.dispatchKeyEvent", type="keyDown", **how, **text)
        self.call("Input.dispatchKeyEvent", type="keyUp", **how)

    def type(self, text: str) -> None:
        """Type where the focus is."""
        self.call("Input.insertText", text=text)

    def look(self, dark: bool = False, width: int = 1200, height: int = 900) -> None:
        """Set the window and the colours that a person has chosen."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])

    def picture(self, path: Path) -> None:
        """Write a picture of the whole page."""
        data = self.call("Page.captureScreenshot", captureBeyondViewport=True)["data"]
        path.write_bytes(base64.b64decode(data))


@contextmanager
def browser(folder: Path) -> Iterator[Browser]:
    """Start a browser with a profile of its own below `folder`, and end it.

    Raises:
        RuntimeError: it does not start.
    """
    assert CHROMIUM
    profile = folder / "profile"
    options = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run")
    quiet = ("--disable-background-networking", "--disable-component-update", "--disable-sync", "--mute-audio")
    process = subprocess.Popen(
        [CHROMIUM, *options, *quiet, "--remote-debugging-port=0", f"--user-data-dir={profile}", "about:blank"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        port = _port(profile / "DevToolsActivePort", process)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/json/list") as reply:
            tab = next(one for one in json.load(reply) if one["type"] == "page")
        with connect(tab["webSocketDebuggerUrl"], max_size=None, proxy=None) as socket:
            yield Browser(socket)
    finally:
        process.terminate()
        process.wait(20)


def _port(file: Path, process: subprocess.Popen[bytes]) -> int:
    end = time.monotonic() + DEADLINE
    while time.monotonic() < end and process.poll() is None:
        if file.exists() and (lines := file.read_text("utf-8").splitlines()):
            return int(lines[0])
        time.sleep(0.05)
    raise RuntimeError(f"{CHROMIUM} did not start")
