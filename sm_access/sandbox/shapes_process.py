"""The shape-keeping half of the sandbox: moto on a socket that the host already holds. Run as a module.

It answers for SageMaker and for every service that the enforcing half does not cover, so that no call can
leave the machine. It enforces nothing. Arguments: one JSON object with `fd`, `port`, `parent`, `lifeline` as
in `enforcer_process.py`.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import sys

from sm_access.sandbox import lifeline


def main() -> None:
    given = json.loads(sys.argv[1])
    lifeline.die_with_parent(given["parent"])
    lifeline.end_with_pipe(given["lifeline"], lambda: os._exit(0))
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))

    from moto.moto_server.werkzeug_app import (
        DomainDispatcherApplication,
        MotoRequestHandler,
        create_backend_app,
    )
    from werkzeug.serving import make_server

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    application = DomainDispatcherApplication(create_backend_app)
    server = make_server(
        "127.0.0.1",
        given["port"],
        application,
        threaded=True,
        request_handler=MotoRequestHandler,
        fd=given["fd"],
    )
    server.serve_forever()


if __name__ == "__main__":
    main()
