// The replica in the database follows the rules. Both get the same random requests.
import { expect, test } from '@jest/globals';
import { NotSentError } from '../../../../../platform/registers/errors.ts';
import { accept, type Known, promise, type Row } from '../../../../../platform/registers/rules.ts';
import { noVersion, type Version } from '../../../../../platform/registers/version.ts';
import type {
  ReplicaAnswer,
  ReplicaRequest,
  StoredValue,
} from '../../../../../subgraphs/object-storage/engine/store/register.ts';
import { seededRandom } from '../../../../../trials/random.ts';
import { partitionsOf, StoreProcess, scopeOf, storeDatabase } from './store-database.ts';

const ring = 1;
const epoch = 1;

/** Only the rules, including the gate's. */
class PureReplica {
  readonly rows = new Map<string, Row<StoredValue>>();

  ask(request: ReplicaRequest): ReplicaAnswer {
    const { key, op } = request;
    const id = `${key.scope}/${key.name}`;
    const state = key.name === '' ? 'OPEN' : this.#gate(key.scope);
    if (op === 'read' ? state === 'DELETED' : state !== 'OPEN') return { refused: 'CLOSED' };
    const known: Known<StoredValue> = { row: this.rows.get(id), floor: noVersion };
    if (op === 'read') return { ...known, done: true };
    const next = op === 'accept' ? accept(known, request.written) : promise(known, request.ballot);
    if (next !== undefined) this.rows.set(id, next);
    return { row: this.rows.get(id), floor: noVersion, done: next !== undefined };
  }

  #gate(scope: string): string {
    const { value } = this.rows.get(`${scope}/`) ?? {};
    return value === undefined ? 'OPEN' : JSON.parse(value.head).state;
  }
}

/** The part of the answers that must be equal. An answer to `accept` has no value. */
function comparable(request: ReplicaRequest, answer: ReplicaAnswer): unknown {
  if (answer.refused !== undefined || request.op !== 'accept') return answer;
  const { row, floor, done } = answer;
  return { row: row && { version: row.version, promised: row.promised }, floor, done };
}

const scopes = [1, 2, 3, 4].map(scopeOf);

function randomRequest(random: ReturnType<typeof seededRandom>): ReplicaRequest {
  const key = { ring, scope: random.pick(scopes), name: random.pick(['a', 'a ', 'A', 'ä', 'b/c', '\0hidden']) };
  const version: Version = random.integer(1, 40).toString(16).padStart(32, '0');
  const number = random.integer(1, 1_000_000);
  const body = random.next() < 0.3 ? { body: Buffer.from(`body's ${number} \0\\`) } : {};
  const value = { head: JSON.stringify({ number, quote: "it's", umlaut: 'ö' }), ...body };
  if (random.next() < 0.03) {
    const head = JSON.stringify({ state: random.pick(['OPEN', 'OPEN', 'SEALED', 'DELETED']) });
    return { op: 'accept', key: { ...key, name: '' }, epoch, written: { version, value: { head } } };
  }
  const op = random.pick(['read', 'promise', 'accept', 'accept'] as const);
  if (op === 'read') return { op, key, epoch };
  if (op === 'promise') return { op, key, epoch, ballot: version };
  // One version has one value.
  const written = version.endsWith('f') ? { version, value: undefined } : { version, value };
  return { op, key, epoch, written };
}

test('random requests are answered by the rules, at whichever process', async () => {
  await using cleanup = new AsyncDisposableStack();
  const connection = await storeDatabase(cleanup);
  const processes = [0, 1].map(() => cleanup.use(new StoreProcess(connection)));
  const [first] = processes;
  await first?.partitions.enterRing({ ring, epoch, held: partitionsOf(scopes.map((scope) => ({ scope }))) });
  const seed = Math.floor(Math.random() * 1_000_000);
  const random = seededRandom(seed);
  const pure = new PureReplica();
  for (let turn = 0; turn < 150; turn += 1) {
    // Requests sent at once are of one kind, because reads and writes are ordered separately.
    const all = Array.from({ length: random.integer(1, 12) }, () => randomRequest(random));
    const isReading = random.next() < 0.3;
    const requests = all.filter(({ op }) => (op === 'read') === isReading);
    const { replica } = random.pick(processes);
    const answers = await Promise.all(requests.map((request) => replica.ask(request)));
    for (const [index, request] of requests.entries()) {
      const [wanted, answer] = [pure.ask(request), answers[index] as ReplicaAnswer];
      expect({ seed, turn, request, answer: comparable(request, answer) }).toEqual({
        ...{ seed, turn, request, answer: comparable(request, wanted) },
      });
    }
  }
});

test('a request with another epoch, or for a partition that is not ready, is refused; a version from far ahead is not', async () => {
  await using cleanup = new AsyncDisposableStack();
  const store = cleanup.use(new StoreProcess(await storeDatabase(cleanup)));
  const [here = '', left = '', fresh = '', never = ''] = scopes;
  const ask = (scope: string, asked: number) =>
    store.replica.ask({ op: 'read', key: { ring, scope, name: 'a' }, epoch: asked });
  expect(await ask(here, 1)).toEqual({ refused: 'UNREADY' });
  await store.partitions.enterRing({ ring, epoch: 1, held: partitionsOf([{ scope: here }, { scope: left }]) });
  await store.accept({ ring, scope: left, name: 'a' }, store.clock.next(), '{}');
  await store.partitions.enterRing({ ring, epoch: 2, held: partitionsOf([{ scope: here }, { scope: fresh }]) });
  await store.partitions.enterRing({ ring, epoch: 1, held: partitionsOf([{ scope: never }]) });
  expect(await ask(never, 1)).toEqual({ refused: 'UNREADY' });
  expect(await ask(here, 1)).toEqual({ refused: 'STALE', epoch: 2 });
  expect(await ask(here, 2)).toMatchObject({ done: true });
  expect(await ask(here, 3)).toEqual({ refused: 'UNREADY' });
  expect(await ask(left, 1)).toEqual({ refused: 'STALE', epoch: 2 });
  expect(await ask(left, 2)).toEqual({ refused: 'UNREADY' });
  expect(await ask(fresh, 2)).toEqual({ refused: 'UNREADY' });
  const floor = store.clock.next();
  const [partition = -1] = partitionsOf([{ scope: fresh }]);
  await store.partitions.makeReady([{ ring, partition, epoch: 1, floor }]);
  expect(await ask(fresh, 2)).toEqual({ refused: 'UNREADY' });
  await store.partitions.makeReady([{ ring, partition, epoch: 2, floor }]);
  const old = await store.accept({ ring, scope: fresh, name: 'a' }, floor, '{}', 2);
  expect(old).toEqual({ row: undefined, floor, done: false });
  const far = (Date.now() + 400 * 86_400_000).toString(16).padStart(12, '0').padEnd(32, '0');
  expect(await store.accept({ ring, scope: here, name: 'a' }, far, '{}', 2)).toMatchObject({ done: true });
  const tooLate = store.accept({ ring, scope: here, name: 'a' }, 'f'.repeat(32), '{}', 2);
  await expect(tooLate).rejects.toThrow('the version is later than any version that a clock makes');
  expect(await store.partitions.clearLeft(ring)).toBe(1);
  expect(await store.partitions.clearLeft(ring)).toBe(0);
});

test('a listing is in byte order, in pages, and works while the container is sealed', async () => {
  await using cleanup = new AsyncDisposableStack();
  const store = cleanup.use(new StoreProcess(await storeDatabase(cleanup)));
  const [scope = '', other = ''] = scopes;
  await store.partitions.enterRing({ ring, epoch, held: partitionsOf([{ scope }, { scope: other }]) });
  const names = ['', '\0part/1', 'a', 'a ', 'a/b', 'a/ä', 'a/\u{10000}', 'a/\uffff', 'a0', 'b', 'B', 'x'.repeat(1_100)];
  const inOrder = names.slice(1).sort((one, other) => Buffer.compare(Buffer.from(one), Buffer.from(other)));
  for (const name of names)
    await store.accept({ ring, scope, name }, store.clock.next(), name === '' ? '{"state":"OPEN"}' : '{}');
  await store.accept({ ring, scope: other, name: 'elsewhere' }, store.clock.next(), '{}');
  const list = async (after: string, prefix: string, limit: number, sealed?: Version) => {
    const answer = await store.replica.list({ ring, scope, epoch, after, prefix, limit, sealed });
    if (answer.refused !== undefined) return answer;
    return { names: answer.rows.map(({ name }) => name), isWhole: answer.isWhole };
  };
  expect(await list('', '', 1_000)).toEqual({ names: inOrder, isWhole: true });
  expect(await list('', '', 11)).toEqual({ names: inOrder, isWhole: true });
  expect(await list('', '', 5)).toEqual({ names: inOrder.slice(0, 5), isWhole: false });
  expect(await list('a/b', 'a/', 2)).toEqual({ names: ['a/ä', 'a/\uffff'], isWhole: false });
  expect(await list('a/ä', 'a/', 2)).toEqual({ names: ['a/\uffff', 'a/\u{10000}'], isWhole: true });
  const key = { ring, scope, name: 'b' };
  const [deleted, ballot] = [store.clock.next(), store.clock.next()];
  await store.accept(key, deleted, undefined);
  await store.replica.ask({ op: 'promise', key: { ...key, name: 'new' }, epoch, ballot });
  expect(await store.replica.list({ ring, scope, epoch, after: 'a0', prefix: '', limit: 2 })).toMatchObject({
    rows: [
      { name: 'b', version: deleted, promised: deleted, head: undefined },
      { name: 'new', version: noVersion, promised: ballot, head: undefined },
    ],
  });
  const sealed = store.clock.next();
  await store.accept({ ring, scope, name: '' }, sealed, '{"state":"SEALED"}');
  expect(await list('', 'a/', 1, sealed)).toEqual({ names: ['a/b'], isWhole: false });
  expect(await list('', '', 1, ballot)).toEqual({ refused: 'CLOSED' });
  expect(await store.accept(key, store.clock.next(), '{}')).toEqual({ refused: 'CLOSED' });
  expect(await store.replica.ask({ op: 'promise', key, epoch, ballot: store.clock.next() })).toEqual({
    refused: 'CLOSED',
  });
  await store.accept({ ring, scope, name: '' }, store.clock.next(), '{"state":"DELETED"}');
  expect(await list('', '', 1)).toEqual({ refused: 'CLOSED' });
  expect(await store.replica.ask({ op: 'read', key, epoch })).toEqual({ refused: 'CLOSED' });
  expect(await store.replica.ask({ op: 'read', key: { ...key, name: '' }, epoch })).toMatchObject({ done: true });
});

test('a request that no replica can accept is refused before anything is done, and with that reason', async () => {
  await using cleanup = new AsyncDisposableStack();
  const store = cleanup.use(new StoreProcess(await storeDatabase(cleanup)));
  const [scope = ''] = scopes;
  await store.partitions.enterRing({ ring, epoch, held: partitionsOf([{ scope }]) });
  const version = store.clock.next();
  const key = { ring, scope, name: 'a' };
  const refused = async (answer: Promise<unknown>) => {
    await expect(answer).rejects.toBeInstanceOf(NotSentError);
  };
  await refused(store.accept({ ...key, name: 'ä'.repeat(551) }, version, '{}'));
  await refused(store.accept({ ...key, name: '\ud800' }, version, '{}'));
  await refused(store.accept({ ...key, scope: 'x' }, version, '{}'));
  await refused(store.accept(key, 'X'.repeat(32), '{}'));
  await refused(store.accept(key, version, ' '.repeat(16_385)));
  const body = Buffer.alloc(1024 * 1024 + 1);
  await refused(store.replica.ask({ op: 'accept', key, epoch, written: { version, value: { head: '{}', body } } }));
  await refused(store.replica.list({ ring, scope, epoch, after: '', prefix: '', limit: 1_001 }));
  const largest = { head: ' '.repeat(16_384), body: body.subarray(1) };
  expect(await store.replica.ask({ op: 'accept', key, epoch, written: { version, value: largest } })).toMatchObject({
    done: true,
  });
  const answer = await store.replica.ask({ op: 'read', key, epoch });
  if (answer.refused !== undefined) throw new Error(answer.refused);
  expect(answer.row).toMatchObject({ version, value: { head: largest.head } });
  expect(answer.row?.value?.body?.equals(largest.body)).toBe(true);
  await store.replica.drain();
  await refused(store.accept(key, store.clock.next(), '{}'));
});

test('a commit of another process is on disk before it is reported', async () => {
  await using cleanup = new AsyncDisposableStack();
  const connection = await storeDatabase(cleanup);
  const [own, other] = [0, 1].map(() => cleanup.use(new StoreProcess(connection)));
  if (own === undefined || other === undefined) throw new Error('no processes');
  const [scope = ''] = scopes;
  await own.partitions.enterRing({ ring, epoch, held: partitionsOf([{ scope }]) });
  const key = { ring, scope, name: 'a' };
  const version = own.clock.next();
  await own.accept(key, version, '{}');
  const flushes = async (act: () => Promise<unknown>) => {
    const count = () =>
      own.db
        .query<{ number: number }>("SELECT number FROM store_counter WHERE name = 'flushes'")
        .then(([row]) => row?.number ?? 0);
    const before = await count();
    await act();
    return (await count()) - before;
  };
  const read = (store: StoreProcess) => () => store.replica.ask({ op: 'read', key, epoch });
  expect(await flushes(read(own))).toBe(0);
  expect(await flushes(read(other))).toBe(1);
  expect(await flushes(read(other))).toBe(0);
  // The value is already there, so this transaction writes nothing that would flush the log.
  expect(await flushes(() => other.accept(key, version, '{}'))).toBe(1);
  await own.accept(key, own.clock.next(), '{}');
  const list = () => other.replica.list({ ring, scope, epoch, after: '', prefix: '', limit: 10 });
  expect(await flushes(list)).toBe(1);
  await own.accept(key, own.clock.next(), undefined);
  const { heads } = await other.changeLog.heads('');
  const wanted = heads.map((head) => ({ ...head, after: 0 }));
  expect(await flushes(() => other.changeLog.changes(wanted))).toBe(1);
  expect(await flushes(() => other.changeLog.changes(wanted))).toBe(0);
});
