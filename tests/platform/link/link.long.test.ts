import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeAll, expect, test } from '@jest/globals';
import pino from 'pino';
import { WebSocket } from 'ws';
import { LinkClient, type LinkDocuments } from '../../../platform/link/link-client.ts';
import {
  type LanedSession,
  type LinkPeer,
  LinkRefusal,
  type LinkReport,
  LinkServer,
  type LinkSession,
} from '../../../platform/link/link-server.ts';
import { linkVersion, usualSilentMs } from '../../../platform/link/messages.ts';
import { clientOptions, type MutualTls } from '../../../platform/machines/tls.ts';
import type { CertificateAndKey } from '../../../platform/net/certificates.ts';
import type { JsonValue } from '../../../platform/values/json.ts';
import type { Position } from '../../../platform/values/positions.ts';
import { TcpLine } from '../../../simulators/tcp-line.ts';
import { waitFor } from '../../support/machine/temporary-folder.ts';
import { testAuthority, testMachine } from '../../support/product/machines.ts';
import { testHistory } from '../../support/stores/histories.ts';

const log = pino({ level: 'silent' });
let authority: CertificateAndKey;
const ends: (() => Promise<void>)[] = [];

beforeAll(async () => {
  authority = await testAuthority();
});
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

const machine = (role: string, name: string) => testMachine(authority, role, name, log);

const at = (number: number): Position => ({ history: testHistory, number });

class Documents implements LinkDocuments {
  readonly kept = new Map<string, { position: Position; document: JsonValue }>();
  readonly seen: string[] = [];

  held(): ReadonlyMap<string, Position> {
    return new Map([...this.kept].map(([key, { position }]) => [key, position]));
  }

  async put(key: string, position: Position, document: JsonValue): Promise<void> {
    await sleep(1);
    this.seen.push(`put ${key} ${position.number}`);
    this.kept.set(key, { position, document });
  }

  async change(key: string, { from, to }: Readonly<Record<string, JsonValue>>): Promise<boolean> {
    const before = this.kept.get(key);
    this.seen.push(`change ${key} ${String(from)} ${String(to)}`);
    if (before === undefined || before.position.number !== from) return false;
    this.kept.set(key, { ...before, position: at(Number(to)) });
    return true;
  }

  async remove(key: string): Promise<void> {
    this.seen.push(`remove ${key}`);
    this.kept.delete(key);
  }
}

/** The deciding end, as a domain uses it. */
class Domain {
  readonly peers: LinkPeer[] = [];
  readonly reports: [string, JsonValue][] = [];
  readonly resent: string[] = [];
  closed = 0;
  /** Reports are refused while this is true. */
  failing = false;
  /** Reports wait for this promise. */
  held: Promise<void> | undefined;
  /** If true, each report is in the lane that the first part of its key names. */
  hasLanes = false;
  /** Keys of the reports that were stored together. */
  readonly together: string[][] = [];

  async open(peer: LinkPeer): Promise<LinkSession | LanedSession> {
    this.peers.push(peer);
    const session = {
      epoch: this.peers.length,
      begin: () => peer.send({ type: 'document', key: 'node/1', position: at(7), document: { a: 1 } }),
      resend: (key: string) => {
        this.resent.push(key);
        peer.send({ type: 'document', key, position: at(9), document: { a: 9 } });
      },
      closed: async () => {
        await sleep(1);
        this.closed += 1;
      },
    };
    if (this.hasLanes)
      return {
        ...session,
        laneOf: (key) => key.split('/')[0] ?? '',
        report: async (reports: readonly LinkReport[]) => {
          if (reports[0]?.key.startsWith('slow/')) await this.held;
          if (this.failing) throw new Error('the database is away');
          this.together.push(reports.map(({ key }) => key));
        },
      };
    return {
      ...session,
      report: async (key, body) => {
        await sleep(1);
        await this.held;
        if (this.failing) throw new Error('the database is away');
        this.reports.push([key, body]);
      },
    };
  }
}

async function serve(tls: MutualTls, domain: Domain, port = 0): Promise<LinkServer> {
  const server = await LinkServer.listen({
    host: '127.0.0.1',
    port,
    tls,
    role: 'lbhost',
    log,
    open: (peer) => domain.open(peer),
  });
  ends.push(() => server.stop());
  return server;
}

function dial(
  tls: MutualTls,
  ports: readonly number[],
  documents = new Documents(),
  whole = () => {},
  silentMs?: number,
): LinkClient {
  const client = new LinkClient({
    ...{ tls, log, documents, whole, role: 'loadbalancer', facts: () => ({ provider: 'LOOPBACK' }) },
    urls: ports.map((port) => `wss://127.0.0.1:${port}/link`),
    ...(silentMs === undefined ? {} : { silentMs }),
  });
  client.start();
  ends.push(() => client.stop());
  return client;
}

test('documents arrive in order, and a change that does not follow is answered with the whole document', async () => {
  const [domain, documents] = [new Domain(), new Documents()];
  const server = await serve(await machine('loadbalancer', 'one'), domain);
  dial(await machine('lbhost', 'host-1'), [server.port], documents);
  await waitFor('the other end', () => documents.kept.size === 1);
  const [peer] = domain.peers;
  expect(peer).toMatchObject({ machine: { role: 'lbhost', name: 'host-1' }, facts: { provider: 'LOOPBACK' } });
  peer?.send({ type: 'change', key: 'node/1', change: { from: 7, to: 8 } });
  peer?.send({ type: 'change', key: 'node/1', change: { from: 3, to: 4 } });
  peer?.send({ type: 'document', key: 'node/2', position: at(1), document: {} });
  peer?.send({ type: 'gone', key: 'node/2' });
  await waitFor(
    'the other end',
    () =>
      domain.resent.length === 1 &&
      documents.kept.get('node/1')?.position.number === 9 &&
      !documents.kept.has('node/2'),
  );
  expect(documents.seen.slice(0, 5)).toEqual([
    ...['put node/1 7', 'change node/1 7 8', 'change node/1 3 4', 'put node/2 1', 'remove node/2'],
  ]);
});

test('the end of the initial documents is signalled after they were stored', async () => {
  const [domain, documents] = [new Domain(), new Documents()];
  const server = await serve(await machine('loadbalancer', 'one'), domain);
  const keptAtWhole: number[] = [];
  dial(await machine('lbhost', 'host-1'), [server.port], documents, () => keptAtWhole.push(documents.kept.size));
  await waitFor('the connection', () => domain.peers.length === 1);
  domain.peers[0]?.send({ type: 'document', key: 'node/2', position: at(1), document: {} });
  domain.peers[0]?.send({ type: 'whole' });
  await waitFor('the word', () => keptAtWhole.length > 0);
  expect(keptAtWhole).toEqual([2]);
});

test('a process that hung does not take the other end for lost, because it first reads what arrived in between', async () => {
  const domain = new Domain();
  const server = await serve(await machine('loadbalancer', 'one'), domain);
  const client = dial(await machine('lbhost', 'host-1'), [server.port]);
  await waitFor('the connection', () => client.connected && domain.peers.length === 1);
  // Both ends are in this process. The pause is longer than the time that either end takes for silence.
  for (let times = 0; times < 2; times += 1) {
    const untilMs = performance.now() + usualSilentMs + 500;
    while (performance.now() < untilMs);
    await sleep(usualSilentMs / 2);
  }
  expect(client.connected).toBe(true);
  expect(domain.peers.length).toBe(1);
});

test('a place that hangs is left for the next one', async () => {
  const [first, second] = [new Domain(), new Domain()];
  const server = await serve(await machine('loadbalancer', 'one'), first);
  const line = await TcpLine.lay({ host: '127.0.0.1', port: server.port });
  ends.push(() => line.stop());
  const other = await serve(await machine('loadbalancer', 'two'), second);
  const tls = await machine('lbhost', 'host-1');
  const client = dial(tls, [line.port, other.port], new Documents(), () => {}, 1_000);
  await waitFor('the first', () => client.connected);
  // Connections are accepted there, but nothing is answered.
  line.freeze();
  await waitFor('the second', () => second.peers.length === 1 && client.connected);
  expect([first.peers.length, second.peers.length]).toEqual([1, 1]);
});

test('a report is sent until it is stored, even across a lost connection, and a newer report replaces it', async () => {
  const domain = new Domain();
  const tls = await machine('loadbalancer', 'one');
  const server = await serve(tls, domain);
  const client = dial(await machine('lbhost', 'host-1'), [server.port]);
  await waitFor('the other end', () => client.connected);
  domain.failing = true;
  client.report('node/1', { applied: 1 });
  client.report('node/2', { applied: 1 });
  await waitFor('the other end', () => domain.closed >= 1);
  client.report('node/1', { applied: 2 });
  domain.failing = false;
  await waitFor('the other end', () => client.waiting === 0);
  expect(new Map(domain.reports)).toEqual(
    new Map([
      ['node/2', { applied: 1 }],
      ['node/1', { applied: 2 }],
    ]),
  );
  expect(domain.reports.filter(([key]) => key === 'node/1').map(([, body]) => body)).toEqual([{ applied: 2 }]);
});

test('found by trial lb-changes: frequent reports delay nothing else while storing is slow', async () => {
  const domain = new Domain();
  const server = await serve(await machine('loadbalancer', 'one'), domain);
  const client = dial(await machine('lbhost', 'host-1'), [server.port]);
  await waitFor('the other end', () => client.connected);
  let release = () => {};
  domain.held = new Promise((resolve) => {
    release = resolve;
  });
  for (let second = 1; second <= 500; second += 1) client.report('traffic/1', { second });
  client.report('node/1', { applied: 1 });
  release();
  await waitFor('all to be stored', () => client.waiting === 0);
  expect(domain.reports).toEqual([
    ['traffic/1', { second: 1 }],
    ['node/1', { applied: 1 }],
    ['traffic/1', { second: 500 }],
  ]);
});

test('found by trial lb-changes: reports of one lane do not delay another lane, and are then stored together in order', async () => {
  const domain = new Domain();
  domain.hasLanes = true;
  const server = await serve(await machine('loadbalancer', 'one'), domain);
  const client = dial(await machine('lbhost', 'host-1'), [server.port]);
  await waitFor('the other end', () => client.connected);
  let release = () => {};
  domain.held = new Promise((resolve) => {
    release = resolve;
  });
  for (let index = 0; index < 100; index += 1) client.report(`slow/${index}`, { index });
  client.report('other/1', {});
  await waitFor('the other lane', () => domain.together.length === 1);
  expect(domain.together).toEqual([['other/1']]);
  release();
  await waitFor('all to be stored', () => client.waiting === 0);
  const slow = Array.from({ length: 100 }, (_, index) => `slow/${index}`);
  expect(domain.together.slice(1).flat()).toEqual(slow);
  expect(domain.together.length).toBeLessThan(6);
});

test('a lane report that cannot be stored ends the connection, and reports behind it are sent again', async () => {
  const domain = new Domain();
  domain.hasLanes = true;
  domain.failing = true;
  const server = await serve(await machine('loadbalancer', 'one'), domain);
  const client = dial(await machine('lbhost', 'host-1'), [server.port]);
  for (let index = 0; index < 100; index += 1) client.report(`node/${index}`, { index });
  await waitFor('the other end', () => domain.closed >= 1);
  domain.failing = false;
  await waitFor('all to be stored', () => client.waiting === 0);
  expect(new Set(domain.together.flat()).size).toBe(100);
});

test('found by reading the code: a machine delivers all its reports, however many have gathered, on one connection', async () => {
  const domain = new Domain();
  const server = await serve(await machine('loadbalancer', 'one'), domain);
  const client = dial(await machine('lbhost', 'host-1'), [server.port]);
  for (let index = 0; index < 4_000; index += 1) client.report(`member/${index}`, { index });
  await waitFor('all reports to be stored', () => client.waiting === 0);
  expect(new Set(domain.reports.map(([key]) => key)).size).toBe(4_000);
  expect(domain.peers).toHaveLength(1);
}, 90_000);

test('found by reading the code: large messages that arrive faster than they are stored wait at the machine', async () => {
  const domain = new Domain();
  const server = await serve(await machine('loadbalancer', 'one'), domain);
  let release = () => {};
  domain.held = new Promise((resolve) => {
    release = resolve;
  });
  const tls = await machine('lbhost', 'host-1');
  const socket = new WebSocket(`wss://127.0.0.1:${server.port}/link`, clientOptions(tls, 'loadbalancer'));
  ends.push(async () => socket.terminate());
  await once(socket, 'open');
  const said = (message: object) => socket.send(JSON.stringify(message));
  said({ type: 'hello', version: linkVersion, facts: {}, held: {}, mark: null });
  const body = 'x'.repeat(3.5 * 1024 * 1024);
  for (let number = 1; number <= 16; number += 1) said({ type: 'report', number, key: `large/${number}`, body });
  // Enough time to send everything, if it were read.
  for (let pings = 0; pings < 3; pings += 1) await once(socket, 'ping');
  expect(socket.bufferedAmount).toBeGreaterThan(16 * 1024 * 1024);
  release();
  await waitFor('all to be stored', () => domain.reports.length === 16);
  expect(socket.readyState).toBe(socket.OPEN);
}, 90_000);

test('a machine that may have no link gets the reason', async () => {
  const domain = new Domain();
  domain.open = async () => {
    throw new LinkRefusal('it is not wanted here yet');
  };
  const server = await serve(await machine('loadbalancer', 'one'), domain);
  const tls = await machine('lbhost', 'host-1');
  const socket = new WebSocket(`wss://127.0.0.1:${server.port}/link`, clientOptions(tls, 'loadbalancer'));
  ends.push(async () => socket.terminate());
  await once(socket, 'open');
  socket.send(JSON.stringify({ type: 'hello', version: linkVersion, facts: {}, held: {}, mark: null }));
  const [code, reason] = await once(socket, 'close');
  expect([code, String(reason)]).toEqual([1008, 'it is not wanted here yet']);
}, 30_000);

test('a machine finds another place when its own is drained', async () => {
  const domains = [new Domain(), new Domain()];
  const tls = await machine('loadbalancer', 'one');
  const servers = await Promise.all(domains.map((domain) => serve(tls, domain)));
  const client = dial(
    await machine('lbhost', 'host-1'),
    servers.map(({ port }) => port),
  );
  await waitFor('the other end', () => client.connected);
  const first = domains.findIndex(({ peers }) => peers.length > 0);
  await servers[first]?.drain();
  await waitFor('the other end', () => (domains[1 - first]?.peers.length ?? 0) > 0 && client.connected);
});

test('a stop waits until the ends of all connections are recorded', async () => {
  const domain = new Domain();
  const server = await serve(await machine('loadbalancer', 'one'), domain);
  for (const name of ['host-1', 'host-2']) dial(await machine('lbhost', name), [server.port]);
  await waitFor('both', () => server.connected === 2);
  await server.stop();
  expect(domain.closed).toBe(2);
});

test('only machines of the role are accepted, and a revoked machine is cut off', async () => {
  const domain = new Domain();
  const tls = await machine('loadbalancer', 'one');
  const server = await serve(tls, domain);
  const other = dial(await machine('relay', 'other'), [server.port]);
  const mine = await machine('lbhost', 'host-1');
  const client = dial(mine, [server.port]);
  await waitFor('the other end', () => client.connected);
  expect(other.connected).toBe(false);
  expect(domain.peers).toHaveLength(1);
  tls.peers.revoke(new Set([mine.id]));
  await waitFor('the other end', () => !client.connected && server.connected === 0);
  expect(domain.peers).toHaveLength(1);
});

test('a second process with the credentials of a machine is refused while the first is connected', async () => {
  const lines: string[] = [];
  const serverLog = pino({ level: 'warn' }, { write: (line) => void lines.push(line) });
  const domain = new Domain();
  const server = await LinkServer.listen({
    ...{ host: '127.0.0.1', port: 0, tls: await machine('loadbalancer', 'one'), role: 'lbhost', log: serverLog },
    open: (peer) => domain.open(peer),
  });
  ends.push(() => server.stop());
  const mine = await machine('lbhost', 'host-1');
  const first = dial(mine, [server.port]);
  await waitFor('the first', () => first.connected);
  const refusals: unknown[] = [];
  const warn = ({ reason }: { reason?: string }) => void refusals.push(reason);
  const copy = new LinkClient({
    ...{ tls: mine, log: { ...log, warn } as unknown as typeof log, documents: new Documents(), processId: 'a-copy' },
    ...{ role: 'loadbalancer', facts: () => ({}), urls: [`wss://127.0.0.1:${server.port}/link`] },
  });
  copy.start();
  ends.push(() => copy.stop());
  await waitFor('the refusal', () => refusals.length > 0);
  expect(refusals).toEqual(['another process is connected as host-1']);
  expect([first.connected, copy.connected, domain.peers.length, domain.closed]).toEqual([true, false, 1, 0]);
  expect(lines.map((line) => JSON.parse(line) as object)).toMatchObject([
    { machine: 'host-1', role: 'lbhost', msg: expect.stringContaining('a second process') },
  ]);
  await first.stop();
  await waitFor('the second', () => copy.connected);
  expect(domain.peers).toHaveLength(2);
});

test('the newest connection of a machine counts', async () => {
  const domain = new Domain();
  const server = await serve(await machine('loadbalancer', 'one'), domain);
  const mine = await machine('lbhost', 'host-1');
  const older = dial(mine, [server.port]);
  await waitFor('the other end', () => older.connected);
  const newer = dial(mine, [server.port]);
  await waitFor('the other end', () => newer.connected && domain.closed === 1);
  expect(server.connected).toBe(1);
});
