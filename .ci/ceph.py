"""Fetch Ceph's S3 gateway, on which generated policies are replayed: from Debian, when we are root there.

Without it those tests are left out, and say so; everything else runs. So this never fails.
"""

from __future__ import annotations

import os
import shutil
import subprocess

PACKAGES = ("radosgw", "ceph-mon", "ceph-osd", "ceph-common")
PROGRAMS = ("radosgw", "radosgw-admin", "ceph-mon", "ceph-osd", "ceph")
BY_HAND = f"apt-get install --no-install-recommends {' '.join(PACKAGES)}"


def main() -> None:
    if _is_here():
        return
    if shutil.which("apt-get") and hasattr(os, "geteuid") and os.geteuid() == 0:
        print("Fetching Ceph's S3 gateway for the replayed policies - once", flush=True)
        env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(["apt-get", "update", "-qq"], env=env, check=False)
        install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *PACKAGES]
        subprocess.run(install, env=env, check=False, stdout=subprocess.DEVNULL)
        if _is_here():
            return
    print(
        f"Ceph's S3 gateway could not be had: policies are not replayed on it. On Debian, as root: {BY_HAND}"
    )


def _is_here() -> bool:
    return all(map(shutil.which, PROGRAMS))


if __name__ == "__main__":
    main()
