"""Headless Chromium over its debugging pipe: no driver and no socket is needed."""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run")


def program() -> str | None:
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


class Browser:
    """One page. `events` gathers all that Chromium tells: requests, console messages, exceptions."""

    def __init__(self, profile: Path) -> None:
        theirs_in, self.out = os.pipe()
        self.into, theirs_out = os.pipe()
        command = f'exec "$@" 3<&{theirs_in} 4>&{theirs_out}'
        words = [program(), *FLAGS, f"--user-data-dir={profile}", "--remote-debugging-pipe", "about:blank"]
        self.process = subprocess.Popen(
            ["bash", "-c", command, "bash", *words], pass_fds=(theirs_in, theirs_out), stderr=subprocess.DEVNULL
        )
        os.close(theirs_in), os.close(theirs_out)
        self.events: list[dict[str, Any]] = []
        self.count, self.rest, self.session = 0, b"", None
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Runtime", "Log"):
            self.call(f"{domain}.enable")

    def close(self) -> None:
        self.process.terminate()
        self.process.wait(10)
        os.close(self.out), os.close(self.into)

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        self.count += 1
        message = {"id": self.count, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.out, json.dumps(message).encode() + b"\0")
        while (answer := self.receive()).get("id") != self.count:
            self.events.append(answer)
        assert "error" not in answer, answer
        return answer["result"]

    def receive(self, seconds: float = 60.0) -> dict[str, Any]:
        while b"\0" not in self.rest:
            assert select.select([self.into], [], [], seconds)[0], "Chromium does not answer"
            self.rest += os.read(self.into, 1 << 20)
        line, _, self.rest = self.rest.partition(b"\0")
        return json.loads(line)

    def open(self, page: Path, *, width: int = 1280, height: int = 900) -> None:
        self.resize(width, height)
        self.call("Page.navigate", url=page.as_uri())
        until = time.monotonic() + 60
        while self.js("location.href + document.readyState") != page.as_uri() + "complete":
            assert time.monotonic() < until, "the page does not load"
            time.sleep(0.05)

    def resize(self, width: int, height: int) -> None:
        self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600
        )

    def js(self, expression: str) -> Any:
        """The value of an expression, or of its promise."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def screenshot(self, file: Path, *, whole: bool = False) -> None:
        answer = self.call("Page.captureScreenshot", captureBeyondViewport=whole)
        file.write_bytes(base64.b64decode(answer["data"]))

    def requests(self) -> list[str]:
        """Addresses beyond the page itself and what lies in it."""
        sent = [event["params"]["request"]["url"] for event in self.named("Network.requestWillBeSent")]
        return [url for url in sent if not url.startswith(("data:", "file:", "about:"))]

    def complaints(self) -> list[Any]:
        """Exceptions, console messages, and what the browser itself finds wrong."""
        kinds = ("Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded")
        return [event["params"] for kind in kinds for event in self.named(kind)]

    def named(self, method: str) -> list[dict[str, Any]]:
        return [event for event in self.events if event.get("method") == method]
