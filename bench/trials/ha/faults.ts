// What is done to the hosts. Each begins, lasts, and is taken back.
import { killQuietly } from '../../../embedded/server-process.ts';
import type { Random } from '../random.ts';
import type { DataHost } from './network.ts';
import type { Pair, Part } from './pair.ts';

export interface Fault {
  readonly name: string;
  /** Resolves when it has been taken back. */
  run(system: Pair, primary: DataHost, pause: (ms: number) => Promise<void>): Promise<void>;
}

const otherOf = (host: DataHost): DataHost => (host === 'a' ? 'b' : 'a');

function kill(what: Part, of: 'primary' | 'standby'): Fault {
  return {
    name: `kill -9 ${what} of the ${of}`,
    async run(system, primary) {
      const pid = await system.pid(of === 'primary' ? primary : otherOf(primary), what);
      if (pid !== undefined) killQuietly(pid, 'SIGKILL');
    },
  };
}

function stop(what: Part, random: Random): Fault {
  const forMs = random.integer(1_000, 15_000);
  return {
    name: `SIGSTOP ${what} of the primary, ${forMs} ms`,
    async run(system, primary, pause) {
      const pid = await system.pid(primary, what);
      if (pid === undefined) return;
      killQuietly(pid, 'SIGSTOP');
      await pause(forMs);
      killQuietly(pid, 'SIGCONT');
    },
  };
}

function freezeHost(random: Random): Fault {
  const forMs = random.integer(1_000, 15_000);
  return {
    name: `SIGSTOP the primary's host, ${forMs} ms`,
    async run(system, primary, pause) {
      const pids = await system.network.processes(primary);
      for (const pid of pids) killQuietly(pid, 'SIGSTOP');
      await pause(forMs);
      for (const pid of pids) killQuietly(pid, 'SIGCONT');
    },
  };
}

function unplug(of: 'primary' | 'standby', random: Random): Fault {
  const forMs = random.integer(4_000, 12_000);
  return {
    name: `unplug the ${of}, ${forMs} ms`,
    async run(system, primary, pause) {
      const host = of === 'primary' ? primary : otherOf(primary);
      await system.network.unplug(host);
      await pause(forMs);
      await system.network.plug(host);
    },
  };
}

function cut(random: Random): Fault {
  const forMs = random.integer(3_000, 10_000);
  return {
    name: `cut a-b, ${forMs} ms`,
    async run(system, _primary, pause) {
      await system.network.cut('a', 'b');
      await pause(forMs);
      await system.network.join('a');
    },
  };
}

function fullDisk(random: Random): Fault {
  const forMs = random.integer(3_000, 8_000);
  return {
    name: `the primary's disk is full, ${forMs} ms`,
    async run(system, primary, pause) {
      await system.fillDisk(primary);
      await pause(forMs);
      await system.freeDisk(primary);
    },
  };
}

const switchover: Fault = {
  name: 'a switchover',
  async run(system, primary) {
    await system.switchover?.(otherOf(primary));
  },
};

export const faultKinds: Readonly<Record<string, (random: Random) => Fault>> = {
  'kill-mariadbd': () => kill('mariadbd', 'primary'),
  unplug: (random) => unplug('primary', random),
  'kill-agent': () => kill('agent', 'primary'),
  'stop-mariadbd': (random) => stop('mariadbd', random),
  'freeze-host': freezeHost,
  'kill-standby': () => kill('mariadbd', 'standby'),
  cut,
  'kill-etcd': () => kill('etcd', 'primary'),
  'stop-agent': (random) => stop('agent', random),
  'unplug-standby': (random) => unplug('standby', random),
  'stop-etcd': (random) => stop('etcd', random),
  'full-disk': fullDisk,
  switchover: () => switchover,
};
