"""What schemathesis checks besides its own checks. Loaded by scripts/api_test.toml."""

import schemathesis

NOT_UNDERSTOOD = {"malformed_json", "duplicate_key", "invalid_body"}


@schemathesis.check
def what_the_schema_admits_is_understood(ctx, response, case):
    """A body that the schema of POST /v1/requests admits is never called unreadable."""
    generated = case.meta.generation.mode.value if case.meta else None
    if case.operation.path != "/v1/requests" or case.method != "POST" or generated != "positive":
        return
    if response.status_code == 400 and response.json()["code"] in NOT_UNDERSTOOD:
        raise AssertionError(f"the schema admits a body that is not understood: {response.json()}")


@schemathesis.check
def replies_are_never_cached(ctx, response, case):
    """A reply may hold a customer's name."""
    if "/v1/" in case.path and "no-store" not in response.headers.get("cache-control", ["no-store"]):
        raise AssertionError("cache-control: no-store is missing")
