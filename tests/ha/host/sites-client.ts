// A client with the list of hosts. It writes rows, each with a key, and reads back the acknowledged ones. A request without an answer goes to
// the next host with the same key, until there is an answer. Arguments: the report file, the password file, URLs of hosts.
import { randomUUID } from 'node:crypto';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { ask, type GraphReply } from '../../../clients/typescript/graph-request.ts';

const [, , file = '', passwordFile = '', ...urls] = process.argv;
const attemptMs = 10_000;
/** Shorter than the lifetime of a token. */
const tokenMs = 120_000;
const taskMs = 180_000;
const pauseMs = 50;
const againMs = 100;
/** Shorter gaps are not reported. */
const gapMs = 300;
const create = `mutation ($input: ProjectCreateInput!) {
  root: projectCreate(input: $input) { project { id } userErrors { code message retry } } }`;
const read = 'query ($id: ID!) { root: project(id: $id) { id name } }';

export interface Seen {
  readonly acknowledged: { name: string; id: string }[];
  /** Writes and reads that were refused, or had no answer within the time of a task. */
  readonly failed: string[];
  /** Acknowledged rows that were missing from a read. */
  readonly stale: string[];
  reads: number;
  /** Attempts without an answer, and a description of the last one. */
  again: number;
  lastWords: string;
  /** Gaps between two acknowledged writes, in ms, with the Unix time of the second write. */
  readonly gaps: { ms: number; endedAt: number }[];
  /** Unix time of the last acknowledged write. */
  lastAt: number;
}

const seen: Seen = {
  ...{ acknowledged: [], failed: [], stale: [], gaps: [] },
  ...{ reads: 0, again: 0, lastWords: '', lastAt: 0 },
};
const password = readFileSync(passwordFile, 'utf8').trim();
let known = { token: '', sinceMs: Number.NEGATIVE_INFINITY };
let at = 0;
let isEnding = false;
process.once('SIGTERM', () => {
  isEnding = true;
});

/** Rejects if there is no answer. */
async function token(): Promise<string> {
  if (performance.now() - known.sinceMs < tokenMs) return known.token;
  const query = 'mutation ($input: LoginInput!) { login(input: $input) { accessToken } }';
  const response = await fetch(urlNow(), {
    ...{ method: 'POST', headers: { 'content-type': 'application/json' }, signal: AbortSignal.timeout(attemptMs) },
    body: JSON.stringify({ query, variables: { input: { name: 'admin', password } } }),
  });
  const { data } = (await response.json()) as { data?: { login?: { accessToken: string | null } } };
  // Refused while the primary changes, or before an account exists.
  const given = data?.login?.accessToken ?? undefined;
  if (given === undefined) throw new Error('no login');
  known = { token: given, sinceMs: performance.now() };
  return given;
}

function urlNow(): string {
  return `${urls[at % urls.length]}/graphql`;
}

async function untilAnswered(what: string, query: string, variables: object): Promise<GraphReply | undefined> {
  for (const endsAtMs = performance.now() + taskMs; performance.now() < endsAtMs; ) {
    const url = urlNow();
    const reply = await ask({ url, token }, query, variables, AbortSignal.timeout(attemptMs));
    const errors = reply.kind === 'answer' ? ((reply.value.userErrors ?? []) as { code: string; retry: string }[]) : [];
    const mayRepeat = errors[0]?.retry === 'SAME_KEY' || (reply.kind === 'refused' && reply.code === 'RATE_LIMITED');
    if (reply.kind !== 'lost' && !mayRepeat) return reply;
    seen.again += 1;
    seen.lastWords = `${what} at ${url}: ${reply.kind === 'lost' ? reply.why : JSON.stringify(errors)}`;
    at += 1;
    await sleep(againMs);
  }
  return undefined;
}

async function write(number: number): Promise<void> {
  const name = `row-${number}`;
  const input = { idempotencyKey: randomUUID(), name };
  const reply = await untilAnswered(name, create, { input });
  const project = reply?.kind === 'answer' ? (reply.value.project as { id: string } | null) : null;
  if (project === null) return void seen.failed.push(`${name} at ${urlNow()}: ${JSON.stringify(reply)}`);
  const now = Date.now();
  if (seen.lastAt > 0 && now - seen.lastAt > gapMs) seen.gaps.push({ ms: now - seen.lastAt, endedAt: now });
  seen.lastAt = now;
  seen.acknowledged.push({ name, id: project.id });
}

async function readBack(): Promise<void> {
  const row = seen.acknowledged.at(-1);
  if (row === undefined) return;
  const reply = await untilAnswered(`a read of ${row.name}`, read, { id: row.id });
  seen.reads += 1;
  if (reply?.kind !== 'answer') seen.failed.push(`a read of ${row.name} at ${urlNow()}: ${JSON.stringify(reply)}`);
  else if (reply.value.name !== row.name) seen.stale.push(row.name);
}

function tell(): void {
  writeFileSync(`${file}.new`, JSON.stringify(seen));
  renameSync(`${file}.new`, file);
}

for (let number = 1; !isEnding; number += 1) {
  await write(number);
  await readBack();
  tell();
  await sleep(pauseMs);
}
tell();
