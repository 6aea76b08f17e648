// The hosts of the fake world's database, and the root fields about them. A single machine has none.
import { coded, page } from './fake-values.ts';

interface Context {
  readonly bearer: string | null;
}
interface Change {
  readonly kind: string;
  readonly to: string;
  readonly reason: string | null;
}
interface Paging {
  readonly first?: number;
  readonly after?: string | null;
}
type Input = Readonly<Record<string, unknown>>;

export class FakeHosts {
  status: Readonly<Record<string, unknown>> | undefined;
  readonly moves: Readonly<Record<string, unknown>>[] = [];
  readonly #tell: (change: Change) => void;

  constructor(tell: (change: Change) => void) {
    this.#tell = tell;
  }

  /** a leads, b is in sync, w votes. */
  begin(): void {
    const host = (name: string, state: string) => ({
      ...{
        name,
        state,
        address: `192.0.2.${name.charCodeAt(0)}`,
        behindTransactions: state === 'WITNESS' ? null : '0',
      },
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

export function createHostsRoot(
  world: { readonly hosts: FakeHosts; readonly mutations: { readonly name: string; readonly input: Input }[] },
  guard: (context: Context) => void,
) {
  const { hosts } = world;
  const read =
    <Arguments, Value>(value: (given: Arguments) => Value) =>
    (given: Arguments, context: Context): Value => {
      guard(context);
      if (hosts.status === undefined) throw coded('NOT_CONFIGURED', 'The database is on a single machine.');
      return value(given);
    };
  const wish =
    (name: string, patch: (input: Input) => object) =>
    ({ input }: { readonly input: Input }, context: Context) => {
      guard(context);
      world.mutations.push({ name, input });
      hosts.update(patch(input));
      return { accepted: true, userErrors: [] };
    };
  return {
    haStatus(_: unknown, context: Context) {
      guard(context);
      return hosts.status ?? null;
    },
    haStatusReason(_: unknown, context: Context) {
      guard(context);
      return hosts.status === undefined ? 'The database is on a single machine.' : null;
    },
    haMoves: read(({ first, after }: Paging) => page(hosts.moves, first, after)),
    haSwitchover: wish('haSwitchover', ({ to }) => ({ move: { id: 'move-1', state: 'PENDING', primaryName: to } })),
    haPause: wish('haPause', () => ({ paused: true })),
    haResume: wish('haResume', () => ({ paused: false })),
  };
}

/** A move of the primary. */
export function hostMove(patch: object): Readonly<Record<string, unknown>> {
  const nowMs = Date.now();
  const at = (ms: number) => new Date(nowMs + ms).toISOString();
  return {
    id: `move-${JSON.stringify(patch)}`,
    moveKind: 'SWITCHOVER',
    state: 'SUCCEEDED',
    timelineEpoch: 4,
    primaryName: 'a',
    previousName: 'b',
    reason: 'a switchover',
    createdAt: at(-2_000),
    startedAt: at(-1_500),
    finishedAt: at(-1_413),
    gapMs: 87,
    leftBehind: [],
    ...patch,
  };
}
