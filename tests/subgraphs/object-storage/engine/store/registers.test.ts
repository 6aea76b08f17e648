// Registers over three clusters' databases, while messages are lost, clusters follow each other and deletions are
// forgotten. All answers to clients are consistent, and in the end all replicas are equal.
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { pino } from 'pino';
import { FateUnknownError, NotSentError } from '../../../../../platform/registers/errors.ts';
import { Registers } from '../../../../../platform/registers/registers.ts';
import { Follower } from '../../../../../subgraphs/object-storage/engine/store/follower.ts';
import type {
  RegisterKey,
  ReplicaAnswer,
  ReplicaRequest,
  StoredValue,
} from '../../../../../subgraphs/object-storage/engine/store/register.ts';
import { TombstoneCollector } from '../../../../../subgraphs/object-storage/engine/store/tombstone-collector.ts';
import { applyStep, type Step, untold } from '../../../../../trials/objects-model/history.ts';
import { isLinearizable, type Operation } from '../../../../../trials/objects-model/linearizable.ts';
import { type Random, seededRandom } from '../../../../../trials/random.ts';
import { waitFor } from '../../../../support/machine/temporary-folder.ts';
import { partitionsOf, StoreProcess, scopeOf, storeDatabase } from './store-database.ts';

const ring = 1;
const epoch = 1;
const members = [0, 1, 2];
const keys = Array.from({ length: 24 }, (_, number) => ({ ring, scope: scopeOf(number % 3), name: `name ${number}` }));
const log = pino({ level: 'silent' });

class Federation {
  readonly #random: Random;
  readonly #processes: readonly StoreProcess[];
  /** Share of lost messages, in each direction. */
  lost = 0.05;

  constructor(random: Random, processes: readonly StoreProcess[]) {
    this.#random = random;
    this.#processes = processes;
  }

  /** The coordinator that the clients of a process use. */
  registers(own: StoreProcess): Registers<StoredValue> {
    const ask = (cluster: number, request: ReplicaRequest) => this.#ask(own, cluster, request);
    return new Registers<StoredValue>({
      clock: own.clock,
      placements: { of: () => Promise.resolve({ epoch, groups: [members] }) },
      replicas: {
        read: (cluster, id) => ask(cluster, { op: 'read', key: keyOf(id), epoch }),
        promise: (cluster, id, _epoch, ballot) => ask(cluster, { op: 'promise', key: keyOf(id), epoch, ballot }),
        accept: (cluster, id, _epoch, written) => ask(cluster, { op: 'accept', key: keyOf(id), epoch, written }),
      },
    });
  }

  async #ask(own: StoreProcess, cluster: number, request: ReplicaRequest): Promise<ReplicaAnswer> {
    const other =
      cluster === own.cluster ? own : this.#random.pick(this.#processes.filter((each) => each.cluster === cluster));
    await sleep(this.#random.integer(0, 3));
    if (this.#random.next() < this.lost) throw new NotSentError('lost');
    const answer = await other.replica.ask(request);
    if (this.#random.next() < this.lost) throw new Error('lost');
    return answer;
  }
}

const idOf = (key: RegisterKey) => JSON.stringify(key);
const keyOf = (id: string) => JSON.parse(id) as RegisterKey;

function settleBy(registers: Registers<StoredValue>): (key: RegisterKey) => Promise<unknown> {
  return (key) => registers.update(idOf(key), ({ value }) => ({ keeps: false, value, result: undefined }));
}

async function operate(registers: Registers<StoredValue>, kind: Step['kind'], id: string, text: string): Promise<Step> {
  const value = { head: text };
  if (kind === 'read') return { kind, got: (await registers.read(id)).value?.head };
  if (kind === 'put') await registers.write(id, value);
  if (kind === 'delete') await registers.write(id, undefined);
  if (kind === 'put') return { kind, value: text };
  if (kind === 'delete') return { kind };
  const { result } = await registers.update<boolean>(id, (found) =>
    (kind === 'create') === (found.value === undefined)
      ? { keeps: false, value, result: true }
      : { keeps: true, result: false },
  );
  return { kind, value: text, did: result };
}

test('three clusters act as one, and are equal in the end', async () => {
  await using cleanup = new AsyncDisposableStack();
  const seed = Math.floor(Math.random() * 1_000_000);
  const random = seededRandom(seed);
  const locations = await Promise.all(members.map(() => storeDatabase(cleanup)));
  // Two processes at the first cluster.
  const processes = [0, ...members].map((cluster) => {
    const location = locations[cluster];
    if (location === undefined) throw new Error('no database');
    return cleanup.use(new StoreProcess(location, cluster));
  });
  for (const { partitions } of processes.slice(1))
    await partitions.enterRing({ ring, epoch, held: partitionsOf(keys) });
  const federation = new Federation(random, processes);

  const history = new Map<string, Operation<Step>[]>();
  let values = 0;
  const client = async (registers: Registers<StoredValue>) => {
    for (let turn = 0; turn < 60; turn += 1) {
      const id = idOf(random.pick(keys));
      const kind = random.pick(['put', 'read', 'create', 'replace', 'delete', 'read', 'delete'] as const);
      values += 1;
      const text = String(values);
      const called = performance.now();
      const tell = (step: Step, answered: number) =>
        history.set(id, [...(history.get(id) ?? []), { called, answered, step }]);
      try {
        const step = await operate(registers, kind, id, text);
        tell(step, performance.now());
      } catch (error) {
        if (kind !== 'read' && error instanceof FateUnknownError) tell(untold(kind, text), Number.POSITIVE_INFINITY);
      }
    }
  };
  const clients = processes.flatMap((each) => [client(federation.registers(each)), client(federation.registers(each))]);

  const [, ...ofClusters] = processes;
  const followers = ofClusters.flatMap((own) =>
    ofClusters
      .filter(({ cluster }) => cluster !== own.cluster)
      .map((other) => {
        const { db, partitions, clock } = own;
        const settle = settleBy(federation.registers(own));
        const follower = new Follower({
          ...{ db, partitions, clock, log, settle, cluster: other.cluster, peer: other.changeLog },
          ...{ isMember: () => true, isChanging: () => false, pauseMs: 20, againMs: 20 },
        });
        follower.start();
        cleanup.defer(() => follower.stop());
        return follower;
      }),
  );
  let forgotten = 0;
  const stop = new AbortController();
  const collecting = ofClusters.map(async (own) => {
    const { db, cluster } = own;
    const peers = new Map(ofClusters.map((each) => [each.cluster, each.tombstones]));
    const collector = new TombstoneCollector({
      ...{ db, log, cluster, tombstones: own.tombstones, settle: settleBy(federation.registers(own)) },
      ...{ membersOf: () => ({ epoch, members }), peers: () => peers, afterMs: -10_000 },
    });
    while (!stop.signal.aborted) {
      const confirmed = await collector.round(new AbortController().signal);
      forgotten += confirmed;
      await sleep(20);
    }
  });

  await Promise.all(clients);
  stop.abort();
  await Promise.all(collecting);
  federation.lost = 0;
  const told = [...history].filter(([, operations]) => !isLinearizable(operations, '', applyStep));
  expect({ seed, told }).toEqual({ seed, told: [] });
  expect(forgotten).toBeGreaterThan(0);
  // A deletion equals a missing row. Some clusters may have forgotten it, but all have confirmed it.
  const rows = async () =>
    Promise.all(ofClusters.map(async (each) => (await each.rows()).filter(({ head }) => head !== null)));
  const last = await waitFor('equal replicas', async () => {
    if (followers.some(({ lag }) => lag.changes > 0)) return undefined;
    const [first, ...others] = (await rows()).map((each) => JSON.stringify(each));
    return others.every((each) => each === first) ? first : undefined;
  });
  expect(JSON.parse(last)).not.toEqual([]);
});
