"""Mutated bodies against a local stack, and what must hold afterwards. Started by scripts/fuzz; what is right about a body says fuzz_bodies.py."""

import http.client
import json
import os
import random
import re
import subprocess
import sys
import time
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from threading import local as per_thread
from urllib.parse import quote_from_bytes

import pyradamsa

from fuzz_bodies import (
    EMPLOYEE_OF_ID, LARGEST_BODY, LIVE, PADDINGS, ROOT, Case, at, originals, wrong_address, wrong_agent,
)

TEST_EMAIL = "test@blancapeak.example"
CONNECTIONS = 8
LARGEST_ROW = 160 * 1024
# How long the end is waited for: back-offs are minutes, and sweep runs every minute.
PATIENCE_SECONDS = 900
WAITING = {"queued", "sending", "unresolved"}


# The stack

def weight(value):
    """Bytes of a DynamoDB attribute value, as its documentation counts them."""
    (kind, content), = value.items()
    match kind:
        case "S":
            return len(content.encode())
        case "N":
            return len(content) // 2 + 2
        case "M":
            return 3 + len(content) + weigh_item(content)
        case "L":
            return 3 + sum(1 + weight(inner) for inner in content)
        case _:
            return 1


def weigh_item(item):
    return sum(len(name.encode()) + weight(value) for name, value in item.items())


class Stack:
    """A local stack on ports of its own."""

    def __init__(self, folder):
        command = [os.environ["AFTERWORD_LOCAL"], "--no-samples", "--port", "0", "--dynamodb-port", "0", "--mail-port", "0"]
        self.log = open(folder / "stack.log", "wb")
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=self.log)
        lines = [self.process.stdout.readline().decode() for _ in range(5)]
        ports = [re.search(r"http://[\d.]+:(\d+)", line) for line in lines]
        self.api, self.dynamodb, self.mail = (int(port[1]) for port in ports if port)
        self.kept = per_thread()

    def call(self, port, method, path, body=b"", headers=None):
        """Status, headers and body; a connection that was closed is opened once more."""
        connections = self.kept.__dict__.setdefault("connections", {})
        for last in (False, True):
            connection = connections.setdefault(port, http.client.HTTPConnection("127.0.0.1", port, timeout=120))
            try:
                connection.request(method, path, body, headers or {})
                response = connection.getresponse()
                return response.status, response.headers, response.read()
            except (http.client.HTTPException, OSError):
                connections.pop(port).close()
                if last:
                    raise

    def table(self, operation, request):
        headers = {
            "x-amz-target": f"DynamoDB_20120810.{operation}", "content-type": "application/x-amz-json-1.0", "x-amz-date": "20260101T000000Z",
            "authorization": "AWS4-HMAC-SHA256 Credential=a/20260101/local/dynamodb/aws4_request, SignedHeaders=host, Signature=0",
        }
        status, _, body = self.call(self.dynamodb, "POST", "/", json.dumps(request), headers)
        if status != 200:
            raise RuntimeError(f"{operation}: {status} {body[:300]}")
        return json.loads(body)

    def rows(self, table):
        start = {}
        while True:
            page = self.table("Scan", {"TableName": table, **start})
            yield from page["Items"]
            if "LastEvaluatedKey" not in page:
                return
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}

    def configure(self):
        def put(kind, key, **attributes):
            texts = {name: {"S": value} for name, value in {"kind": kind, "id": key, **attributes}.items()}
            self.table("PutItem", {"TableName": "config", "Item": texts})
        for custom_id, email in EMPLOYEE_OF_ID.items():
            put("employee", email, status="approved", name=email.split("@")[0].title(), custom_id=custom_id)
            put("employee_id", custom_id, email=email)
        put("brand", "blancakids", name="Blanca Kids")
        settings = self.table("GetItem", {"TableName": "config", "Key": {"kind": {"S": "company"}, "id": {"S": "settings"}}})["Item"]
        self.table("PutItem", {"TableName": "config", "Item": settings | {"send_rate": {"N": "1000"}}})
        # A ceiling of mails an hour is not what is tested.
        for row in self.rows("config"):
            if row["kind"]["S"] == "key":
                self.table("PutItem", {"TableName": "config", "Item": row | {"mails_per_hour": {"N": "0"}}})


class Report:
    """What was counted, and what was wrong, with the body to look at."""

    def __init__(self, folder):
        self.folder, self.wrong, self.counts = folder, [], defaultdict(Counter)

    def fail(self, what, name=None, body=None):
        if body is not None:
            path = self.folder / f"{name}.body"
            path.write_bytes(body)
            what += f"  [{path}]"
        self.wrong.append(what)
        if len(self.wrong) <= 20:
            print(f"WRONG: {what}", flush=True)

    def table(self):
        for what, counts in sorted(self.counts.items()):
            print(f"{what:32} " + "  ".join(f"{name}: {count}" for name, count in sorted(counts.items(), key=str)))


def post_bodies(stack, report, cases):
    """Posts every body; returns the case of each request_id."""
    asked = {}

    def post(case):
        try:
            status, headers, reply = stack.call(stack.api, "POST", case.route, case.body, case.headers)
        except (http.client.HTTPException, OSError) as error:
            return report.fail(f"{case.route}: no reply: {error!r}", case.number, case.body)
        report.counts[case.route][status] += 1
        kind = headers.get("content-type", "")
        if status >= 500:
            report.fail(f"{case.route}: {status} {reply[:200]}", case.number, case.body)
        if kind.split(";")[0] not in ("application/json", "application/problem+json"):
            return report.fail(f"{case.route}: {status} with {kind!r}", case.number, case.body)
        try:
            reply = json.loads(reply)
        except ValueError:
            return report.fail(f"{case.route}: {status} that is no JSON", case.number, case.body)
        if len(case.body) > LARGEST_BODY and status != 413:
            report.fail(f"{case.route}: {status} for {len(case.body)} bytes", case.number, case.body)
        if isinstance(reply.get("request_id"), str) and not reply.get("duplicate"):
            asked[reply["request_id"]] = case

    with ThreadPoolExecutor(CONNECTIONS) as pool:
        list(pool.map(post, cases))
    return asked


def wait(stack, report, asked):
    """Until nothing waits any more; returns every row."""
    started = time.monotonic()
    while True:
        rows = list(stack.rows("interactions"))
        # A conversation that Gladly does not know is asked for again for two days, at longer and longer intervals.
        now = time.time() * 1000
        waiting = [row for row in rows if row["status"]["S"] in WAITING]
        waiting = [row for row in waiting if row["status"]["S"] != "unresolved" or float(at(row, "wake_at", "N") or 0) < now - 180_000]
        if not waiting:
            return rows
        if time.monotonic() - started > PATIENCE_SECONDS:
            for row in waiting:
                case = asked.get(row["request_id"]["S"])
                state = {name: row.get(name) for name in ("status", "wake_at", "attempts", "ready")}
                report.fail(f"{row['request_id']['S']} still waits: {state}", case and case.number, case and case.body)
            return rows
        time.sleep(10)


def judge(stack, report, asked, rows):
    """Checks every row and every mail; returns the mails."""
    by_id = {row["request_id"]["S"]: row for row in rows}
    for request_id, case in asked.items():
        if request_id not in by_id:
            report.fail(f"{request_id} was answered, and is lost", case.number, case.body)
    for request_id, row in by_id.items():
        case = asked.get(request_id)
        body = (case.number, case.body) if case else ()
        size = weigh_item(row)
        status, reason = row["status"]["S"], at(row, "reason", "S")
        report.counts["rows"][status if not reason else f"{status}: {reason}"] += 1
        if size > LARGEST_ROW:
            report.fail(f"{request_id} weighs {size} bytes", *body)
        if status in ("not_sent", "invalid", "failed") and not reason:
            report.fail(f"{request_id} ended as {status} without a reason", *body)
        agent = at(row, "employee", "M", "email", "S")
        # Gladly's agents come from Gladly.
        if case and agent and row["source"]["S"] != "gladly" and status not in ("not_sent", "invalid"):
            if wrong := wrong_agent(case, agent):
                report.fail(f"{request_id}: {wrong}", *body)
    mails = json.loads(stack.call(stack.mail, "GET", "/messages")[2])
    per_request, per_customer = Counter(), Counter()
    for mail in mails:
        request_id, to = mail["tags"].get("request_id"), mail["to"]
        case, row = asked.get(request_id), by_id.get(request_id)
        if not case or not row or len(to) != 1:
            report.fail(f"a mail to {to} of no request that was answered: {request_id}")
            continue
        per_request[request_id] += 1
        live = row["mode"]["S"] == "live"
        report.counts["mails"]["live" if live else "test"] += 1
        if live:
            per_customer[to[0].lower()] += 1
        if not live or row["source"]["S"] == "gladly":
            expected = [TEST_EMAIL] if not live else ["jane.roe@customers.example", "omar@customers.example"]
            wrong = None if to[0] in expected else f"{to[0]}, not {expected}"
        else:
            wrong = wrong_address(case, to[0])
        if wrong:
            report.fail(f"{request_id}: {wrong}", case.number, case.body)
    for what, counter in (("request", per_request), ("customer", per_customer)):
        for name, count in counter.items():
            if count > 1:
                report.fail(f"{count} mails for the {what} {name}")
    return mails


def read_all(stack, report):
    """Every list to its end: what was let in must not keep anybody from reading it."""
    for path, items in (("/v1/requests?limit=500", "requests"), ("/v2/data?limit=1000", "data")):
        after, seen = "", set()
        while after is not None:
            status, _, reply = stack.call(stack.api, "GET", path + after, headers={"x-api-key": LIVE})
            report.counts["GET " + path.split("?")[0]][status] += 1
            if status != 200:
                report.fail(f"GET {path}{after}: {status} {reply[:200]}")
                break
            page = json.loads(reply)
            ids = [item.get("request_id") or item.get("uuid") for item in page[items]]
            if seen.intersection(ids):
                report.fail(f"GET {path}{after} shows a row twice")
            seen.update(ids)
            after = f"&after={quote_from_bytes(str(page['next']).encode())}" if page.get("next") and ids else None


FORMS = [
    b"stars=4&comment=Fine%20%F0%9F%A6%8A&topics=speed&topics=clarity&lang=de", b"stars=1&comment=%3Cfz%3E%22%27&topics=solution", b"stars=5",
    b"stars=3&comment=" + b"%C3%A9" * 1_900, b"List-Unsubscribe=One-Click", b"scope=brand&lang=fr", b"scope=all", b"undo=all", b"undo=brand",
]
QUERIES = [b"stars=4&lang=ar", b"thanks=4&lang=%3Cfz%3E", b"done=all", b"undone=brand&lang=pt-BR", b"stars=%00&lang=%ff%fe"]


def visit_pages(stack, report, mails, count, seed):
    """As many requests to the survey's pages: posted forms, queries, and tokens that are almost right."""
    paths = sorted({path for mail in mails for path in re.findall(r"/[su]/[\w-]+", mail["text"])})
    if not paths:
        return report.fail("no mail, so no survey to visit")
    radamsa = pyradamsa.Radamsa()
    dice = random.Random(f"{seed}/pages")

    def visits():
        for number in range(count):
            path, body, method = dice.choice(paths), b"", "POST"
            if not dice.randrange(20):
                path = path[:3] + quote_from_bytes(radamsa.fuzz(path[3:].encode(), seed=dice.getrandbits(31))[:2_000], safe="")
            if dice.randrange(3):
                body = dice.choice(FORMS)
                body = radamsa.fuzz(body, seed=dice.getrandbits(31)) if dice.randrange(8) else body
                if not dice.randrange(50):
                    body += dice.choice(PADDINGS) * dice.choice([8_000, 50_000])
            else:
                query = radamsa.fuzz(dice.choice(QUERIES), seed=dice.getrandbits(31))[:4_000]
                method, path = dice.choice(["GET", "GET", "HEAD"]), path + "?" + quote_from_bytes(query, safe="%&=+/?;:@!$,~*'()")
            yield number, method, path, body, dice.choice(["application/x-www-form-urlencoded"] * 5 + ["text/plain", "multipart/form-data", ""])

    def visit(one):
        number, method, path, body, kind = one
        try:
            status, headers, page = stack.call(stack.api, method, path, body, {"content-type": kind, "accept-language": "de"})
        except (http.client.HTTPException, OSError) as error:
            return report.fail(f"{method} {path[:80]}: no reply: {error!r}", f"page-{number}", body)
        report.counts[f"{method} {path[:3]}"][status] += 1
        if status >= 500:
            report.fail(f"{method} {path[:80]}: {status}", f"page-{number}", body)
        if b"<fz>" in page:
            report.fail(f"{method} {path[:80]} shows markup that came from outside", f"page-{number}", body)
        if page and status < 500 and not headers.get("content-type", "").startswith("text/html"):
            # A path that is no route is API Gateway's to answer.
            if status != 404:
                report.fail(f"{method} {path[:80]}: {status} with {headers.get('content-type')!r}", f"page-{number}", body)

    with ThreadPoolExecutor(CONNECTIONS) as pool:
        list(pool.map(visit, list(visits())))
    current = Counter()
    for row in stack.rows("responses"):
        current[at(row, "request_id", "S")] += 1
        answer = at(row, "answer", "M") or row
        stars, comment = at(answer, "stars", "N"), at(answer, "comment", "S") or ""
        size = weigh_item(row)
        if stars not in {"1", "2", "3", "4", "5"} or len(comment) > 2_000 or size > LARGEST_ROW:
            report.fail(f"an answer of {stars} stars, {len(comment)} characters and {size} bytes")
    for request_id, answers in current.items():
        if answers > 1:
            report.fail(f"{answers} current answers to {request_id}")
    report.counts["answers"]["current"] = len(current)


def main():
    count, seed = (int(given) for given in (sys.argv[1:] + ["20000", "1"][len(sys.argv) - 1:])[:2])
    folder = ROOT / "target/fuzz" / str(seed)
    folder.mkdir(parents=True, exist_ok=True)
    report, stack, started = Report(folder), Stack(folder), time.monotonic()
    try:
        stack.configure()
        templates, radamsa = originals(), pyradamsa.Radamsa()
        asked = post_bodies(stack, report, [Case(number, seed, templates, radamsa) for number in range(count)])
        print(f"{count} bodies posted after {time.monotonic() - started:.0f} s", flush=True)
        rows = wait(stack, report, asked)
        mails = judge(stack, report, asked, rows)
        print(f"{len(mails)} mails judged after {time.monotonic() - started:.0f} s", flush=True)
        visit_pages(stack, report, mails, count, seed)
        read_all(stack, report)
        if stack.process.poll() is not None:
            report.fail(f"the stack ended: {stack.process.returncode}")
    finally:
        stack.process.terminate()
        stack.process.wait()
    report.table()
    print(f"seed {seed}: {len(report.wrong)} wrong, {time.monotonic() - started:.0f} s")
    sys.exit(1 if report.wrong else 0)


main()
