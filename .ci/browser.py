"""Find a Chromium for the browser tests, or fetch one: Debian's when we are root there, else Playwright's own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def main() -> int:
    if any(map(shutil.which, NAMES)) or _playwright_has_one():
        return 0
    print("Fetching Chromium for the browser tests - once", flush=True)
    if shutil.which("apt-get") and hasattr(os, "geteuid") and os.geteuid() == 0:
        env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(["apt-get", "update", "-qq"], env=env, check=False)
        command = [
            "apt-get",
            "install",
            "-y",
            "-qq",
            "--no-install-recommends",
            "chromium",
            "fonts-dejavu-core",
        ]
        subprocess.run(command, env=env, check=False, stdout=subprocess.DEVNULL)
        if shutil.which("chromium"):
            return 0
    subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=False)
    if _playwright_has_one():
        return 0
    print(
        "\nNo Chromium could be had for the browser tests.\n"
        "Install one (Debian: `apt-get install chromium` as root; elsewhere: `playwright install chromium`), "
        "or run everything else with: make test-all-but-browser",
        file=sys.stderr,
    )
    return 1


def _playwright_has_one() -> bool:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        return Path(playwright.chromium.executable_path).exists()


if __name__ == "__main__":
    sys.exit(main())
