// A server of a cluster in a process of the trial, which can be killed and stopped. Argument: a file with its options (Program). Lines of
// JSON set the faults of its clock and disk.
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import pino from 'pino';
import { toleratesBrokenConnects } from '../../platform/database/connector-rejections.ts';
import { Database, type DatabaseLocation } from '../../platform/database/database.ts';
import { Peers } from '../../platform/machines/peers.ts';
import { ObjectServer, type ObjectServerTimes } from '../../subgraphs/object-storage/agents/server/object-server.ts';
import type { ClusterKey } from '../../subgraphs/object-storage/engine/store/cluster-key.ts';
import { preparedByReplica } from '../../subgraphs/object-storage/engine/store/padded.ts';

export interface Program {
  readonly connection: DatabaseLocation;
  readonly folder: string;
  readonly cluster: string;
  readonly name: string;
  readonly key: ClusterKey;
  readonly tls: { readonly cert: string; readonly key: string; readonly ca: string };
  readonly peerPort: number;
  readonly s3Port: number;
  readonly times: ObjectServerTimes;
  /** The difference of its clock from the system's clock. */
  readonly clockMs: number;
  /** Each reading of the clock is off by up to this much. */
  readonly jumpMs: number;
  readonly isFull: boolean;
}

const host = '127.0.0.1';
const log = pino({ level: process.env.OBJECTS_LOG ?? 'silent' }, pino.destination(2));
toleratesBrokenConnects(process);
const program = JSON.parse(await readFile(process.argv[2] ?? '', 'utf8')) as Program;
let ground: Pick<Program, 'clockMs' | 'jumpMs' | 'isFull'> = program;

const server = new ObjectServer({
  ...{ folder: program.folder, keepFreeBytes: 1, cluster: program.cluster, key: program.key, log },
  ...{ name: program.name, version: 'trial', times: program.times },
  db: new Database({ connection: program.connection, preparedKept: preparedByReplica }),
  peers: { host, port: program.peerPort, tls: { ...program.tls, peers: new Peers(log) } },
  s3: { host, port: program.s3Port, region: 'us-east-1' },
  nowMs: () => Date.now() + ground.clockMs + Math.round((Math.random() * 2 - 1) * ground.jumpMs),
  freeBytes: async () => (ground.isFull ? 0 : Number.MAX_SAFE_INTEGER),
});
server.start();

createInterface({ input: process.stdin }).on('line', (line) => {
  ground = JSON.parse(line);
  process.stdout.write(`${JSON.stringify({ waitsFor: server.waitsFor ?? null, lost: server.lost ?? null })}\n`);
});
process.stdout.write('{}\n');
