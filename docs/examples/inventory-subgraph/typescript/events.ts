// Sends waiting status events to Tidegate, each once, with the credentials that "tidegate join" has written. It needs only Node.
// For an authority of your own, set NODE_EXTRA_CA_CERTS.
import { generateKeyPairSync } from 'node:crypto';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Store } from './store.ts';

interface UserError {
  readonly code: string;
  readonly message: string;
  readonly field: readonly string[];
  readonly retry: string;
  readonly retryAfterMs: number | null;
}

const add =
  'mutation ($input: StatusEventsAddInput!) { statusEventsAdd(input: $input) { userErrors { code message field retry retryAfterMs } } }';
const renew =
  'mutation ($input: MachineRenewInput!) { machineRenew(input: $input) { certificate authority token expiresAt } }';
const idleMs = 50;
const [shortestPauseMs, longestPauseMs] = [500, 30_000];
const renewBeforeMs = 3.5 * 86_400_000;

/** Runs as long as the process. */
export async function sendEvents(store: Store, machineFile: string): Promise<never> {
  let pauseMs = shortestPauseMs;
  for (;;) {
    const batch = store.next();
    try {
      await renewInTime(machineFile);
      const waitMs = batch === undefined ? idleMs : await send(store, machineFile, batch);
      pauseMs = shortestPauseMs;
      await sleep(waitMs);
    } catch (error) {
      // The answer may be lost: the same batch with the same key is written once.
      console.error(`the events wait: ${error instanceof Error ? error.message : String(error)}`);
      await sleep(pauseMs * (0.5 + Math.random() / 2));
      pauseMs = Math.min(pauseMs * 2, longestPauseMs);
    }
  }
}

/** Returns how long to wait before the next batch. Throws if the batch must be sent again after a growing pause. */
async function send(
  store: Store,
  file: string,
  { key, events }: NonNullable<ReturnType<Store['next']>>,
): Promise<number> {
  const { userErrors } = await ask<{ userErrors: UserError[] }>(file, add, { idempotencyKey: key, events });
  if (userErrors.length === 0) {
    store.done();
    return 0;
  }
  const faulty = userErrors.filter(({ field }) => field[1] === 'events' && field[2] !== undefined);
  if (faulty.length > 0) {
    for (const { code, message } of faulty) console.error(`an event is left out: ${code}: ${message}`);
    store.leaveOut(new Set(faulty.map(({ field }) => Number(field[2]))));
    return 0;
  }
  const [first] = userErrors;
  if (first?.retry === 'SAME_KEY' && first.retryAfterMs !== null) return first.retryAfterMs;
  throw new Error(`${first?.code}: ${first?.message}`);
}

async function renewInTime(file: string): Promise<void> {
  const machine = JSON.parse(readFileSync(file, 'utf8'));
  if (Date.parse(machine.expiresAt) - Date.now() > renewBeforeMs) return;
  const { publicKey, privateKey } = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  const renewed = await ask<{ token: string | null }>(file, renew, { publicKey });
  if (renewed.token === null) throw new Error('Tidegate refused to renew the credentials');
  writeFileSync(`${file}.new`, JSON.stringify({ ...machine, ...renewed, key: privateKey }), { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

/** The payload of a mutation. */
async function ask<Payload>(file: string, query: string, input: object): Promise<Payload> {
  const { endpoint, token } = JSON.parse(readFileSync(file, 'utf8'));
  const response = await fetch(endpoint, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify({ query, variables: { input } }),
    signal: AbortSignal.timeout(30_000),
  });
  const { data, errors } = (await response.json()) as { data?: Record<string, Payload | null>; errors?: unknown };
  const [payload] = Object.values(data ?? {});
  if (payload == null) throw new Error(`no result: ${JSON.stringify(errors)}`);
  return payload;
}
