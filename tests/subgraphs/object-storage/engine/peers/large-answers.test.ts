// Many large values requested at once exceed one message between servers.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { pino } from 'pino';
import type { BlobStore } from '../../../../../subgraphs/object-storage/engine/blobs/blob-store.ts';
import { PeerClient } from '../../../../../subgraphs/object-storage/engine/peers/peer-client.ts';
import { PeerServer } from '../../../../../subgraphs/object-storage/engine/peers/peer-server.ts';
import type { RegisterKey, ReplicaAnswer } from '../../../../../subgraphs/object-storage/engine/store/register.ts';
import { MemoryReplica } from '../../../../support/object-storage/memory-replica.ts';
import { testAuthority, testMachine } from '../../../../support/product/machines.ts';
import { clusterOf } from './clusters.ts';

const log = pino({ level: 'silent' });
const cleanup = new AsyncDisposableStack();
const replica = new MemoryReplica();
const version = '1'.repeat(32);
let client: PeerClient;

const key = (name: string): RegisterKey => ({ ring: 1, scope: 'c'.repeat(32), name });

beforeAll(async () => {
  const authority = await testAuthority();
  const [north, south] = [
    await testMachine(authority, 'objectserver', 'north', log),
    await testMachine(authority, 'objectserver', 'south', log),
  ];
  const server = await PeerServer.listen({
    ...{ host: '127.0.0.1', port: 0, tls: south, log, clusterOf, replica, blobs: {} as BlobStore },
  });
  cleanup.defer(() => server.stop());
  client = new PeerClient({ cluster: 2, urls: [server.url], tls: north, clusterOf, deadlineMs: 30_000 });
  cleanup.defer(() => client.close());
});
afterAll(() => cleanup.disposeAsync());

const bytesOf = (answer: ReplicaAnswer) => (answer.refused === undefined ? answer.row?.value?.body?.length : undefined);

test('each request is answered, those without room in a further message', async () => {
  // Like an object with ten thousand parts.
  const body = Buffer.alloc(900_000, 'x');
  for (const name of ['big', 'small'])
    await replica.ask({
      ...{ op: 'accept', key: key(name), epoch: 1 },
      written: { version, value: { head: '{}', body: name === 'big' ? body : Buffer.from('y') } },
    });
  replica.asked = 0;
  const ballot = '2'.repeat(32);
  const answers = await Promise.all([
    ...Array.from({ length: 80 }, () => client.ask({ op: 'read', key: key('big'), epoch: 1 })),
    client.ask({ op: 'promise', key: key('big'), epoch: 1, ballot }),
    client.ask({ op: 'read', key: key('small'), epoch: 1 }),
    client.ask({ op: 'accept', key: key('new'), epoch: 1, written: { version, value: { head: '{}' } } }),
  ]);
  expect(answers.slice(0, 81).map(bytesOf)).toEqual(Array(81).fill(900_000));
  expect(answers.slice(80).map((each) => each.refused === undefined && each.done)).toEqual([true, true, true]);
  expect(bytesOf(answers[81] as ReplicaAnswer)).toBe(1);
  // Only some are requested again.
  expect(replica.asked).toBeLessThan(3 * answers.length);
});

test('a page of names with long heads ends at the message limit, and the next one continues', async () => {
  const scope = 'd'.repeat(32);
  // Each quote takes four characters in a message.
  const head = JSON.stringify({ metadata: '"'.repeat(8_000) });
  const names = Array.from({ length: 1_000 }, (_, at) => String(at).padStart(4, '0'));
  for (const name of names)
    await replica.ask({ op: 'accept', key: { ring: 1, scope, name }, epoch: 1, written: { version, value: { head } } });
  const found: string[] = [];
  for (let pages = 1; ; pages += 1) {
    const after = found.at(-1) ?? '';
    const page = await client.list({ ring: 1, scope, epoch: 1, after, prefix: '', limit: 1_000 });
    if (page.refused !== undefined) throw new Error(page.refused);
    found.push(...page.rows.map(({ name }) => name));
    expect(page.rows.every((row) => row.head === head)).toBe(true);
    if (!page.isWhole) continue;
    expect(pages).toBeGreaterThan(1);
    break;
  }
  expect(found).toEqual(names);
});
