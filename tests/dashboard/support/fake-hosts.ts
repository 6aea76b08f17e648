// The hosts of the fake world's database, and the root fields about them. A single machine has none.
import {
  coded,
  type FakeTold,
  type Fields,
  mutationsOf,
  type NotedMutations,
  type Paging,
  page,
} from './fake-values.ts';

type Change = Omit<FakeTold, 'from'>;

export class FakeHosts {
  status: Fields | undefined;
  readonly moves: Fields[] = [];
  readonly processes: Fields[] = [];
  readonly #tell: (change: Change) => void;

  constructor(tell: (change: Change) => void) {
    this.#tell = tell;
  }

  /** a is the primary, b is in sync, w votes. */
  begin(): void {
    const host = (name: string, state: string) => ({
      ...{ name, state, address: `192.0.2.${name.charCodeAt(0)}` },
      ...{ behindTransactions: state === 'WITNESS' ? null : '0' },
      ...{ etcd: name === 'w' ? 'LEADS' : 'ANSWERS', clockAheadMs: 3, keysDiffer: false },
      ...{ site: null, stateReason: null },
    });
    const hosts = [host('a', 'PRIMARY'), host('b', 'IN_SYNC'), host('w', 'WITNESS')];
    this.status = { primaryName: 'a', epoch: 4, copies: 2, paused: false, move: null, hosts };
  }

  update(patch: object, change?: Change): void {
    this.status = { ...this.status, ...patch };
    if (change !== undefined) this.#tell(change);
  }
}

export function createHostsRoot(world: NotedMutations & { readonly hosts: FakeHosts }) {
  const { hosts } = world;
  const single = 'The database is on a single machine.';
  const accepted = (patch: Fields) => {
    hosts.update(patch);
    return { accepted: true };
  };
  return {
    haStatus: () => hosts.status ?? null,
    haStatusReason: () => (hosts.status === undefined ? single : null),
    processes: ({ first, after }: Paging) => page(hosts.processes, first, after),
    haMoves: ({ first, after }: Paging) => {
      if (hosts.status === undefined) throw coded('NOT_CONFIGURED', single);
      return page(hosts.moves, first, after);
    },
    ...mutationsOf(world, {
      haSwitchover: ({ to }) => accepted({ move: { id: 'move-1', state: 'PENDING', primaryName: to } }),
      haPause: () => accepted({ paused: true }),
      haResume: () => accepted({ paused: false }),
    }),
  };
}

/** A move of the primary. */
export function hostMove(patch: object): Fields {
  const nowMs = Date.now();
  const at = (ms: number) => new Date(nowMs + ms).toISOString();
  return {
    ...{ id: `move-${JSON.stringify(patch)}`, moveKind: 'SWITCHOVER', state: 'SUCCEEDED', timelineEpoch: 4 },
    ...{ primaryName: 'a', previousName: 'b', reason: 'a switchover', gapMs: 87, leftBehind: [] },
    ...{ createdAt: at(-2_000), startedAt: at(-1_500), finishedAt: at(-1_413) },
    ...patch,
  };
}

/** A process that uses the database. */
export function hostProcess(patch: object): Fields {
  return {
    ...{ name: 'control-1', programVersion: '0.3.0', commitHash: '0123abcdef', roles: ['system', 'worker'] },
    ...{ hostName: 'host-1', live: true, startedAt: new Date().toISOString() },
    ...patch,
  };
}
