// Faults of the hosts. Each starts, lasts, and is reverted.
import { setTimeout as sleep } from 'node:timers/promises';
import { killQuietly } from '../../embedded/server-process.ts';
import type { Random } from '../random.ts';
import type { DataHost, PlaceName } from './network.ts';
import { dataHosts, type Pair, type Part } from './pair.ts';
import { etcdPorts } from './settings.ts';
import { addErrant, bigTransaction, changeTable } from './work.ts';

interface Fault {
  readonly name: string;
  /** Resolves when the fault has been reverted. Throws if the fault could not be caused. */
  run(system: Pair, primary: DataHost, pause: Pause): Promise<void>;
  /** Called after the hosts have recovered. Returns a description of what is wrong. Undefined if nothing is. */
  check?(system: Pair): Promise<string | undefined>;
}
type Pause = (ms: number) => Promise<void>;

interface FaultKind {
  /** It does not apply to an engine that lacks one of these parts. */
  readonly needs: readonly (Part | 'switchover' | 'saves' | 'skew')[];
  /** `longestMs`: of a pause. `singles`: the engine's faults of one kind. */
  make(random: Random, longestMs: number, singles: readonly string[]): Fault;
}

type Side = 'primary' | 'standby';
const hostOf = (primary: DataHost, side: Side): DataHost => (side === 'primary' ? primary : otherOf(primary));
const otherOf = (host: DataHost): DataHost => (host === 'a' ? 'b' : 'a');
const lockTimeoutMs = 10_000;
const backupStages = ['START', 'FLUSH', 'BLOCK_DDL', 'BLOCK_COMMIT'].map((stage) => `BACKUP STAGE ${stage}`);
const hosts: readonly PlaceName[] = ['a', 'b', 'w'];

async function pidOf(system: Pair, host: DataHost, what: Part): Promise<number> {
  for (let tries = 0; tries < 50; tries += 1) {
    const pid = await system.pid(host, what);
    if (pid !== undefined && (await system.network.processes(host)).includes(pid)) return pid;
    await sleep(100);
  }
  throw new Error(`${what} of ${host} does not run`);
}

const kill = (what: Part, side: Side): FaultKind => ({
  needs: [what],
  make: () => ({
    name: `kill -9 ${what} of the ${side}`,
    async run(system, primary) {
      killQuietly(await pidOf(system, hostOf(primary, side), what), 'SIGKILL');
    },
  }),
});

const stop = (what: Part, side: Side): FaultKind => ({
  needs: [what],
  make(random, longestMs) {
    const forMs = random.integer(1_000, longestMs);
    return {
      name: `SIGSTOP ${what} of the ${side}, ${forMs} ms`,
      async run(system, primary, pause) {
        const pid = await pidOf(system, hostOf(primary, side), what);
        killQuietly(pid, 'SIGSTOP');
        await pause(forMs).finally(() => killQuietly(pid, 'SIGCONT'));
      },
    };
  },
});

/** Starts it, waits, and reverts it, whatever happens in between. */
function lasting(
  name: string,
  [leastMs, mostMs]: readonly [number, number],
  begin: (system: Pair, primary: DataHost, forMs: number) => Promise<() => Promise<void>>,
  needs: FaultKind['needs'] = [],
): FaultKind {
  return {
    needs,
    make(random) {
      const forMs = random.integer(leastMs, mostMs);
      return {
        name: `${name}, ${forMs} ms`,
        async run(system, primary, pause) {
          const takeBack = await begin(system, primary, forMs);
          await pause(forMs).finally(takeBack);
        },
      };
    },
  };
}

const freezeHost: FaultKind = {
  needs: [],
  make(random, longestMs) {
    const forMs = random.integer(1_000, longestMs);
    return {
      name: `SIGSTOP the primary's host, ${forMs} ms`,
      async run(system, primary, pause) {
        const pids = await system.network.processes(primary);
        system.network.frozen.add(primary);
        for (const pid of pids) killQuietly(pid, 'SIGSTOP');
        await pause(forMs).finally(() => {
          for (const pid of pids) killQuietly(pid, 'SIGCONT');
          system.network.frozen.delete(primary);
        });
      },
    };
  },
};

const unplug = (side: Side): FaultKind =>
  lasting(`unplug the ${side}`, [4_000, 12_000], async ({ network }, primary) => {
    const host = hostOf(primary, side);
    await network.unplug(host);
    return () => network.plug(host);
  });

const powerOff = (side: Side): FaultKind =>
  lasting(`the ${side}'s host is without power`, [3_000, 10_000], async (system, primary) => {
    const host = hostOf(primary, side);
    await system.powerOff(host);
    return () => system.powerOn(host);
  });

const cut = lasting('cut a-b', [3_000, 10_000], async ({ network }) => {
  await network.cut('a', 'b');
  return () => network.join('a');
});

const cutOneWay = (what: 'sent' | 'received'): FaultKind =>
  lasting(`${what} by the primary's host is lost`, [3_000, 10_000], async ({ network }, primary) => {
    await network.cutOneWay(primary, what);
    return () => network.join(primary);
  });

const cutEtcd = lasting(
  "etcd is cut off at the primary's host",
  [3_000, 10_000],
  async ({ network }, primary) => {
    await network.cutPorts(primary, etcdPorts);
    return () => network.join(primary);
  },
  ['etcd'],
);

const allEtcd = lasting(
  'all of etcd is cut off',
  [4_000, 10_000],
  async ({ network }) => {
    for (const host of hosts) await network.cutPorts(host, etcdPorts);
    return async () => {
      for (const host of hosts) await network.join(host);
    };
  },
  ['etcd'],
);

const fullDisk = lasting("the primary's disk is full", [3_000, 8_000], async (system, primary) => {
  await system.disk(primary).fill();
  return () => system.disk(primary).free();
});

const frozenDisk = (side: Side): FaultKind =>
  lasting(`the ${side}'s disk is frozen`, [3_000, 10_000], async (system, primary, forMs) => {
    await system.disk(hostOf(primary, side)).freezeFor(forMs);
    return async () => undefined;
  });

/** Then kills the primary's server. A host with a wrong clock must not be promoted, because two others must agree with its clock. */
const clock = (side: Side): FaultKind => ({
  needs: ['skew'],
  make(random) {
    const seconds = random.integer(0, 1) === 0 ? -60 : 60;
    return {
      name: `the ${side}'s clock is off by ${seconds} s, and mariadbd of the primary is killed`,
      async run(system, primary, pause) {
        const host = hostOf(primary, side);
        await system.skew?.(host, seconds);
        try {
          await pause(4_000);
          killQuietly(await pidOf(system, primary, 'mariadbd'), 'SIGKILL');
          await pause(6_000);
        } finally {
          await system.skew?.(host, 0);
        }
      },
    };
  },
});

/** The host that was lost first returns first. It lacks the writes that were acknowledged in between. */
const bothLost: FaultKind = {
  needs: [],
  make(random) {
    const aloneMs = random.integer(3_000, 6_000);
    return {
      name: `the standby is lost, ${aloneMs} ms later the primary; the standby is back first`,
      async run(system, primary, pause) {
        const standby = otherOf(primary);
        await system.powerOff(standby);
        try {
          await pause(aloneMs);
          await system.powerOff(primary);
          await pause(1_000);
        } finally {
          await system.powerOn(standby);
          await pause(5_000).finally(() => system.powerOn(primary));
        }
      },
    };
  },
};

const switchover: FaultKind = {
  needs: ['switchover'],
  make: () => ({
    name: 'a switchover',
    async run(system, primary) {
      await system.switchover?.(otherOf(primary));
    },
  }),
};

/** Its host gets a copy, and its own writes are reported. */
const errant: FaultKind = {
  needs: ['saves'],
  make(random) {
    const key = `errant-${random.integer(0, 1_000_000_000)}`;
    let gtid = '';
    let host: DataHost = 'a';
    return {
      name: 'a write by hand on the standby',
      async run(system, primary, pause) {
        host = otherOf(primary);
        gtid = await addErrant(system, host, key);
        await pause(2_000);
      },
      async check(system) {
        for (const each of dataHosts) {
          const session = system.sql(each);
          const rows = await session
            .query<unknown[]>('SELECT id FROM tidegate.ha_write WHERE id = ?', [key], 10_000)
            .finally(() => session.forget());
          if (rows.length > 0) return `${each} still has what was written by hand on ${host}: ${gtid}`;
        }
        const told = (await system.savedOf?.(host)) ?? [];
        return told.includes(gtid) ? undefined : `nothing reports ${gtid}, which was written by hand on ${host}`;
      },
    };
  },
};

/** The primary must stay the primary. */
function calm(kind: FaultKind): FaultKind {
  return {
    ...kind,
    make(random, longestMs, singles) {
      const fault = kind.make(random, longestMs, singles);
      let before: number | undefined;
      return {
        ...fault,
        async run(system, primary, pause) {
          before = (await system.state())?.epoch;
          await fault.run(system, primary, pause);
        },
        async check(system) {
          const after = (await system.state())?.epoch;
          const moved = after === before ? undefined : `the primary moved (${before} to ${after}): ${fault.name}`;
          return moved ?? (await fault.check?.(system));
        },
      };
    },
  };
}

/** A session of an operator that stops commits. */
const lock = (what: string, forMs: number, statements: readonly string[]): FaultKind =>
  lasting(
    `${what} on the primary`,
    [forMs, forMs],
    async (system, primary) => {
      const session = system.sql(primary);
      for (const each of statements) await session.query(each, [], lockTimeoutMs);
      return async () => session.forget();
    },
    ['agent'],
  );

/** The second fault starts during the first one, or right after it. */
function both(name: string, one: FaultKind, other: FaultKind, withinMs: number): FaultKind {
  return {
    needs: [...one.needs, ...other.needs],
    make(random, longestMs, singles) {
      const [first, second] = [one.make(random, longestMs, singles), other.make(random, longestMs, singles)];
      const afterMs = random.integer(0, withinMs);
      return {
        name: `${name === '' ? '' : `${name}: `}${first.name}; after ${afterMs} ms: ${second.name}`,
        async run(system, primary, pause) {
          const later = async () => {
            await pause(afterMs);
            await second.run(system, primary, pause);
          };
          const all = await Promise.allSettled([first.run(system, primary, pause), later()]);
          // The first fault may have left no target for the second, which then counts alone.
          const failed = all.every(({ status }) => status === 'rejected');
          if (failed) throw new Error(`neither was done: ${name}`);
        },
        async check(system) {
          return (await first.check?.(system)) ?? (await second.check?.(system));
        },
      };
    },
  };
}

/** While work of that kind is running at the primary. */
function amid(
  what: string,
  work: (system: Pair, primary: DataHost) => Promise<void>,
  kind: FaultKind,
  withinMs: number,
): FaultKind {
  return {
    needs: kind.needs,
    make(random, longestMs, singles) {
      const fault = kind.make(random, longestMs, singles);
      const afterMs = random.integer(0, withinMs);
      return {
        name: `amid ${what}, after ${afterMs} ms: ${fault.name}`,
        async run(system, primary, pause) {
          // It may end with its server.
          const working = work(system, primary).catch(() => undefined);
          await pause(afterMs);
          await fault.run(system, primary, pause);
          await working;
        },
      };
    },
  };
}

/** Faults that happen alone. */
export const single: Readonly<Record<string, FaultKind>> = {
  'kill-mariadbd': kill('mariadbd', 'primary'),
  unplug: unplug('primary'),
  'kill-agent': kill('agent', 'primary'),
  'stop-mariadbd': stop('mariadbd', 'primary'),
  'freeze-host': freezeHost,
  'power-off': powerOff('primary'),
  'kill-standby': kill('mariadbd', 'standby'),
  cut,
  'kill-etcd': kill('etcd', 'primary'),
  'stop-agent': stop('agent', 'primary'),
  'cut-sent': cutOneWay('sent'),
  'unplug-standby': unplug('standby'),
  'stop-etcd': stop('etcd', 'primary'),
  'full-disk': fullDisk,
  'frozen-disk': frozenDisk('primary'),
  switchover,
  'cut-received': cutOneWay('received'),
  'cut-etcd': cutEtcd,
  'all-etcd': allEtcd,
  'kill-keepalived': kill('keepalived', 'primary'),
  'stop-keepalived': stop('keepalived', 'primary'),
  'standby-lost': powerOff('standby'),
  'both-lost': bothLost,
  errant,
  clock: clock('primary'),
  'clock-standby': clock('standby'),
};

/** `kill -9` of mariadbd promotes the other host, so the second fault hits that host or the returning one. */
const promoted = single['kill-mariadbd'] ?? freezeHost;

export const faultKinds: Readonly<Record<string, FaultKind>> = {
  ...single,
  pair: {
    needs: [],
    make(random, longestMs, singles) {
      const names = singles.filter((name) => !['errant', 'clock', 'clock-standby'].includes(name));
      const any = () => single[names[random.integer(0, names.length - 1)] ?? ''] ?? promoted;
      return both('', any(), any(), 3_000).make(random, longestMs, singles);
    },
  },
  'calm-kill-agent': calm(kill('agent', 'primary')),
  'read-lock': calm(lock('a read lock', 10_000, ['FLUSH TABLES WITH READ LOCK'])),
  'backup-lock': calm(lock('a backup lock', 5_000, backupStages)),
  'promotion-standby-killed': both('amid a promotion', promoted, kill('mariadbd', 'standby'), 800),
  'promotion-agent-killed': both('amid a promotion', promoted, kill('agent', 'standby'), 800),
  'promotion-cut': both('amid a promotion', promoted, cut, 800),
  'clone-killed': both('amid a clone', errant, kill('mariadbd', 'primary'), 4_000),
  'clone-agent-killed': both('amid a clone', errant, kill('agent', 'standby'), 4_000),
  'ddl-killed': amid('DDL', changeTable, kill('mariadbd', 'primary'), 1_500),
  'ddl-unplugged': amid('DDL', changeTable, unplug('primary'), 1_500),
  'big-killed': amid('a transaction of 100 MB', bigTransaction, kill('mariadbd', 'primary'), 3_000),
  'big-switchover': amid('a transaction of 100 MB', bigTransaction, switchover, 3_000),
};

/** The kinds for which an engine has all the parts. */
export function kindsOf(system: Pair, names: readonly string[]): readonly string[] {
  const has = (need: FaultKind['needs'][number]): boolean => {
    if (need === 'switchover') return system.switchover !== undefined;
    if (need === 'saves') return system.savedOf !== undefined;
    if (need === 'skew') return system.skew !== undefined;
    return system.parts.has(need);
  };
  return names.filter((name) => faultKinds[name]?.needs.every(has));
}
