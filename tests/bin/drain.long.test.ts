// A process that is stopped while it works. It accepts no new connection or mutation, callers of waiting calls get an answer at once, and
// the call on the wire runs to its end.
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { Pool } from 'undici';
import { NftDevice } from '../subgraphs/relay/support/nft-device.ts';
import { waitFor } from '../support/machine/temporary-folder.ts';
import { type RunningSystem, runningSystem } from '../support/product/running-system.ts';

interface Answer {
  readonly data?: { readonly call: { readonly operation: { readonly state: string } | null } } | null;
  readonly errors?: readonly { readonly message: string; readonly extensions: { readonly code: string } }[];
}

const add = `mutation ($input: FirewallAddressSetElementAddInput!) {
  call: firewallAddressSetElementAdd(input: $input) { operation { state } userErrors { code message } } }`;

let system: RunningSystem;
let device: NftDevice;
const pools: Pool[] = [];

beforeEach(async () => {
  system = await runningSystem();
  device = await NftDevice.start();
  const { host, port, hostKeySha256 } = device.ssh;
  const input = {
    ...{ name: 'fw', driver: 'linux-nftables', host, port, hostKeySha256, limits: { concurrency: 1 } },
    credentials: { username: 'netops', password: 'secret' },
  };
  const create =
    'mutation ($input: BackendCreateInput!) { call: backendCreate(input: $input) { userErrors { code } } }';
  expect(await ask(pool(), create, { input })).toMatchObject({ data: { call: { userErrors: [] } } });
}, 60_000);
afterEach(async () => {
  await Promise.all(pools.splice(0).map((each) => each.destroy()));
  await system.stop();
  await device.ssh.stop();
});

/** One connection, which is kept open. */
function pool(): Pool {
  const made = new Pool(new URL(system.url).origin, { connections: 1, pipelining: 1 });
  pools.push(made);
  return made;
}

/** Whether the last answers keep their connections open. */
const keptOrClosed: (string | undefined)[] = [];

async function ask(connection: Pool, query: string, variables: object = {}): Promise<Answer> {
  const { body, headers } = await connection.request({
    path: '/graphql',
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${system.token}` },
    body: JSON.stringify({ query, variables }),
    headersTimeout: 120_000,
  });
  keptOrClosed.push(headers.connection?.toString());
  return (await body.json()) as Answer;
}

const element = (address: string) => ({
  input: { backend: { name: 'fw' }, idempotencyKey: `key-${address}`, set: 'blocked', address, waitMs: 60_000 },
});

test('a stop under load', async () => {
  device.hold();
  const ended: string[] = [];
  const note = (name: string) => (answer: Answer) => {
    ended.push(name);
    return answer;
  };
  const kept = pool();
  expect(await ask(kept, '{ __typename }')).toMatchObject({ data: { __typename: 'Query' } });
  const onWire = ask(pool(), add, element('10.0.0.1')).then(note('on the wire'));
  await waitFor('the first call to reach the device', async () => device.told.length === 1);
  const waiting = ask(pool(), add, element('10.0.0.2')).then(note('waiting'));
  await waitFor('the second call to wait', async () => {
    const { data } = (await ask(kept, '{ relayOperations(states: [PENDING]) { nodes { id } } }')) as unknown as {
      data: { relayOperations: { nodes: unknown[] } };
    };
    return data.relayOperations.nodes.length === 1;
  });

  const stopped = system.process.stop().then(() => ended.push('stopped'));
  // It is not sent before the first call has ended, and then not by this process, so its caller gets an answer now.
  expect(await waiting).toMatchObject({ data: { call: { operation: { state: 'PENDING' } } } });
  expect(ended).toEqual(['waiting']);
  const refused = await ask(kept, add, element('10.0.0.3')).catch((error: Error) => error.message);
  if (typeof refused === 'string') expect(refused).toMatch(/ECONNREFUSED|closed/);
  else expect(refused.errors?.[0]?.extensions.code).toBe('UNAVAILABLE');
  await waitFor('new connections to be refused', () =>
    ask(pool(), '{ __typename }').then(
      () => false,
      (error: Error) => error.message.includes('ECONNREFUSED'),
    ),
  );

  device.release();
  keptOrClosed.length = 0;
  expect(await onWire).toMatchObject({ data: { call: { operation: { state: 'SUCCEEDED' } } } });
  // No further request may come on its connection.
  expect(keptOrClosed).toEqual(['close']);
  await stopped;
  expect(ended).toEqual(['waiting', 'on the wire', 'stopped']);
  expect(device.told.filter((text) => text.includes('10.0.0.2') || text.includes('10.0.0.3'))).toEqual([]);
}, 120_000);

test('a connection that the system has accepted but the process has not gets a coded answer', async () => {
  const body = JSON.stringify({ query: add, variables: element('10.0.2.1') });
  const head = `POST /graphql HTTP/1.1\r\nhost: here\r\nauthorization: Bearer ${system.token}\r\ncontent-type: application/json`;
  const request = `${head}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
  const { hostname, port } = new URL(system.url);
  const answers = Array.from({ length: 8 }, async () => {
    const socket = connect(Number(port), hostname);
    // The client's end stays open: if it were closed, Node would answer only if the answer is ready at once.
    socket.write(request);
    return text(socket);
  });
  // The connections are made in the next tick.
  await new Promise<void>((resolve) => process.nextTick(resolve));
  const stopped = system.process.stop();
  for (const answer of await Promise.all(answers)) expect(answer).toContain('"code":"UNAVAILABLE"');
  await stopped;
  expect(device.told).toEqual([]);
}, 60_000);

test('a request on a kept connection at the moment of the stop gets a coded answer', async () => {
  const kept = Array.from({ length: 8 }, pool);
  for (const each of kept) expect(await ask(each, '{ __typename }')).toMatchObject({ data: { __typename: 'Query' } });
  const stopped = system.process.stop();
  const answers = kept.map((each, index) => ask(each, add, element(`10.0.1.${index}`)));
  for (const { errors } of await Promise.all(answers)) expect(errors?.[0]?.extensions.code).toBe('UNAVAILABLE');
  await stopped;
  expect(device.told).toEqual([]);
}, 60_000);
