#!/usr/bin/env python3
"""Asks for one survey, reads what became of it, and reads the export of answers.

Needs Python 3.9 or newer and nothing else. Usage: client.py [INTERACTION]
"""

import json
import os
import sys
import time
import urllib.error
import urllib.request

URL = os.environ.get("AFTERWORD_URL", "http://127.0.0.1:3000")
KEY = os.environ.get("AFTERWORD_KEY", "aw_live_local")
LIMIT = int(os.environ.get("AFTERWORD_LIMIT", "1000"))
ATTEMPTS = 6


def call(path, body=None, headers=None):
    """The JSON reply. Repeats after a 429, a 5xx or no answer; any other error is the caller's."""
    request = urllib.request.Request(
        URL + path,
        data=None if body is None else json.dumps(body).encode(),
        headers={"x-api-key": KEY, "content-type": "application/json", **(headers or {})},
    )
    for attempt in range(ATTEMPTS):
        try:
            with urllib.request.urlopen(request, timeout=30) as reply:
                return json.load(reply)
        except urllib.error.HTTPError as error:
            if error.code != 429 and error.code < 500 or attempt + 1 == ATTEMPTS:
                raise SystemExit(f"{path}: {error.code} {error.read().decode()}") from error
            wait = error.headers.get("retry-after")
        except (urllib.error.URLError, TimeoutError):
            if attempt + 1 == ATTEMPTS:
                raise
            wait = None
        time.sleep(int(wait) if wait else 2**attempt)


def ask(interaction):
    """Records a request. The Idempotency-Key names this call: a repetition asks nobody twice."""
    request = {
        "channel": "email",
        "ext_interaction_id": interaction,
        "customer": {"name": "Sam", "email": "sam@customers.example"},
        "employee": {"email": "paul@blancapeak.example"},
    }
    return call("/v1/requests", request, {"idempotency-key": f"client.py-{interaction}"})


def answers(after=0):
    """Every answer after a sequence_id. Keep the last one, and start from there next time."""
    while after is not None:
        page = call(f"/v2/data?after={after}&limit={LIMIT}")
        yield from page["data"]
        after = page["next"]


recorded = ask(sys.argv[1] if len(sys.argv) > 1 else "1001")
request = call(f"/v1/requests/{recorded['request_id']}")
print("request", request["request_id"], request["status"], request.get("reason", ""))
for answer in answers():
    (option,) = answer["answers"]["agent_star_rating"]["selected_options"].values()
    print("answer", answer["uuid"], option["integer_value"])
