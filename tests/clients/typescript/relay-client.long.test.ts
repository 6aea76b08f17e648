// The client against a gateway, a relay and a device, while connections are cut and the relay is killed: the device's own log has
// each call once.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createConnection } from 'mariadb';
import { type Again, carryOut, type RelayBounds } from '../../../clients/typescript/relay-client.ts';
import { TcpLine } from '../../../simulators/tcp-line.ts';
import { waitFor } from '../../support/machine/temporary-folder.ts';
import { RelayHost } from '../support/relay-host.ts';

let host: RelayHost;
let line: TcpLine;

/** The number of bytes of the next message, from the client or the server, that get through. */
interface Cut {
  readonly of: 'client' | 'server';
  readonly bytes: (length: number) => number;
}
/** One per request. */
const planned: Cut[] = [];
const nothing = () => 0;
const cuts = {
  'before the request': { of: 'client', bytes: nothing },
  'before the answer': { of: 'server', bytes: nothing },
  // Its headers and the beginning of its body.
  'in mid-answer': { of: 'server', bytes: (length: number) => length - 20 },
} as const;

beforeAll(async () => {
  host = await RelayHost.start();
  const { hostname, port } = new URL(host.origin);
  line = await TcpLine.lay(
    { host: hostname, port: Number(port) },
    { cutAfter: (chunk, from) => (planned[0]?.of === from ? planned.shift()?.bytes(chunk.length) : undefined) },
  );
  await host.register('fw');
});
afterAll(async () => {
  await line?.stop();
  await host?.stop();
});

const quick = { deadlineMs: 40_000, firstPauseMs: 50, longestPauseMs: 500 };

function add(backend: string, address: string, bounds: RelayBounds = {}, key = `key-${backend}-${address}`) {
  const again: Again[] = [];
  const outcome = carryOut(
    { url: `http://${line.host}:${line.port}/graphql`, token: () => host.token },
    {
      mutation: 'firewallAddressSetElementAdd',
      idempotencyKey: key,
      input: { backend: { name: backend }, set: 'blocked', address },
    },
    { ...quick, onAgain: (each) => again.push(each), ...bounds },
  );
  return Object.assign(outcome, { again });
}

async function sql<Row>(text: string): Promise<Row[]> {
  const connection = await createConnection({ ...host.place.database.connection });
  try {
    return (await connection.query(text)) as Row[];
  } finally {
    await connection.end();
  }
}

describe('cut connections', () => {
  test.each([
    ['before the request', '10.0.0.1'],
    ['before the answer', '10.0.0.2'],
    ['in mid-answer', '10.0.0.3'],
  ] as const)('%s: the same key again, one call on the device', async (cut, address) => {
    planned.push(cuts[cut], cuts[cut]);
    const call = add('fw', address);
    expect(await call).toMatchObject({ kind: 'SUCCEEDED', requests: 3, operation: { state: 'SUCCEEDED' } });
    expect(call.again.map(({ why }) => why)).toEqual([expect.stringContaining('no answer'), expect.anything()]);
    expect(planned).toEqual([]);
    expect(host.device.timesTold(address)).toBe(1);
  });

  test('if the caller disconnects while the device works, a repetition is the same call', async () => {
    host.device.hold();
    const controller = new AbortController();
    const first = add('fw', '10.0.0.4', { signal: controller.signal });
    await waitFor('the device to be told', () => host.device.timesTold('10.0.0.4') === 1);
    controller.abort();
    expect(await first).toMatchObject({ kind: 'OPEN', operation: null, requests: 1 });
    host.device.release();
    expect(await add('fw', '10.0.0.4')).toMatchObject({ kind: 'SUCCEEDED', requests: 1 });
    expect(host.device.timesTold('10.0.0.4')).toBe(1);
  });
});

describe("a backend that can't accept the call now", () => {
  test('BUSY: the same key until there is room; each call once', async () => {
    await host.register('busy', { limits: { concurrency: 1, queueLimit: 1 } });
    expect((await add('busy', '10.1.0.1')).kind).toBe('SUCCEEDED');
    host.device.hold();
    const calls = ['10.1.0.2', '10.1.0.3', '10.1.0.4', '10.1.0.5'].map((address) => add('busy', address));
    await waitFor('BUSY', () => calls.some(({ again }) => again.some(({ why }) => why.startsWith('BUSY'))));
    host.device.release();
    expect((await Promise.all(calls)).map(({ kind }) => kind)).toEqual(Array(4).fill('SUCCEEDED'));
    for (const address of ['10.1.0.2', '10.1.0.3', '10.1.0.4', '10.1.0.5'])
      expect(host.device.timesTold(address)).toBe(1);
    const waits = calls.flatMap(({ again }) => again.filter(({ why }) => why.startsWith('BUSY')));
    expect(Math.min(...waits.map(({ inMs }) => inMs))).toBeGreaterThanOrEqual(1_000);
  });

  test('a wrong password: the circuit opens, and the same key succeeds once a person has corrected it', async () => {
    const id = await host.register('locked', { credentials: { username: 'netops', password: 'wrong' } });
    const attempts = host.device.ssh.attempts.length;
    const call = add('locked', '10.1.1.1');
    await waitFor('the open circuit', () => call.again.some(({ why }) => why.startsWith('CIRCUIT_OPEN')));
    expect(host.device.ssh.attempts.slice(attempts).filter((method) => method === 'password')).toHaveLength(1);
    const held = await add('locked', '10.1.1.2', { deadlineMs: 1_500 });
    expect(held).toMatchObject({ kind: 'REFUSED', refusals: [{ code: 'CIRCUIT_OPEN' }] });
    expect(held.person).toMatch(/AUTH_FAILED.*same key continues/);
    await host.ask(`mutation ($input: BackendUpdateInput!) { backendUpdate(input: $input) { userErrors { code } } }`, {
      input: { id, credentials: { username: 'netops', password: 'secret' } },
    });
    expect(await call).toMatchObject({ kind: 'SUCCEEDED' });
    expect(host.device.timesTold('10.1.1.1')).toBe(1);
    expect(host.device.timesTold('10.1.1.2')).toBe(0);
  });

  test('no host key accepted: a person has to act, then the same key works', async () => {
    const id = await host.register('unpinned', { hostKeySha256: null });
    const refused = await add('unpinned', '10.1.2.1');
    expect(refused).toMatchObject({ kind: 'REFUSED', requests: 1, refusals: [{ code: 'HOST_KEY_UNKNOWN' }] });
    expect(refused.person).toMatch(/host key.*same request with the same key/);
    const { hostKeySha256 } = host.device.ssh;
    await host.ask(
      'mutation ($input: BackendHostKeyAcceptInput!) { backendHostKeyAccept(input: $input) { userErrors { code } } }',
      { input: { id, hostKeySha256 } },
    );
    expect(await add('unpinned', '10.1.2.1')).toMatchObject({ kind: 'SUCCEEDED', requests: 1 });
  });
});

describe('a relay and a journal that are not available', () => {
  test('down during the request: lost until it is back, then one call', async () => {
    await host.killRelay();
    const call = add('fw', '10.2.0.1');
    await waitFor('two tries', () => call.again.length >= 2);
    expect(call.again[0]?.why).toMatch(/^(SUBGRAPH_)?UNAVAILABLE/);
    await host.startRelay();
    expect(await call).toMatchObject({ kind: 'SUCCEEDED' });
    expect(host.device.timesTold('10.2.0.1')).toBe(1);
  });

  test('restarted while the device works: the call ends normally, once', async () => {
    host.device.hold();
    const call = add('fw', '10.2.0.2');
    await waitFor('the device to be told', () => host.device.timesTold('10.2.0.2') === 1);
    const stopped = host.stopRelay();
    host.device.release();
    await stopped;
    await host.startRelay();
    expect(await call).toMatchObject({ kind: 'SUCCEEDED' });
    expect(host.device.timesTold('10.2.0.2')).toBe(1);
  });

  test('killed while the device works: UNKNOWN, with advice on what to check, and no repetition', async () => {
    await host.register('doomed', { limits: { deadlineMs: 1_000 } });
    expect((await add('doomed', '10.2.0.3')).kind).toBe('SUCCEEDED');
    host.device.hold();
    const call = add('doomed', '10.2.0.4');
    await waitFor('the device to be told', () => host.device.timesTold('10.2.0.4') === 1);
    await host.killRelay();
    host.device.release();
    await host.startRelay();
    const outcome = await call;
    expect(outcome).toMatchObject({ kind: 'UNKNOWN', operation: { state: 'UNKNOWN' } });
    expect(outcome.person).toMatch(/sent and has no verdict; until .* do not send it with another key/);
    expect(await add('doomed', '10.2.0.4')).toMatchObject({ kind: 'UNKNOWN', requests: 1 });
    const next = await add('doomed', '10.2.0.4', {}, 'another-key');
    expect(next).toMatchObject({ kind: 'REFUSED', refusals: [{ code: 'UNSETTLED_PREDECESSOR' }] });
    expect(next.person).toContain('settle it');
    expect(host.device.timesTold('10.2.0.4')).toBe(1);
  });

  test('no journal when the device answers: OUTCOME_NOT_RECORDED, then the same verdict from the journal', async () => {
    expect((await add('fw', '10.2.0.5')).kind).toBe('SUCCEEDED');
    host.device.hold();
    const call = add('fw', '10.2.0.6');
    await waitFor('the device to be told', () => host.device.timesTold('10.2.0.6') === 1);
    await sql('RENAME TABLE operation TO operation_away');
    host.device.release();
    await waitFor('the bad news', () => call.again.some(({ why }) => why.startsWith('OUTCOME_NOT_RECORDED')));
    await sql('RENAME TABLE operation_away TO operation');
    expect(await call).toMatchObject({
      ...{ kind: 'SUCCEEDED', operation: { state: 'SUCCEEDED' } },
      deviceAnswer: { state: 'SUCCEEDED', result: { set: 'blocked', address: '10.2.0.6' } },
    });
    expect(host.device.timesTold('10.2.0.6')).toBe(1);
  });
});

test('a key is kept for 7 days, and through restarts', async () => {
  const first = await add('fw', '10.3.0.1');
  await host.stopRelay();
  await host.startRelay();
  const later = await add('fw', '10.3.0.1');
  expect(later).toMatchObject({ kind: 'SUCCEEDED', requests: 1, operation: { id: first.operation?.id } });
  expect(host.device.timesTold('10.3.0.1')).toBe(1);
  const other = await add('fw', '10.3.0.2', {}, 'key-fw-10.3.0.1');
  expect(other).toMatchObject({ kind: 'REFUSED', refusals: [{ code: 'KEY_CONFLICT' }] });
  expect(host.device.timesTold('10.3.0.2')).toBe(0);
  const left = await sql<{ hours: bigint; n: bigint }>(
    'SELECT MIN(TIMESTAMPDIFF(HOUR, created_at, expires_at)) AS hours, COUNT(*) AS n FROM idempotency_key',
  );
  expect(Number(left[0]?.hours)).toBe(7 * 24);
  expect(Number(left[0]?.n)).toBeGreaterThan(5);
});
