#!/usr/bin/env node
// Asks for one survey, reads what became of it, and reads the export of answers.
// Needs Node 18 or newer and nothing else. Usage: client.mjs [INTERACTION]

import { setTimeout as pause } from 'node:timers/promises';

const {
  AFTERWORD_URL: url = 'http://127.0.0.1:3000',
  AFTERWORD_KEY: key = 'aw_live_local',
  AFTERWORD_LIMIT: limit = '1000',
} = process.env;
const ATTEMPTS = 6;

// The JSON reply. Repeats after a 429, a 5xx or no answer; any other error is the caller's.
async function call(path, options = {}) {
  const headers = { 'x-api-key': key, 'content-type': 'application/json', ...options.headers };
  for (let attempt = 0; ; attempt += 1) {
    const last = attempt + 1 === ATTEMPTS;
    let wait = null;
    try {
      const signal = AbortSignal.timeout(30_000);
      const reply = await fetch(url + path, { ...options, headers, signal });
      if (reply.ok) return await reply.json();
      if (last || (reply.status !== 429 && reply.status < 500)) {
        throw new Refused(`${path}: ${reply.status} ${await reply.text()}`);
      }
      wait = reply.headers.get('retry-after');
    } catch (error) {
      if (last || error instanceof Refused) throw error;
    }
    await pause(1000 * (wait ?? 2 ** attempt));
  }
}

class Refused extends Error {}

// Records a request. The Idempotency-Key names this call: a repetition asks nobody twice.
function ask(interaction) {
  const body = JSON.stringify({
    channel: 'email',
    ext_interaction_id: interaction,
    customer: { name: 'Sam', email: 'sam@customers.example' },
    employee: { email: 'paul@blancapeak.example' },
  });
  const headers = { 'idempotency-key': `client.mjs-${interaction}` };
  return call('/v1/requests', { method: 'POST', body, headers });
}

// Every answer after a sequence_id. Keep the last one, and start from there next time.
async function* answers(after = 0) {
  while (after !== null) {
    const page = await call(`/v2/data?after=${after}&limit=${limit}`);
    yield* page.data;
    after = page.next;
  }
}

const recorded = await ask(process.argv[2] ?? '1001');
const request = await call(`/v1/requests/${recorded.request_id}`);
console.log('request', request.request_id, request.status, request.reason ?? '');
for await (const { uuid, answers: given } of answers()) {
  const [option] = Object.values(given.agent_star_rating.selected_options);
  console.log('answer', uuid, option.integer_value);
}
