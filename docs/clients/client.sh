#!/usr/bin/env bash
# Asks for one survey, reads what became of it, and reads the export of answers.
# Needs bash, curl 7.76 or newer, and jq. Usage: client.sh [INTERACTION]
set -euo pipefail

url=${AFTERWORD_URL:-http://127.0.0.1:3000}
key=${AFTERWORD_KEY:-aw_live_local}
limit=${AFTERWORD_LIMIT:-1000}
interaction=${1:-1001}

# curl repeats a call that ends with 408, 429 or 5xx, or without an answer, and waits for as long as
# Retry-After says. The key comes from a file descriptor: a command line is visible to other users.
call() {
  curl --silent --show-error --fail-with-body --max-time 30 --retry 5 --retry-connrefused \
    --header @<(printf 'x-api-key: %s' "$key") "$@"
}

body=$(jq --null-input --arg interaction "$interaction" '{
  channel: "email", ext_interaction_id: $interaction,
  customer: {name: "Sam", email: "sam@customers.example"},
  employee: {email: "paul@blancapeak.example"}}')

# The Idempotency-Key names this call: a repetition of it asks nobody twice.
recorded=$(call --header 'content-type: application/json' \
  --header "Idempotency-Key: client.sh-$interaction" --data "$body" "$url/v1/requests") ||
  { printf '%s\n' "$recorded" >&2; exit 1; } # it says what is wrong
id=$(jq --raw-output .request_id <<<"$recorded")

call "$url/v1/requests/$id" | jq --raw-output '"request \(.request_id) \(.status) \(.reason // "")"'

after=0 # Keep the last sequence_id, and start from there next time.
while [ "$after" != null ]; do
  page=$(call "$url/v2/data?after=$after&limit=$limit")
  jq --raw-output '.data[] |
    (.answers.agent_star_rating.selected_options | to_entries[0].value.integer_value) as $stars |
    "answer \(.uuid) \($stars)"' <<<"$page"
  after=$(jq --raw-output .next <<<"$page")
done
