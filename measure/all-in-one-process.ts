// The system of `npm start` in a separate process, which is measured. Calls below the gateway are made inside it: on the relay's
// schema, and directly to the device on separate pooled sessions, with the relay's settings.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { type AllInOne, allInOneConfig, startAllInOne } from '../compose/all-in-one.ts';
import type { DeviceName } from '../lab/device.ts';
import { Database, type DatabaseLocation } from '../platform/database/database.ts';
import { createLogger } from '../platform/log/log.ts';
import { platformRetention, runRetention } from '../platform/owed/retention.ts';
import { KeyFolder } from '../platform/secrets/key-folder.ts';
import { newUuid } from '../platform/values/ids.ts';
import { endedCalls, relayRetention } from '../subgraphs/relay/control/journal/retention.ts';
import type { Endpoint, Transport } from '../subgraphs/relay/transports/session.ts';
import { testEgressSettings } from '../tests/support/machine/egress.ts';
import { answerParent } from './child.ts';
import { closedLoop, type LoopFigures } from './closed-loop.ts';
import type { Ask } from './graph-client.ts';
import { type CallData, CallMaker, checkSucceeded, type Wire } from './relay/calls.ts';
import { mostConcurrency } from './relay/devices.ts';
import { callDirect, openDirect } from './relay/direct-call.ts';
import { subgraphAsk } from './relay/subgraph-ask.ts';

export type SystemOrder =
  | {
      readonly do: 'start';
      readonly dataPath: string;
      readonly withLab: boolean;
      readonly labDevices?: readonly DeviceName[] | undefined;
    }
  | { readonly do: 'calls'; readonly way: CallWay; readonly clients: number; readonly forMs: number }
  | { readonly do: 'memory' }
  | { readonly do: 'retain'; readonly keptMs: number }
  | { readonly do: 'stop' };

export interface MemoryFigures {
  /** After a garbage collection, which needs Node's `--expose-gc`. */
  readonly heapBytes: number;
  readonly outsideHeapBytes: number;
  /** Sockets, timers and other resources that keep a process running. */
  readonly handles: number;
}

export type CallWay =
  | {
      /** `floor`: between two durable rows, the minimum for any relay that journals its calls. */
      readonly level: 'direct' | 'floor';
      readonly wire: Wire;
      readonly endpoint: Endpoint;
      readonly concurrency: number;
    }
  | { readonly level: 'subgraph'; readonly wire: Wire; readonly backend: string };

export interface SystemStarted {
  readonly url: string;
  /** API token of an operator of the project `default`. */
  readonly token: string;
  readonly adminPassword: string;
  readonly database: DatabaseLocation;
  /** The lab's firewall, registered as the backend `lab-firewall`. */
  readonly lab: Endpoint | undefined;
}

const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
const makers = { ssh: new CallMaker('ssh', 10), https: new CallMaker('https', 10) };
const log = createLogger({ level: 'error', pretty: false });
const sessions = new Map<string, Transport>();
let system: AllInOne | undefined;
let floorDatabase: Database | undefined;
let retentionDatabase: Database | undefined;
let dataFolder: string | undefined;
let ask: Ask | undefined;

answerParent((order: SystemOrder): Promise<SystemStarted | LoopFigures | MemoryFigures | undefined> => {
  switch (order.do) {
    case 'start':
      return start(order);
    case 'calls':
      return closedLoop(order, callOf(order.way));
    case 'memory':
      return memory();
    case 'retain':
      return retain(order.keptMs);
    case 'stop':
      return stop();
  }
});
// A profile is written only at an orderly exit.
process.once('SIGTERM', () => process.exit(0));

async function start({ dataPath, withLab, labDevices }: SystemOrder & { do: 'start' }): Promise<SystemStarted> {
  dataFolder = dataPath;
  const config = allInOneConfig({ flags: { 'listen.port': '0', 'log.level': 'error', ...testEgressSettings } });
  const signal = new AbortController().signal;
  system = await startAllInOne({ config, dataPath, withLab, labDevices, signal, stdout: nowhere });
  const [token = '', adminPassword = ''] = await Promise.all(
    ['admin.token', 'admin.password'].map(async (name) => (await readFile(join(dataPath, name), 'utf8')).trim()),
  );
  ask = await subgraphAsk(system.process, token, log);
  const { url = '' } = system.process;
  return { url, token, adminPassword, database: system.database, lab: labOf(system) };
}

async function memory(): Promise<MemoryFigures> {
  await globalThis.gc?.({ execution: 'async' });
  const { heapUsed, external } = process.memoryUsage();
  return { heapBytes: heapUsed, outsideHeapBytes: external, handles: process.getActiveResourcesInfo().length };
}

/** The product's retention with short periods. Rows whose age can't be configured, such as keys and commit records, are made older. */
async function retain(keptMs: number): Promise<undefined> {
  if (system === undefined || dataFolder === undefined) throw new Error('the system was not started');
  retentionDatabase ??= new Database({ connection: system.database, connectionLimit: 2 });
  const [db, keys] = [retentionDatabase, new KeyFolder({ folder: join(dataFolder, 'keys'), log })];
  const auditKeys = { signingKeys: await keys.signing('audit'), publicKeys: await keys.publicKeys() };
  const old = 'NOW(3) - INTERVAL ? * 1000 MICROSECOND';
  await db.execute(`UPDATE idempotency_key SET expires_at = NOW(3) WHERE created_at < ${old} AND expires_at > NOW(3)`, [
    keptMs,
  ]);
  await db.execute(
    `UPDATE commit_record SET at = at - INTERVAL 9 DAY WHERE at BETWEEN NOW(3) - INTERVAL 1 DAY AND ${old}`,
    [keptMs],
  );
  const ended = (ids: readonly string[]) => endedCalls(db, ids);
  const options = { db, log, eventMs: keptMs, auditMs: keptMs, auditKeys, endedCalls: ended };
  const relay = relayRetention(db, keptMs);
  // Mappings go after their events.
  await runRetention([...relay, ...platformRetention(options), ...relay]);
  return undefined;
}

function labOf({ lab }: AllInOne): Endpoint | undefined {
  const firewall = lab?.described('firewall')?.backend;
  if (firewall === undefined) return undefined;
  const { host, port, hostKeySha256 = null, credentials } = firewall;
  return { host, port, hostKeySha256, cryptoProfile: 'MODERN', credentials: { username: '', ...credentials } };
}

async function stop(): Promise<undefined> {
  for (const transport of sessions.values()) await transport.close();
  await floorDatabase?.close();
  await retentionDatabase?.close();
  await system?.stop();
  return undefined;
}

function callOf(way: CallWay): () => Promise<void> {
  switch (way.level) {
    case 'direct':
      return directCall(way);
    case 'floor':
      return floorCall(way);
    case 'subgraph':
      return subgraphCall(way);
  }
}

function directCall({ wire, endpoint, concurrency }: CallWay & { level: 'direct' | 'floor' }): () => Promise<void> {
  const place = JSON.stringify([wire, endpoint, concurrency]);
  const transport = sessions.get(place) ?? openDirect(wire, endpoint, concurrency);
  sessions.set(place, transport);
  return () => callDirect(transport, makers[wire]);
}

function floorCall(way: CallWay & { level: 'direct' | 'floor' }): () => Promise<void> {
  if (system === undefined) throw new Error('the system was not started');
  floorDatabase ??= new Database({ connection: system.database, connectionLimit: 2 * mostConcurrency });
  const [db, call] = [floorDatabase, directCall(way)];
  const write = () =>
    db.query('INSERT INTO commit_record (id, timeline) VALUES (?, 1)', [newUuid()], { prepared: true });
  return async () => {
    await write();
    await call();
    await write();
  };
}

function subgraphCall({ wire, backend }: CallWay & { level: 'subgraph' }): () => Promise<void> {
  if (ask === undefined) throw new Error('the system was not started');
  const [asked, maker] = [ask, makers[wire]];
  return async () => checkSucceeded(await asked<CallData>(maker.document, { input: maker.input(backend) }));
}
