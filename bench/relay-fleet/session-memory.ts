// The memory of an idle session in a relay. It compares the process with sessions to all backends of one protocol and without them. HTTPS
// connections are kept for only four seconds while the login stays, so for HTTPS it also measures with the connections closed again.
import { setTimeout as sleep } from 'node:timers/promises';
import { Child } from '../../measure/child.ts';
import type { Ask } from '../../measure/graph-client.ts';
import { wires } from '../../measure/relay/calls.ts';
import { rounded } from '../../measure/statistics.ts';
import { startServers } from '../fanout/servers.ts';
import { startFleet } from './fleet.ts';
import type { Memory, SessionOrder } from './session-process.ts';

const askDeadlineMs = 60_000;
const warmUpMs = 3_000;
/** The share of the backends whose sessions are opened before the measurement, so that the effects of opening many at once are excluded. */
const warmShare = 1 / 3;
/** By then, unused HTTPS connections are closed. */
const restedMs = 6_000;

interface SessionCost {
  readonly sessions: number;
  /**
   * The larger of the next two: a process with free space grows by less than it uses, and V8 does not count its native memory (TLS, sockets).
   */
  readonly kibPerSession: number;
  /** Growth of the process, by its proportional set size. */
  readonly residentKibPerSession: number;
  /** Growth of its JavaScript objects and their memory outside of V8's heap (buffers). */
  readonly usedKibPerSession: number;
}

interface SessionMemory {
  readonly ssh: SessionCost;
  readonly https: SessionCost;
  /** V8's memory for a backend whose login is kept and whose connection is closed. */
  readonly httpsRestedUsedKib: number;
  /** The size of the process before. */
  readonly baseKib: number;
}

/** Measures sessions to `count` backends, half of each protocol. Ends all its processes. */
export async function measureSessionMemory(count: number, signal: AbortSignal): Promise<SessionMemory> {
  await using stack = new AsyncDisposableStack();
  const { settings } = await startServers(stack, signal);
  const child = new Child(new URL('./session-process.ts', import.meta.url), ['--expose-gc']);
  stack.defer(() => child.stop());
  const order = <Reply>(one: SessionOrder): Promise<Reply> => child.ask<Reply>(one, askDeadlineMs);
  await order({
    do: 'start',
    settings: { ...settings, roles: 'system,relay' },
  });
  stack.defer(() => order({ do: 'stop' }));
  const ask: Ask = (query, variables) => order({ do: 'ask', query, variables });
  const fleet = await startFleet(stack, ask, Math.ceil(count / (1 - warmShare)));
  const groups = wires.map((wire) => {
    const backends = fleet.filter((backend) => backend.wire === wire);
    const warm = Math.floor(backends.length * warmShare);
    return { warm: backends.slice(0, warm), measured: backends.slice(warm) };
  });
  const [ssh = [], https = []] = groups.map(({ measured }) => measured);
  // Code, database connections, and the space of heap and allocator are allocated first.
  const warm = groups.flatMap((group) => group.warm);
  await order({ do: 'open', fleet: warm });
  await order({ do: 'warmUp', fleet: warm, forMs: warmUpMs });
  await sleep(restedMs, undefined, { signal });
  const none = await order<Memory>({ do: 'read' });
  await order({ do: 'open', fleet: ssh });
  const withSsh = await order<Memory>({ do: 'read' });
  await order({ do: 'open', fleet: https });
  const withBoth = await order<Memory>({ do: 'read' });
  await sleep(restedMs, undefined, { signal });
  const rested = await order<Memory>({ do: 'read' });
  return {
    ssh: costOf(none, withSsh),
    https: costOf(withSsh, withBoth),
    httpsRestedUsedKib: rounded((rested.usedKib - withSsh.usedKib) / https.length, 1),
    baseKib: none.residentKib,
  };
}

function costOf(before: Memory, after: Memory): SessionCost {
  const sessions = after.sessions - before.sessions;
  const each = (kib: number) => rounded(kib / sessions, 1);
  const residentKibPerSession = each(after.residentKib - before.residentKib);
  const usedKibPerSession = each(after.usedKib - before.usedKib);
  return {
    sessions,
    kibPerSession: Math.max(residentKibPerSession, usedKibPerSession),
    ...{ residentKibPerSession, usedKibPerSession },
  };
}
