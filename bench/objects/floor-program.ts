// The smallest program of the same design as a cluster's server: the minimum cost of an object that is stored in three databases, or on
// three disks, and read from a majority. It has only the product's SQL and batches: no signatures and rights, no TLS, no rings, no names
// and conditions, no refusals, deadlines or catching up. Argument: a file with its options (FloorProgram).
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { Agent, createServer, type IncomingMessage, request } from 'node:http';
import { join } from 'node:path';
import { crc32c } from '@node-rs/crc32';
import { toleratesBrokenConnects } from '../../platform/database/connector-rejections.ts';
import { Database, type DatabaseLocation } from '../../platform/database/database.ts';
import { VersionClock } from '../../platform/registers/version.ts';
import { partitionCount } from '../../platform/rings/ring.ts';
import { Batches } from '../../subgraphs/object-storage/engine/peers/batches.ts';
import { packMessage, unpackMessage } from '../../subgraphs/object-storage/engine/peers/message.ts';
import { Durability } from '../../subgraphs/object-storage/engine/store/durability.ts';
import { LocalReplica } from '../../subgraphs/object-storage/engine/store/local-replica.ts';
import { preparedByReplica } from '../../subgraphs/object-storage/engine/store/padded.ts';
import { Partitions } from '../../subgraphs/object-storage/engine/store/partitions.ts';
import type { ReplicaAnswer, ReplicaRequest } from '../../subgraphs/object-storage/engine/store/register.ts';

export interface FloorProgram {
  readonly connection: DatabaseLocation;
  readonly folder: string;
  readonly cluster: number;
  /** Ports of the clusters by number. */
  readonly ports: readonly number[];
}

const host = '127.0.0.1';
const [ring, epoch] = [1, 1];
const mostInRow = 4_096;
const mostMs = 30_000;

toleratesBrokenConnects(process);
const program = JSON.parse(await readFile(process.argv[2] ?? '', 'utf8')) as FloorProgram;
const { connection, folder, cluster, ports } = program;
await mkdir(folder, { recursive: true });
const ofFolder = await open(folder);
const db = new Database({ connection, preparedKept: preparedByReplica });
const durability = new Durability(db);
const clock = new VersionClock({ cluster, nowMs: Date.now, chance: () => randomBytes(6).toString('hex') });
const replica = new LocalReplica({ db, durability });
const held = new Set(Array.from({ length: partitionCount }, (_, partition) => partition));
await new Partitions({ db, durability }).enterRing({ ring, epoch, held, isEmpty: true });

const agent = new Agent({ keepAlive: true });
const others = ports.filter((_, number) => number !== cluster);
const batches = others.map(
  (port) =>
    new Batches({
      ...{ deadlineMs: mostMs, batchesAtOnce: 8 },
      send: async (requests) => {
        const answer = await send(port, 'POST', '/registers', packMessage({ requests }));
        return unpackMessage(answer) as readonly ReplicaAnswer[];
      },
    }),
);
const free: Buffer[] = [];
let turn = 0;

createServer(async (asked, response) => {
  const [, kind = '', name = ''] = (asked.url ?? '').split('/', 3);
  try {
    const body = asked.method === 'GET' ? Buffer.alloc(0) : await bytesOf(asked);
    if (kind === 'registers') response.end(packMessage(await asBatch(body)));
    else if (kind === 'blobs') response.end(await keep(name, body).then(() => 'kept'));
    else if (asked.method === 'PUT') response.end(await put(name, body));
    else await get(name, (bytes, sent) => response.end(bytes, sent));
  } catch (error) {
    process.stderr.write(`${error}\n`);
    response.statusCode = 500;
    response.end();
  }
}).listen(ports[cluster], host, () => process.stdout.write('{}\n'));

async function asBatch(body: Buffer): Promise<readonly ReplicaAnswer[]> {
  const { requests } = unpackMessage(body) as { readonly requests: readonly ReplicaRequest[] };
  return Promise.all(requests.map((each) => replica.ask(each)));
}

/** Returns its ETag once a majority has it. */
async function put(name: string, body: Buffer): Promise<string> {
  const etag = createHash('md5').update(body).digest('hex');
  createHash('sha256').update(body).digest();
  const isInRow = body.length <= mostInRow;
  const blob = isInRow ? undefined : `${name}-${randomBytes(8).toString('hex')}`;
  if (blob !== undefined)
    await majority([keep(blob, body), ...others.map((port) => send(port, 'PUT', `/blobs/${blob}`, body))]);
  const value = { head: JSON.stringify({ etag, blob, sizeBytes: body.length }), ...(isInRow && { body }) };
  const accept = { op: 'accept', key: keyOf(name), epoch, written: { version: clock.next(), value } } as const;
  await majority([replica.ask(accept), ...batches.map((each) => each.ask(accept))]);
  return etag;
}

async function get(name: string, answer: (bytes: Buffer, sent: () => void) => void): Promise<void> {
  const read = { op: 'read', key: keyOf(name), epoch } as const;
  turn += 1;
  const [own] = await Promise.all([replica.ask(read), batches[turn % batches.length]?.ask(read)]);
  if (own.refused !== undefined || own.row?.value === undefined) throw new Error(`${name}: ${JSON.stringify(own)}`);
  const { head, body } = own.row.value;
  if (body !== undefined) return answer(body, () => undefined);
  const { blob, sizeBytes } = JSON.parse(head) as { readonly blob: string; readonly sizeBytes: number };
  const file = await open(join(folder, blob));
  const bytes = free.pop() ?? Buffer.allocUnsafeSlow(sizeBytes);
  await file.read(bytes, 0, sizeBytes, 0);
  await file.close();
  crc32c(bytes);
  answer(bytes, () => free.push(bytes));
}

/** Stores it on disk, with its name. */
async function keep(name: string, body: Buffer): Promise<void> {
  crc32c(body);
  const file = await open(join(folder, `${name}.new`), 'wx');
  await file.write(body);
  await file.datasync();
  await file.close();
  await rename(join(folder, `${name}.new`), join(folder, name));
  await ofFolder.sync();
}

function keyOf(name: string): ReplicaRequest['key'] {
  return { ring, scope: 'b'.repeat(32), name };
}

/** Two of three are a majority. */
async function majority(all: readonly Promise<unknown>[]): Promise<void> {
  await Promise.any(all.map((each) => Promise.all(all.filter((other) => other !== each))));
}

async function bytesOf(source: AsyncIterable<Buffer> & Pick<IncomingMessage, 'headers'>): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(Number(source.headers['content-length']));
  let at = 0;
  for await (const chunk of source) at += chunk.copy(bytes, at);
  return bytes.subarray(0, at);
}

function send(port: number, method: string, path: string, body: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-length': body.length };
    const asked = request({ host, port, method, path, agent, headers }, async (answer) => {
      const chunks: Buffer[] = [];
      for await (const chunk of answer) chunks.push(chunk);
      if (answer.statusCode === 200) resolve(Buffer.concat(chunks));
      else reject(new Error(`${path}: ${answer.statusCode}`));
    });
    asked.once('error', reject);
    asked.end(body);
  });
}
