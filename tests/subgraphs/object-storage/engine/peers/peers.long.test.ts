// Servers of two clusters over real mutual TLS: their requests to each other, and the behaviour when the other is gone,
// silent, or not the server that it claims to be.
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { open, readdir } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { pino } from 'pino';
import { z } from 'zod';
import { pemOf } from '../../../../../platform/machines/tls.ts';
import type { CertificateAndKey } from '../../../../../platform/net/certificates.ts';
import { NotSentError } from '../../../../../platform/registers/errors.ts';
import { noVersion } from '../../../../../platform/registers/version.ts';
import { TcpLine } from '../../../../../simulators/tcp-line.ts';
import {
  BlobDamagedError,
  BlobRangeError,
  DiskFullError,
  NoBlobError,
} from '../../../../../subgraphs/object-storage/engine/blobs/blob-errors.ts';
import { BlobFolder } from '../../../../../subgraphs/object-storage/engine/blobs/blob-folder.ts';
import { blockBytes } from '../../../../../subgraphs/object-storage/engine/blobs/blob-store.ts';
import { RepairingReader } from '../../../../../subgraphs/object-storage/engine/blobs/repairing-reader.ts';
import { writeToAll } from '../../../../../subgraphs/object-storage/engine/blobs/write-to-all.ts';
import { catchUpCalls, catchUpPeer } from '../../../../../subgraphs/object-storage/engine/peers/catch-up-calls.ts';
import {
  PeerClient,
  type PeerClientOptions,
} from '../../../../../subgraphs/object-storage/engine/peers/peer-client.ts';
import {
  PeerServer,
  type PeerServerOptions,
  peerCall,
} from '../../../../../subgraphs/object-storage/engine/peers/peer-server.ts';
import type { CatchUpPeer, TombstonePeer } from '../../../../../subgraphs/object-storage/engine/store/catch-up.ts';
import type { ReplicaRequest } from '../../../../../subgraphs/object-storage/engine/store/register.ts';
import { freePort } from '../../../../support/machine/free-port.ts';
import { stretch } from '../../../../support/machine/patience.ts';
import {
  stays,
  type TemporaryFolder,
  temporaryFolder,
  until,
  waitFor,
} from '../../../../support/machine/temporary-folder.ts';
import { MemoryReplica } from '../../../../support/object-storage/memory-replica.ts';
import { type TestMachine, testAuthority, testMachine } from '../../../../support/product/machines.ts';
import { allOf, inChunks, manyBytes, newId, place } from '../../support/bytes.ts';
import { clusterOf } from './clusters.ts';
import type { ServerWish } from './server-process.ts';

const log = pino({ level: 'silent' });
const scope = 'c'.repeat(32);
const version = (digit: string) => digit.repeat(32);
let authority: CertificateAndKey;
let temporary: TemporaryFolder;
let north: TestMachine;
let south: TestMachine;
let folder: BlobFolder;
let path: string;
let replica: MemoryReplica;
let number = 0;
const ends: (() => unknown)[] = [];

beforeAll(async () => {
  authority = await testAuthority();
  temporary = await temporaryFolder();
});
afterAll(() => temporary.remove());
beforeEach(async () => {
  number += 1;
  path = join(temporary.path, String(number));
  [north, south] = (await Promise.all(['north', 'south'].map((name) => machine(name)))) as [TestMachine, TestMachine];
  folder = await BlobFolder.open({ folder: path, keepFreeBytes: 0, log });
  replica = new MemoryReplica();
});
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
  await folder.close();
});

function machine(name: string, role = 'objectserver'): Promise<TestMachine> {
  return testMachine(authority, role, name, log);
}

/** South's server in this process. */
async function serve(options: Partial<PeerServerOptions> = {}): Promise<PeerServer> {
  const server = await PeerServer.listen({
    ...{ host: '127.0.0.1', port: 0, tls: south, log, clusterOf, replica, blobs: folder },
    ...options,
  });
  ends.push(() => server.stop());
  return server;
}

/** North's client to south. */
function dial(urls: readonly string[], options: Partial<PeerClientOptions> = {}): PeerClient {
  const client = new PeerClient({
    cluster: clusterOf({ id: '', role: '', name: 'south' }) ?? 0,
    urls,
    tls: north,
    clusterOf,
    ...options,
  });
  ends.push(() => client.close());
  return client;
}

interface ServerProcess {
  readonly child: ChildProcess;
  readonly url: string;
  readonly port: number;
}

async function serveApart(name: string, wish: Partial<ServerWish> = {}): Promise<ServerProcess> {
  const { cert, key, ca } = await machine(name);
  const argument = { folder: join(temporary.path, `${number}-${name}`), port: 0, cert, key, ca, ...wish };
  const program = join(import.meta.dirname, 'server-process.ts');
  const child = spawn(process.execPath, [program, JSON.stringify(argument)], { stdio: ['ignore', 'pipe', 'inherit'] });
  ends.push(() => {
    child.kill('SIGKILL');
    return child.exitCode === null && child.signalCode === null ? once(child, 'exit') : undefined;
  });
  const [url] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  return { child, url, port: Number(new URL(url).port) };
}

async function killed({ child }: ServerProcess): Promise<void> {
  child.kill('SIGKILL');
  await once(child, 'exit');
}

function acceptOf(name: string, body?: Buffer): ReplicaRequest {
  const written = { version: version('1'), value: { head: '{"size":4}', body } };
  return { op: 'accept', key: { ring: 1, scope, name }, epoch: 1, written };
}

function readOf(name: string): ReplicaRequest {
  return { op: 'read', key: { ring: 1, scope, name }, epoch: 1 };
}

test('registers are read, promised and written at the other cluster, with their values', async () => {
  const client = dial([(await serve()).url]);
  const body = randomBytes(70_000);
  expect(await client.ask(readOf('a'))).toEqual({ done: true, row: undefined, floor: noVersion });
  expect(await client.ask(acceptOf('a', body))).toMatchObject({ done: true, row: { version: version('1') } });
  const read = await client.ask(readOf('a'));
  expect(read).toEqual({
    done: true,
    row: { version: version('1'), promised: version('1'), value: { head: '{"size":4}', body } },
    floor: noVersion,
  });
  const ballot = version('2');
  expect(await client.ask({ ...readOf('a'), op: 'promise', ballot })).toMatchObject({
    done: true,
    row: { promised: ballot },
  });
  expect(await client.ask(acceptOf('a'))).toMatchObject({ done: true });
  const deletion = { version: version('3'), value: undefined };
  expect(await client.ask({ ...readOf('a'), op: 'accept', written: deletion })).toMatchObject({
    row: { version: version('3'), value: undefined },
  });
  replica.epoch = 7;
  expect(await client.ask(readOf('a'))).toEqual({ refused: 'STALE', epoch: 7 });
});

test('requests of one turn are sent together, and a bad one affects no other', async () => {
  const turns = new Set<number>();
  let turn = 0;
  const ask = replica.ask.bind(replica);
  replica.ask = (request) => {
    turns.add(turn);
    setImmediate(() => {
      turn += 1;
    });
    return request.key.name === 'fails' ? Promise.reject(new Error('the database is away')) : ask(request);
  };
  const client = dial([(await serve()).url]);
  const names = Array.from({ length: 100 }, (_, index) => `name-${index}`);
  const asked = [...names.slice(0, 50), 'x'.repeat(1_101), 'fails', ...names.slice(50)];
  const answers = await Promise.allSettled(asked.map((name) => client.ask(acceptOf(name, Buffer.from(name)))));
  expect(turns.size).toBe(1);
  const failed = answers.flatMap((each, index) => (each.status === 'rejected' ? [[index, each.reason] as const] : []));
  expect(failed.map(([index]) => index)).toEqual([50, 51]);
  expect(String(failed[0]?.[1])).toMatch(/cluster 2: not a request: .*too long/s);
  expect(String(failed[1]?.[1])).toMatch(/cluster 2: the database is away/);
  for (const [, reason] of failed) expect(reason).not.toBeInstanceOf(NotSentError);
  expect([...replica.rows.values()].map(({ value }) => String(value?.body))).toEqual(names);
});

test('names are listed, and the configured handler answers calls', async () => {
  const seen: unknown[] = [];
  const changes = peerCall({
    input: z.object({ partition: z.number(), after: z.number() }),
    async answer(cluster, input) {
      seen.push([cluster, input]);
      return { changes: [{ number: 1, body: Buffer.from([0, 255, 1]) }, { number: 2 }] };
    },
  });
  const broken = peerCall({ input: z.unknown(), answer: () => Promise.reject(new Error('secret')) });
  const client = dial([(await serve({ calls: { changes, broken } })).url]);
  await Promise.all(['b/1', 'b/2', 'b/3', 'a'].map((name) => client.ask(acceptOf(name))));
  const request = { ring: 1, scope, epoch: 1, after: 'b/1', prefix: 'b/', limit: 1 };
  expect(await client.list(request)).toEqual({
    rows: [{ name: 'b/2', version: version('1'), promised: version('1'), head: '{"size":4}' }],
    isWhole: false,
    floor: noVersion,
  });
  expect(await client.list({ ...request, sealed: version('a') })).toEqual({ refused: 'CLOSED' });
  await expect(client.list({ ...request, limit: 1_001 })).rejects.toThrow(/cluster 2: list: .*1000/s);
  const answer = z.object({
    changes: z.array(z.object({ number: z.number(), body: z.instanceof(Buffer).optional() })),
  });
  expect(await client.call('changes', { partition: 5, after: 9 }, answer)).toEqual({
    changes: [{ number: 1, body: Buffer.from([0, 255, 1]) }, { number: 2 }],
  });
  expect(seen).toEqual([[1, { partition: 5, after: 9 }]]);
  await expect(client.call('changes', { partition: 'x' }, answer)).rejects.toThrow(/changes: .*partition/s);
  await expect(client.call('changes', { partition: 5, after: 9 }, z.string())).rejects.toThrow(/an unexpected message/);
  await expect(client.call('toString', {}, answer)).rejects.toThrow(/there is no call/);
  await expect(client.call('broken', {}, answer)).rejects.toThrow(/see the log of the other cluster/);
});

test("one cluster's store reads from the other over the connection: heads, changes, and deletions that may be forgotten", async () => {
  const partition = { ring: 1, partition: 4_095 };
  const forgotten: unknown[] = [];
  const page = {
    ...partition,
    log: version('b'),
    upTo: 9,
    isWhole: true,
    changes: [
      { number: 8, scope, name: 'a', version: version('1'), value: { head: '{}', body: randomBytes(900_000) } },
      { number: 9, scope, name: 'b', version: version('2'), value: undefined },
    ],
  };
  const heads = { mark: 'm2', heads: [{ ...partition, epoch: 3, log: version('b'), changes: 9 }] };
  const changeLog: CatchUpPeer = {
    heads: async (mark) => (mark === 'm1' ? heads : { mark: '', heads: [] }),
    changes: async ([wanted]) => (wanted?.after === 7 ? [page] : []),
  };
  const tombstonePeer: TombstonePeer = {
    confirms: async ({ tombstones }) => tombstones.map(({ name }) => name === 'b'),
    forget: async (request) => {
      forgotten.push(request);
    },
  };
  const peer = catchUpPeer(dial([(await serve({ calls: catchUpCalls(changeLog, tombstonePeer) })).url]));
  expect(await peer.heads('m1')).toEqual(heads);
  const wanted = { ...partition, epoch: 3, log: version('b'), after: 7 };
  expect(await peer.changes([wanted])).toEqual([page]);
  await expect(peer.changes(Array.from({ length: 65 }, () => wanted))).rejects.toThrow(/changes: .*64/s);
  const tombstones = ['a', 'b'].map((name) => ({ scope, name, version: version('2') }));
  expect(await peer.confirms({ ...partition, epoch: 3, tombstones })).toEqual([false, true]);
  await peer.forget({ ...partition, epoch: 3, tombstones });
  expect(forgotten).toEqual([{ ...partition, epoch: 3, tombstones }]);
});

test('blobs are written, read in ranges, listed and deleted', async () => {
  const client = dial([(await serve()).url]);
  const bytes = randomBytes(5 * blockBytes + 7);
  const id = newId();
  expect(await client.write(id, place, inChunks(bytes))).toEqual({ sizeBytes: bytes.length });
  const read = await client.read(id);
  expect(read.sizeBytes).toBe(bytes.length);
  expect((await allOf(read.body)).equals(bytes)).toBe(true);
  const range = await client.read(id, { firstByte: blockBytes - 3, lastByte: 3 * blockBytes });
  expect((await allOf(range.body)).equals(bytes.subarray(blockBytes - 3, 3 * blockBytes + 1))).toBe(true);
  expect(await client.list(place.ring, place.partition, '', 10)).toMatchObject([
    { id, place, sizeBytes: bytes.length },
  ]);
  await expect(client.read(id, { firstByte: 0, lastByte: bytes.length })).rejects.toThrow(BlobRangeError);
  await expect(client.read(newId())).rejects.toThrow(NoBlobError);
  await expect(client.write(newId(), { ...place, ring: 9 }, inChunks(bytes))).rejects.toThrow(
    /does not belong to ring 9/,
  );
  await expect(client.write(newId(), { ...place, newest: 'x' }, inChunks(bytes))).rejects.toThrow(
    /is missing or malformed/,
  );
  const empty = newId();
  await client.write(empty, place, inChunks(Buffer.alloc(0)));
  expect(await allOf((await client.read(empty)).body)).toHaveLength(0);
  for (let count = 0; count < 40; count += 1) {
    const iterator = (await client.read(id)).body[Symbol.asyncIterator]();
    if (count % 2 === 0) await iterator.next();
    await iterator.return?.();
  }
  await client.delete(id);
  await client.delete(id);
  await expect(client.read(id)).rejects.toThrow(NoBlobError);
});

test('when a bit flips at the other cluster during a download, its block is reported, and the copy is repaired', async () => {
  const client = dial([(await serve()).url]);
  const own = await BlobFolder.open({ folder: `${path}-own`, keepFreeBytes: 0, log });
  ends.push(() => own.close());
  const bytes = randomBytes(24 * blockBytes);
  const id = newId();
  for (const store of [client, own]) await store.write(id, place, inChunks(bytes));
  const handle = await open(join(path, 'blobs', id.slice(0, 4), id.slice(4, 7), id), 'r+');
  await handle.write(Buffer.from([1, 2, 3, 4]), 0, 4, 20 * blockBytes);
  await handle.close();
  const got: Buffer[] = [];
  const reading = (async () => {
    for await (const chunk of (await client.read(id)).body) got.push(chunk);
  })();
  await expect(reading).rejects.toMatchObject({ name: 'BlobDamagedError', id, block: 20 });
  await expect(reading).rejects.toThrow(BlobDamagedError);
  expect(Buffer.concat(got).equals(bytes.subarray(0, 20 * blockBytes))).toBe(true);
  const reader = new RepairingReader({ log });
  const sources = [
    { cluster: 2, store: client },
    { cluster: 1, store: own },
  ];
  expect((await allOf((await reader.read(sources, id)).body)).equals(bytes)).toBe(true);
  await reader.settled();
  expect((await allOf((await client.read(id)).body)).equals(bytes)).toBe(true);
});

test('a full disk at the other cluster is reported during the upload', async () => {
  let leftBytes = 8 * blockBytes;
  const small = await BlobFolder.open({
    ...{ folder: `${path}-small`, keepFreeBytes: 0, log },
    freeBytes: async () => {
      leftBytes /= 2;
      return leftBytes;
    },
  });
  ends.push(() => small.close());
  const client = dial([(await serve({ blobs: small })).url]);
  let isGoingOn = true;
  const endless = async function* () {
    while (isGoingOn) yield randomBytes(64 * 1024);
  };
  try {
    await expect(client.write(newId(), place, endless())).rejects.toThrow(DiskFullError);
  } finally {
    isGoingOn = false;
  }
  await client.ask(readOf('a'));
});

test('neither a failing nor an aborted upload leaves anything at the other cluster', async () => {
  const client = dial([(await serve()).url]);
  const failing = async function* () {
    yield* manyBytes(3 * blockBytes);
    throw new Error('a chunk has a wrong signature');
  };
  await expect(client.write(newId(), place, failing())).rejects.toThrow('a chunk has a wrong signature');
  const stop = new AbortController();
  const hanging = async function* () {
    yield* manyBytes(3 * blockBytes);
    stop.abort(new Error('the client went away'));
    await new Promise(() => undefined);
  };
  await expect(client.write(newId(), place, hanging(), stop.signal)).rejects.toThrow('the client went away');
  await waitFor('the temporary files to be removed', async () => {
    const entries = await readdir(path, { recursive: true, withFileTypes: true });
    return entries.every((entry) => !entry.isFile());
  });
});

test('an upload may take long as long as data moves; a silent one is ended', async () => {
  const silentMs = 1_000 * stretch;
  const client = dial([(await serve({ silentMs })).url], { silentMs: 10 * silentMs });
  const slow = async function* () {
    for (let count = 0; count < 12 * stretch; count += 1) {
      await sleep(150);
      yield randomBytes(70_000);
    }
  };
  expect(await client.write(newId(), place, slow())).toEqual({ sizeBytes: 12 * stretch * 70_000 });
  const silent = async function* () {
    yield randomBytes(70_000);
    await new Promise(() => undefined);
  };
  await expect(client.write(newId(), place, silent())).rejects.toThrow();
});

test('a cluster without a document is refused, and so is a machine of another role or authority', async () => {
  const { url } = await serve();
  const stranger = dial([url], { tls: await machine('west') });
  await expect(stranger.ask(acceptOf('a'))).rejects.toThrow(/no document names your cluster/);
  await expect(stranger.write(newId(), place, inChunks(Buffer.alloc(9)))).rejects.toThrow(/no document names/);
  await expect(dial([url], { tls: await machine('north', 'relay') }).ask(acceptOf('a'))).rejects.toThrow();
  const foreign = await testMachine(await testAuthority(), 'objectserver', 'north', log);
  await expect(dial([url], { tls: { ...foreign, ca: north.ca } }).ask(acceptOf('a'))).rejects.toThrow();
  await expect(dial([url], { tls: foreign }).ask(acceptOf('a'))).rejects.toThrow(NotSentError);
  expect(replica.asked).toBe(0);
  expect(await readdir(join(path, 'blobs'))).toEqual([]);
});

test('a server of another cluster than intended gets no request', async () => {
  const { url } = await serve({ tls: await machine('east') });
  const asking = dial([url]).ask(acceptOf('a'));
  await expect(asking).rejects.toThrow(NotSentError);
  await expect(asking).rejects.toThrow(/east, which is not a machine of cluster 2, answers at /);
  expect(replica.asked).toBe(0);
});

test('a revoked machine loses its connections, and gets no others', async () => {
  const { url } = await serve();
  const client = dial([url]);
  await client.ask(acceptOf('a'));
  south.peers.revoke(new Set([north.id]));
  await expect(client.ask(acceptOf('b'))).rejects.toThrow();
  await expect(client.write(newId(), place, inChunks(Buffer.alloc(9)))).rejects.toThrow();
  expect(replica.asked).toBe(1);
  south.peers.revoke(new Set());
  north.peers.revoke(new Set([south.id]));
  await waitFor('the refusal', () =>
    client.ask(readOf('a')).then(
      () => false,
      (error: unknown) => /was revoked/.test(String(error)) && error instanceof NotSentError,
    ),
  );
});

test('if a server is killed during requests, those may have arrived, and later ones certainly have not', async () => {
  const port = await freePort();
  const apart = await serveApart('south', { port });
  const client = dial([apart.url]);
  await client.ask(acceptOf('a'));
  apart.child.kill('SIGSTOP');
  const underWay = client.ask(acceptOf('b'));
  underWay.catch(() => undefined);
  // The request has left. A stopped server can't report its arrival.
  await sleep(200);
  await killed(apart);
  await expect(underWay).rejects.not.toBeInstanceOf(NotSentError);
  for (let count = 0; count < 5; count += 1) await expect(client.ask(acceptOf('c'))).rejects.toThrow(NotSentError);
  await serveApart('south', { port });
  await waitFor('the other cluster', () => client.ask(readOf('a')).catch(() => undefined));
  expect(client.isReachable).toBe(true);
});

test('a stopped server is awaited once or twice, then not until it answers again', async () => {
  const apart = await serveApart('south');
  const client = dial([apart.url], { deadlineMs: 1_000 });
  await client.ask(acceptOf('a'));
  apart.child.kill('SIGSTOP');
  await expect(client.ask(acceptOf('b'))).rejects.toThrow(/did not answer within \d+ ms/);
  const second = client.ask(acceptOf('b'));
  await expect(second).rejects.toThrow();
  expect(client.isReachable).toBe(false);
  let soon = 0;
  const from = performance.now();
  while (performance.now() - from < 4_000) {
    const at = performance.now();
    await expect(client.ask(acceptOf('c'))).rejects.toThrow();
    if (performance.now() - at < 100) soon += 1;
    await sleep(20);
  }
  expect(soon).toBeGreaterThan(5);
  apart.child.kill('SIGCONT');
  await waitFor('the other cluster', () => client.ask(readOf('a')).catch(() => undefined));
  expect(await client.ask(readOf('c'))).toMatchObject({ row: undefined });
});

test('a connection cut in the middle of an answer fails its requests, and the next one works', async () => {
  const server = await serve();
  let cuts = 1;
  const line = await TcpLine.lay(
    { host: '127.0.0.1', port: Number(new URL(server.url).port) },
    {
      cutAfter: (chunk, from) => {
        if (from === 'client' || chunk.length < 5_000 || cuts === 0) return undefined;
        cuts -= 1;
        return 3_000;
      },
    },
  );
  ends.push(() => line.cut());
  const client = dial([`https://127.0.0.1:${line.port}`]);
  await client.ask(acceptOf('a', randomBytes(4_000))).catch(() => undefined);
  replica.rows.clear();
  await client.ask(acceptOf('b', randomBytes(100_000))).catch(() => undefined);
  const reading = client.ask(readOf('b'));
  await reading.catch((error: unknown) => expect(error).not.toBeInstanceOf(NotSentError));
  expect(await waitFor('an answer', () => client.ask(readOf('b')).catch(() => undefined))).toMatchObject({
    done: true,
  });
  expect(cuts).toBe(0);
});

test('the next address is used when the first is unreachable', async () => {
  const { url } = await serve();
  const nowhere = `https://127.0.0.1:${await freePort()}`;
  const client = dial([nowhere, url]);
  expect(await client.ask(acceptOf('a'))).toMatchObject({ done: true });
  expect(await client.write(newId(), place, inChunks(Buffer.alloc(5)))).toEqual({ sizeBytes: 5 });
  await expect(dial([]).ask(acceptOf('a'))).rejects.toThrow(NotSentError);
});

test('a server that dies or stops in the middle of a download ends it', async () => {
  for (const signal of ['SIGKILL', 'SIGSTOP'] as const) {
    const apart = await serveApart('south', { folder: `${path}-${signal}` });
    const client = dial([apart.url], { silentMs: 1_000 });
    const id = newId();
    await client.write(id, place, manyBytes(64 * blockBytes));
    const iterator = (await client.read(id)).body[Symbol.asyncIterator]();
    await iterator.next();
    apart.child.kill(signal);
    const rest = (async () => {
      while ((await iterator.next()).done !== true);
    })();
    await expect(rest).rejects.toThrow();
  }
});

test('300 MiB to three clusters succeed with one killed in the middle, and are refused with two killed', async () => {
  const servers = await Promise.all(['north', 'south', 'east'].map((name) => serveApart(name)));
  const clients = servers.map(({ url }, index) => dial([url], { cluster: index + 1 }));
  const stores = new Map(clients.map((client) => [client.cluster, client]));
  const before = process.memoryUsage().arrayBuffers;
  let most = 0;
  const source = async function* (victims: readonly (ServerProcess | undefined)[]) {
    let bytes = 0;
    const left = [...victims];
    for await (const chunk of manyBytes(300 * blockBytes)) {
      bytes += chunk.length;
      if (bytes > 100 * blockBytes) left.pop()?.child.kill('SIGKILL');
      most = Math.max(most, process.memoryUsage().arrayBuffers - before);
      yield chunk;
    }
  };
  const id = newId();
  const written = await writeToAll(stores, [[1, 2, 3]], id, place, source([servers[2]]));
  expect(written).toMatchObject({ sizeBytes: 300 * blockBytes, holders: new Set([1, 2]) });
  expect(most).toBeLessThan(150 * blockBytes);
  for (const cluster of [0, 1])
    expect(await clients[cluster]?.list(place.ring, place.partition, '', 10)).toMatchObject([{ id }]);
  const refused = newId();
  await expect(writeToAll(stores, [[1, 2, 3]], refused, place, source([servers[1]]))).rejects.toThrow(
    /too few clusters accept the blob/,
  );
  await expect(clients[0]?.read(refused)).rejects.toThrow(NoBlobError);
});

test('a peer that announces too much, or too much at once, is refused', async () => {
  const { url } = await serve();
  const post = (length: number) => {
    const request = httpsRequest(`${url}/registers`, {
      ...{ method: 'POST', ...pemOf(north), checkServerIdentity: () => undefined },
      headers: { 'content-length': length },
    });
    request.on('error', () => undefined).flushHeaders();
    ends.push(() => request.destroy());
    return request;
  };
  const tooLong = post(32 * 1024 * 1024 + 1);
  const [response] = (await once(tooLong, 'response')) as [IncomingMessage];
  expect(response.statusCode).toBe(413);
  const client = dial([url]);
  await client.ask(acceptOf('a'));
  const waiting = Array.from({ length: 4 }, () => post(32 * 1024 * 1024));
  await waitFor('the refusal', () =>
    client.ask(acceptOf('a')).then(
      () => false,
      (error: unknown) => /too many requests at once/.test(String(error)),
    ),
  );
  for (const each of waiting) each.destroy();
  await waitFor('room', () => client.ask(acceptOf('a')).catch(() => undefined));
});

test('a drain answers pending requests, and then ends the connections', async () => {
  const server = await serve();
  const client = dial([server.url]);
  await client.ask(acceptOf('a'));
  const answered = Promise.withResolvers<void>();
  const ask = replica.ask.bind(replica);
  let isAsked = false;
  replica.ask = async (request) => {
    isAsked = true;
    await answered.promise;
    return ask(request);
  };
  const underWay = client.ask(acceptOf('b'));
  await until(() => isAsked);
  let isDrained = false;
  const drained = server.drain().then(() => {
    isDrained = true;
  });
  // A drain that cuts connections off does so at once.
  await stays('the drain waits for the answer', 100, () => !isDrained);
  answered.resolve();
  expect(await underWay).toMatchObject({ done: true });
  await drained;
  await expect(client.ask(acceptOf('c'))).rejects.toThrow(NotSentError);
});
