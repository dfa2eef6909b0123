"""The bodies that scripts/fuzz.py posts, and what is right about each, judged from its bytes alone.

Every body carries an address of its own in every place that can hold text: the customer's in `@custbox.example`, the name's in `@namebox.example`,
and so on, and the address of another agent among its tags. So a mail that went to the wrong place names the place it was taken from. The judgement
is made anew here, and not by the parser that is tested.
"""

import difflib
import json
import random
import re
import unicodedata
from pathlib import Path

import liquid

ROOT = Path(__file__).resolve().parent.parent
LIVE, TEST = "aw_live_local", "aw_test_local"
PAUL, DECOY = "paul@blancapeak.example", "decoy@blancapeak.example"
LARGEST_BODY = 256 * 1024
# Sizes that padded bodies have: around the limits of rows and bodies.
SIZES = [9_000, 60_000, 120_000, 160_000, 163_840, 170_000, 220_000, LARGEST_BODY - 1, LARGEST_BODY, LARGEST_BODY + 1, 300_000]
PADDINGS = [b"\xff", b"/", b"~", b"\\", b'"', b" ", b"\xf0\x9f\xa6\x8a", b'","a', b"\x00", b"{", b'{"a":']
# Bodies of one customer: of these, at most one brings a mail.
A_CUSTOMER = 3
EMPLOYEE_OF_ID = {"522743": PAUL, "7": DECOY}


def render(template):
    """A helpdesk's template over a plain ticket."""
    text = template.replace("YOUR CUSTOM ID HERE", "360001").replace("YOUR CUSTOM CHANNEL NAME", "email")
    person = {"name": "Jane Doe", "email": "jane.doe@example.com", "locale": "pt-br", "language": "pt-BR"}
    ticket = {
        "id": "4711", "link": "https://acme.zendesk.com/agent/tickets/4711", "url": "acme.freshdesk.com/a/tickets/4711", "tags": "vip returns",
        "from_email": person["email"], "assignee": {"email": PAUL}, "agent": {"email": PAUL}, "requester": person, "contact": person,
        "ticket_field_option_title_360001": "Late delivery", "brand": {"name": "Blanca Kids"} if "brand.name" in text else "Blanca Kids",
    }
    return liquid.parse(text).render(ticket=ticket)


def route_of(name):
    source = next((source for source in ("zendesk", "freshdesk", "gladly", "gorgias") if name.startswith(source)), None)
    return f"/v1/webhooks/{source}" if source else "/v1/requests"


def originals():
    """(name, route, headers, body) of every sample, of every body in the tests, and of every template."""
    found = []
    for path in sorted((ROOT / "events").glob("*.json")):
        event = json.loads(path.read_text())
        if event.get("rawPath", "").startswith("/v1/") and "body" in event:
            kept = {name: value for name, value in event["headers"].items() if name.startswith("x-zendesk")}
            found.append((path.stem, event["rawPath"], kept, event["body"]))
    fixtures = ROOT / "shared/normalize/tests"
    for path in sorted(fixtures.glob("bodies/*.json")):
        found.append((path.stem, route_of(path.stem), {}, path.read_text()))
    for path in sorted(fixtures.glob("templates/*/*.liquid")):
        name = f"{path.parent.name}-{path.stem}"
        found.append((name, route_of(name), {}, render(path.read_text())))
    target_test = (fixtures / "templates/zendesk/target-test.json").read_text()
    found += [("zendesk-as-target", "/v1/auth", {}, found[-1][3]), ("target-test", "/v1/auth", {}, target_test)]
    return found


def seeded(body, number):
    """The body with addresses of its own in all its places, and the addresses by place."""
    customer = f"cust{number // A_CUSTOMER}q@custbox.example"
    others = {box: f"{box}{number}q@{box}box.example" for box in ("name", "tag", "link", "subject")}
    for agent in ("paul.agent@example.com", "paulagent@blancapeak.com", "pete.sellar@stellaservice.com"):
        body = body.replace(agent, PAUL)
    body = re.sub(r"[\w.]+@(customers\.example|example\.com|stellaservice\.com)", customer, body)
    # The names of people stand in these texts, quoted or not; what is broken in them stays broken.
    for name in ("Jane Doe", "Jane", "José", "Åsa Öberg", "Nadia", "pete\""):
        body = body.replace(f'"{name}', f'"{others["name"]} {name}', 1).replace(f'" {name}', f'" {others["name"]} {name}', 1)
    body = re.sub(r"\b(vip|exchange|late)\b", others["tag"], body, count=1)
    body = re.sub(r"\b(returns?|billing|delivery|product-defect)\b", DECOY, body, count=1)
    body = body.replace("Late ", f"{others['subject']} ", 1).replace("/tickets/", f"/tickets/{others['link']}/", 1)
    body = re.sub(r"\b(35436|1187|9001|4711|4821\d|73[123]|9001[78]|5000f00001ClBXZ)\b", f"t{number}", body)
    return body, {"customer": customer, **others}


class Case:
    """One body, and what is needed to judge what came of it."""

    def __init__(self, number, seed, templates, radamsa):
        self.number = number
        dice = random.Random(f"{seed}/{number}")
        self.name, self.route, headers, body = templates[number % len(templates)]
        body, self.slots = seeded(body, number)
        body = body.encode()
        # One in ten stays as it is, so that there are surveys to go on with.
        if dice.randrange(10):
            body = radamsa.fuzz(body, seed=dice.getrandbits(31))
        if not dice.randrange(20):
            body = padded(body, dice)
        self.body, self.key = body, TEST if not dice.randrange(12) else LIVE
        self.headers = {"content-type": "application/json", "x-api-key": self.key, **headers}
        if "x-zendesk-webhook-invocation-id" in headers:
            self.headers["x-zendesk-webhook-invocation-id"] = f"invocation-{number}"

    def text(self):
        return self.body.decode(errors="replace")


def padded(body, dice):
    """Grown to one of the sizes, by text in a value or by tiny properties."""
    size = dice.choice(SIZES)
    place = body.find(b"box.example") + len(b"box.example") if dice.randrange(3) else dice.randrange(len(body) + 1)
    if dice.randrange(2):
        # What rows keep: properties, very many tiny ones, with long values, or with long names.
        name, value = dice.choice([(b"", b"x"), (b"", dice.choice(PADDINGS) * 1_900), (b"/" * 5_000, b"x"), (b"", b'", "n": {"x": 1}, "m": "')])
        each = [b'"p%d%s": "%s", ' % (n, name, value) for n in range(max(1, size // (12 + len(name) + len(value))))]
        open_brace = body.find(b"custom_properties")
        if open_brace < 0:
            place, each = body.find(b"{") + 1, [b'"custom_properties": {', *each, b'"last": ""}, ']
        else:
            place = body.find(b"{", open_brace) + 1
        filler = b"".join(each)
        return body[:place] + filler + body[place:]
    else:
        filler = dice.choice(PADDINGS) * size
    return body[:place] + filler[: max(0, size - len(body))] + body[place:]


# What is right, judged from the bytes alone

def strict(body):
    """The body as JSON, if it is JSON without a doubt; else nothing."""
    def unique(pairs):
        if len(pairs) != len(dict(pairs)):
            raise ValueError
        return dict(pairs)
    try:
        return json.loads(body.decode(), object_pairs_hook=unique)
    except (ValueError, RecursionError):
        return None


def at(value, *path):
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def values(body, nested, flat):
    """What stands in the places of a well-formed body that may hold this: nested, flat, or as a list of keys and values."""
    wrapped = at(body, "freshdesk_webhook")
    found = [at(inner, *path) for inner in (body, wrapped) for path in ([nested] + [(name,) for name in flat])]
    if isinstance(body, list):
        found += [at(pair, "value") for pair in body if at(pair, "key") in flat]
    return [str(value) for value in found if isinstance(value, (str, int))]


def plain(text):
    """As it can be compared: without case and white space, and each character in the form that a domain has it in, which is Unicode's NFKC."""
    local, at_sign, domain = text.rpartition("@")
    # Label by label, and not by the rules of IDNA, which allow fewer characters than mail programs do.
    labels = [label[4:].encode("ascii", "ignore").decode("punycode", "replace") if label[:4].lower() == "xn--" else label for label in domain.split(".")]
    text = local + at_sign + ".".join(labels)
    text = unicodedata.normalize("NFKC", text).casefold()
    return "".join(c for c in text if c.isprintable() and not c.isspace())


def labelled(text, names, value):
    """Whether the value follows one of these names directly in a broken body: then it stands in the place, whatever is broken elsewhere."""
    label = r'"?(?:%s)\\*"?\s*(?::|,\s*"value"\s*:)\s*\\*"?\s*' % "|".join(names)
    return re.search(label + re.escape(value), text, re.I) is not None


def wrong_address(case, to):
    """Why this mail should not have gone there, or nothing."""
    body = strict(case.body)
    if body is not None:
        places = values(body, ("customer", "email"), ("customer_email", "ticket_contact_email"))
        return None if plain(to) in map(plain, places) else f"{to} stands in no place of the customer's address: {places}"
    text, to = plain(case.text()), plain(to)
    nearest = max(case.slots, key=lambda slot: difflib.SequenceMatcher(None, case.slots[slot], to).ratio())
    if labelled(text, ("email", "customer_email", "ticket_contact_email"), to):
        return None
    if to not in text:
        return f"{to} stands nowhere in the body"
    return None if nearest == "customer" else f"{to} comes from the place of the {nearest}"


def wrong_agent(case, agent):
    """Why this agent should not have been taken, or nothing."""
    if agent == PAUL:
        return None
    body = strict(case.body)
    if body is not None:
        mails = values(body, ("employee", "email"), ("employee_email", "ticket_agent_email"))
        ids = values(body, ("employee", "custom_id"), ("employee_custom_id",))
        asked = [plain(mail) for mail in mails] + [EMPLOYEE_OF_ID.get(one.strip()) for one in ids]
        return None if agent in asked else f"{agent} is no agent of the template's: {mails} {ids}"
    names = ("email", "employee_email", "ticket_agent_email")
    return None if labelled(case.text(), names, agent) else f"{agent} is not the template's agent"
