// The client of the trial, in its own namespace. Writers insert keys through any host that accepts them. A write with unknown outcome is
// tried again with its key. Every 10 ms a commit is tried at each host's own address. In addition, a counter is written and read, and
// events are numbered and followed. If every host accepts writes (Galera), everything except the probes uses one host, and switches when
// that host refuses. Arguments: the settings' file, the number of writers, the engine
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { monotonicMs } from '../../ha/agent/clock.ts';
import { toleratesBrokenConnects } from '../../platform/database/connector-rejections.ts';
import { ClientConnection } from './client-connection.ts';
import type { ClientReport } from './client-report.ts';
import { type DataHost, places } from './network.ts';
import type { TrialSettings } from './settings.ts';

const [, , file = '', writers = '4', engine = 'semi-sync'] = process.argv;
const isGalera = engine === 'galera';
const settings = JSON.parse(await readFile(file, 'utf8')) as TrialSettings;
toleratesBrokenConnects(process);
const hosts: readonly DataHost[] = ['a', 'b'];
const probeEveryMs = 10;
const readEveryMs = 20;
const eventsEveryMs = 50;
const mostEvents = 500;
/** A call that waits, like a commit at a fenced primary, is given up after this time. */
const timeoutMs = 1_500;
/** This is part of its keys, because the keys of an earlier client of the same hosts are in use. */
const run = randomBytes(4).toString('hex');
let current: DataHost = 'a';
let isEnding = false;
process.on('SIGTERM', () => {
  isEnding = true;
});

function tell(told: ClientReport): void {
  process.stdout.write(`${JSON.stringify(told)}\n`);
}

const connect = (host: DataHost) =>
  new ClientConnection(places[host], {
    ...{ password: settings.applicationPassword, timeoutMs },
    // A node that has just become the writer may have to apply the other's writes before it answers.
    opening: isGalera ? ['SET SESSION wsrep_sync_wait = 1'] : [],
  });

/** Tries one host after the other until the write is acknowledged. */
async function untilAcknowledged(connections: Connections, key: string, sql: string, values: unknown[]): Promise<void> {
  let firstMs: number | undefined;
  while (!isEnding) {
    const host = current;
    const triedMs = monotonicMs();
    firstMs ??= triedMs;
    const outcome = await connections[host].write(sql, values);
    const answeredMs = monotonicMs();
    // If a write is found, it was acknowledged in the epoch of an earlier attempt.
    const sentMs = outcome === 'found' ? firstMs : triedMs;
    if (outcome === 'acknowledged' || outcome === 'found')
      return tell({ kind: 'acknowledged', host, key, sentMs, answeredMs });
    if (outcome === 'unknown' || outcome === 'conflict') tell({ kind: 'unknown' });
    if (outcome !== 'conflict' && current === host) current = host === 'a' ? 'b' : 'a';
    await sleep(5);
  }
}
type Connections = Readonly<Record<DataHost, ClientConnection>>;

/** Records the epoch of the primary that accepted it. */
const insert =
  'INSERT INTO ha_write (id, epoch, server) SELECT ?, COALESCE(MAX(epoch), 0), @@server_id % 1000 FROM db_timeline';

async function writeOn(writer: number): Promise<void> {
  const connections = { a: connect('a'), b: connect('b') };
  for (let count = 0; !isEnding; count += 1) {
    const key = `w${writer}-${run}-${count}`;
    await untilAcknowledged(connections, key, insert, [key]);
  }
}

async function probe(host: DataHost): Promise<void> {
  const connection = connect(host);
  for (let count = 0; !isEnding; count += 1) {
    const sentMs = monotonicMs();
    const key = `p${host}-${run}-${count}`;
    if ((await connection.write(insert, [key])) === 'acknowledged') {
      const answeredMs = monotonicMs();
      const view = isGalera ? await viewOf(connection) : undefined;
      tell({ kind: 'acknowledged', host, key, sentMs, answeredMs, ...(view !== undefined && { view }) });
    }
    await sleep(Math.max(1, probeEveryMs - (monotonicMs() - sentMs)));
  }
}

/** The cluster as Galera's node saw it: number and members. */
async function viewOf(connection: ClientConnection): Promise<string | undefined> {
  const rows = await connection.read<{ Value: string }>(
    "SHOW STATUS WHERE Variable_name IN ('wsrep_cluster_conf_id', 'wsrep_cluster_size', 'wsrep_incoming_addresses')",
    [],
  );
  return rows?.map(({ Value }) => Value).join(' ');
}

let counted = 0;
async function count(): Promise<void> {
  const connections = { a: connect('a'), b: connect('b') };
  const sql = 'UPDATE ha_counter SET n = GREATEST(n, ?) WHERE id = 1';
  for (let next = 1; !isEnding; next += 1) {
    const outcome = await connections[current].write(sql, [next]);
    if (outcome === 'acknowledged') counted = next;
    await sleep(readEveryMs);
  }
}

/** Epochs are taken from the answers of all hosts, as in the API; answers with an older epoch are not used. */
let newestEpoch = 0;
async function readCounter(host: DataHost): Promise<void> {
  const connection = connect(host);
  const sql =
    'SELECT n, @@GLOBAL.read_only AS readOnly, (SELECT MAX(epoch) FROM db_timeline) AS epoch FROM ha_counter WHERE id = 1';
  while (!isEnding) {
    if (isGalera && current !== host) {
      await sleep(readEveryMs);
      continue;
    }
    const acknowledged = counted;
    const [row] = (await connection.read<{ n: number; readOnly: number; epoch: number }>(sql, [])) ?? [];
    if (row !== undefined && row.readOnly === 0 && row.epoch >= newestEpoch) {
      newestEpoch = row.epoch;
      if (row.n < acknowledged) tell({ kind: 'stale', host, read: row.n, acknowledged });
    }
    await sleep(readEveryMs);
  }
}

interface Event {
  readonly number: number;
  readonly id: string;
}

/** A single follower sees each number once. A number must survive every change of the primary. */
async function followEvents(): Promise<void> {
  const connections = { a: connect('a'), b: connect('b') };
  let last: Event = { number: 0, id: '' };
  while (!isEnding) {
    const host = current;
    await connections[host].write('CALL ha_number_events()', []);
    const rows = await connections[host].read<Event>(
      `SELECT number, id FROM ha_event WHERE number >= ? AND @@GLOBAL.read_only = 0 ORDER BY number LIMIT ${mostEvents}`,
      [last.number],
    );
    if (rows !== undefined && rows.length > 0) last = followed(host, last, rows);
    await sleep(eventsEveryMs);
  }
}

function followed(host: DataHost, from: Event, rows: readonly Event[]): Event {
  let last = from;
  for (const [at, row] of rows.entries()) {
    const isSame = row.number === last.number && row.id === last.id;
    const isNext = row.number === last.number + 1;
    // The first row is the last one that was read earlier.
    if (at === 0 && last.number > 0 ? !isSame : !isNext)
      tell({ kind: 'gap', host, after: last.number, found: row.number });
    last = row;
  }
  return last;
}

await Promise.all([
  ...Array.from({ length: Number(writers) }, (_, writer) => writeOn(writer)),
  ...[...hosts.map(probe), count(), ...hosts.map(readCounter), followEvents()],
]);
process.exit(0);
