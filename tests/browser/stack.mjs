// The local stack as a process, and calls to its API, its mailbox and its tables.

import { spawn } from 'node:child_process';
import { openSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';

const LIVE = { 'x-api-key': 'aw_live_local', 'content-type': 'application/json' };
const PATIENCE_MS = 15_000;

export class Stack {
  // Starts it on free ports without samples, and waits until it says where everything is.
  static async start(binary) {
    const stack = await Stack.launch(binary, ['--no-samples']);
    await stack.config('employee', 'paul@blancapeak.example', {
      name: { S: 'Paul Peak' },
      status: { S: 'approved' },
      picture_url: { S: `${stack.Mailbox}/gallery/agent.svg` },
    });
    await stack.config('brand', 'blancakids', {
      name: { S: 'Blanca Kids' },
      color: { S: '#B45309' },
      footer: { S: 'Blanca Kids, 1 Main Street' },
    });
    return stack;
  }

  // As `cargo run` starts it, with three weeks of history and the samples; but on free ports.
  // `log`: a file for what it logs.
  static async launch(binary, flags = [], log = null) {
    const stack = new Stack();
    const ports = ['--port', '0', '--dynamodb-port', '0', '--mail-port', '0'];
    const stdio = ['ignore', 'pipe', log ? openSync(log, 'w') : 'inherit'];
    stack.process = spawn(binary, [...ports, ...flags], { stdio });
    process.on('exit', () => stack.stop());
    for await (const line of createInterface({ input: stack.process.stdout })) {
      const [, what, url] = /^ {2}(Admin|API|DynamoDB|Mailbox) +(http:\S+)/.exec(line) ?? [];
      if (what) stack[what] = url;
      if (line.startsWith('Ready')) break;
    }
    if (!stack.Admin || !stack.API || !stack.DynamoDB || !stack.Mailbox)
      throw new Error('the stack does not start');
    return stack;
  }

  stop() {
    this.process.kill();
  }

  // One call of DynamoDB's own protocol.
  async dynamodb(operation, body) {
    const headers = {
      'content-type': 'application/x-amz-json-1.0',
      'x-amz-target': `DynamoDB_20120810.${operation}`,
      authorization:
        'AWS4-HMAC-SHA256 Credential=local/20260101/us-east-1/dynamodb/aws4_request, ' +
        'SignedHeaders=host, Signature=local',
      'x-amz-date': new Date().toISOString().replace(/[-:]|\.\d+/g, ''),
    };
    const response = await fetch(this.DynamoDB, {
      method: 'POST',
      headers,
      body: JSON.stringify(body),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${operation}: ${response.status} ${text}`);
    return JSON.parse(text);
  }

  config(kind, id, attributes) {
    return this.dynamodb('PutItem', {
      TableName: 'config',
      Item: { kind: { S: kind }, id: { S: id }, ...attributes },
    });
  }

  async rows(table) {
    const [rows, start] = [[], {}];
    do {
      const page = await this.dynamodb('Scan', { TableName: table, ...start });
      rows.push(...page.Items);
      start.ExclusiveStartKey = page.LastEvaluatedKey;
    } while (start.ExclusiveStartKey);
    return rows;
  }

  // Everything that the tables hold, as one text.
  async everything() {
    const { TableNames } = await this.dynamodb('ListTables', {});
    if (TableNames.length < 5) throw new Error(`only the tables ${TableNames}`);
    return JSON.stringify(await Promise.all(TableNames.map((table) => this.rows(table))));
  }

  // All answers and unsubscribes in the tables as one text, to compare before and after.
  async memory() {
    const unsubscribed = (await this.rows('suppression')).filter((row) =>
      row.kind.S.startsWith('unsubscribed'),
    );
    const answered = (await this.rows('interactions'))
      .filter((row) => row.answer)
      .map((row) => row.request_id);
    return JSON.stringify([unsubscribed, answered, await this.rows('responses')]);
  }

  // POSTs JSON with the live key: the reply's HTTP status, and its body.
  async post(path, body) {
    const init = { method: 'POST', headers: LIVE, body };
    const response = await fetch(`${this.API}${path}`, init);
    return { http: response.status, ...(await response.json()) };
  }

  // The mails to this customer.
  async mails(email) {
    const messages = await (await fetch(`${this.Mailbox}/messages`)).json();
    return messages.filter((message) => message.to.includes(email));
  }

  // A helpdesk says that an interaction with this customer has ended.
  async request(email, more = {}) {
    const body = {
      channel: 'email',
      brand: 'blancakids',
      ext_interaction_id: `ticket-${email}-${Math.random()}`,
      customer: { name: 'Jane Doe', email },
      employee: { email: 'paul@blancapeak.example' },
      ...more,
    };
    const response = await fetch(`${this.API}/v1/requests`, {
      method: 'POST',
      headers: LIVE,
      body: JSON.stringify(body),
    });
    const reply = await response.json();
    if (response.status !== 200 || reply.status !== 'queued')
      throw new Error(`refused: ${response.status} ${JSON.stringify(reply)}`);
    return reply.request_id;
  }

  // Where a request ends: `delivered`, or why not.
  async outcome(requestId) {
    return until(`the outcome of ${requestId}`, async () => {
      const { status, reason } = await (
        await fetch(`${this.API}/v1/requests/${requestId}`, { headers: LIVE })
      ).json();
      return ['queued', 'sending', 'sent'].includes(status) ? null : (reason ?? status);
    });
  }

  // The survey mail to this customer, after asking for it.
  async mail(email, more = {}) {
    const requestId = await this.request(email, more);
    const outcome = await this.outcome(requestId);
    if (outcome !== 'delivered') throw new Error(`no mail to ${email}: ${outcome}`);
    const messages = await (await fetch(`${this.Mailbox}/messages`)).json();
    const message = messages.find((message) => message.tags.request_id === requestId);
    const links = [...message.html.matchAll(/href="([^"]+)"/g)].map(([, url]) =>
      url.replaceAll('&amp;', '&'),
    );
    return {
      ...message,
      requestId,
      links,
      survey: links.find((url) => /\/s\/[^?]+$/.test(url)),
      unsubscribe: links.find((url) => url.includes('/u/')),
    };
  }

  // The answer that is kept for a request, or null.
  async answer(requestId) {
    const answer = (await this.rows('responses')).find((row) => row.request_id.S === requestId)
      ?.answer.M;
    return answer ? { stars: Number(answer.stars.N), comment: answer.comment?.S ?? null } : null;
  }

  // The export of answers.
  async data() {
    return (await (await fetch(`${this.API}/v2/data`, { headers: LIVE })).json()).data;
  }

  // Ends the suppression window of every customer, so that only an unsubscribe can stop the next
  // mail.
  async endWindows() {
    for (const { subject, kind } of await this.rows('suppression')) {
      if (kind.S === 'window')
        await this.dynamodb('DeleteItem', { TableName: 'suppression', Key: { subject, kind } });
    }
  }
}

// Asks again until there is an answer.
export async function until(what, ask, patience = PATIENCE_MS) {
  const end = Date.now() + patience;
  while (Date.now() < end) {
    const answer = await ask();
    if (answer) return answer;
    await pause(50);
  }
  throw new Error(`waited in vain for ${what}`);
}
