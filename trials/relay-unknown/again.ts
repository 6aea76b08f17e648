// Calls on existing objects: their connections are dropped, and the same objects are called again after every early poll, with the same
// values, with others, in another order, or to remove them. At the same time there is adopting, sharing, verifying, and changes of the
// backend. When a call takes effect late, its object must not be free.
import type { RelaySettings } from '../../subgraphs/relay/control/settings.ts';
import { AgainLanes, type AgainOptions } from './again-lanes.ts';
import { type AgainVerdict, judgeAgain } from './again-verdict.ts';
import { Arena } from './arena.ts';
import type { AgainKind } from './devices/objects.ts';
import { readEvidence } from './evidence.ts';
import { sumRecords } from './sums.ts';

export interface Again extends AgainVerdict {
  /** Dropped calls that were made. */
  readonly trials: number;
  readonly kinds: Readonly<Record<string, number>>;
  readonly besides: Readonly<Record<string, number>>;
  readonly drivers: Readonly<Record<string, number>>;
  /** Findings of probes while the dropped call may still take effect. */
  readonly earlyLooks: Readonly<Record<string, number>>;
  /** Outcomes of the calls on the same objects, or their refusals. */
  readonly againCalls: Readonly<Record<string, number>>;
  /** Answers to the concurrent requests. */
  readonly changes: Readonly<Record<string, number>>;
  readonly unexpected: number;
  readonly seconds: number;
}

const settings: Partial<RelaySettings> = {
  sendWindowMs: 1_000,
  deviceExecutionMs: 1_000,
  tickMs: 500,
  circuitRetryMs: 300,
  // No circuit may open, although each trial drops connections.
  circuitFailures: 1_000_000,
};
const leaseTtlMs = 5_000;

export async function runAgain(options: AgainOptions): Promise<Again> {
  const { servers, devices, lanes } = options;
  const startedMs = performance.now();
  const arena = await Arena.open({ servers, leaseTtlMs, settings });
  try {
    const runs = devices.map((device, index) => new AgainLanes(arena, device, options, callsOf(options, index)));
    const laneNumbers = Array.from({ length: lanes }, (_, lane) => lane);
    for (const run of runs) for (const lane of laneNumbers) await run.register(lane);
    const working = runs.flatMap((run) => laneNumbers.map((lane) => run.lane(lane)));
    // If a lane fails, it ends the others, which need the relays until then.
    for (const each of working) each.catch(() => runs.forEach((run) => void run.end()));
    await Promise.allSettled(working);
    await Promise.all(working);
    const verdict = judgeAgain({
      ...(await readEvidence(arena.db)),
      deviceOf: (backend) => devices.find(({ driver }) => backend.startsWith(driver)),
      executions: (await Promise.all(devices.map((device) => device.executions()))).flat(),
      cutShort: (await Promise.all(devices.map((device) => device.cutShort?.() ?? []))).flat(),
      objects: new Map(runs.flatMap(({ objects }) => [...objects])),
      windows: runs.flatMap(({ changes }) => changes.windows),
    });
    const kinds = sumRecords(runs.map((run) => run.kinds));
    return {
      ...verdict,
      trials: Object.values(kinds).reduce((sum, each) => sum + each, 0),
      kinds,
      besides: sumRecords(runs.map((run) => run.besides)),
      drivers: Object.fromEntries(runs.map((run) => [run.driver, run.trials])),
      earlyLooks: sumRecords(runs.map((run) => run.earlyLooks)),
      againCalls: sumRecords(runs.map((run) => run.againCalls)),
      changes: sumRecords(runs.map(({ changes }) => changes.answers)),
      findings: [
        ...verdict.findings,
        ...runs.flatMap(({ findings }) => findings),
        ...arena.unexpected.map((each) => `unexpected: ${each}`),
      ],
      unexpected: arena.unexpected.length,
      seconds: Math.round((performance.now() - startedMs) / 1_000),
    };
  } finally {
    await arena.close();
  }
}

/** A device's share of the calls of each kind. */
function callsOf({ devices, calls }: AgainOptions, index: number): Record<AgainKind, number> {
  const upTo = (kind: AgainKind, end: number): number =>
    devices.slice(0, end).reduce((sum, { shares }) => sum + shares[kind], 0);
  const share = (kind: AgainKind): number => {
    const all = Math.max(1, upTo(kind, devices.length));
    return Math.round((calls * upTo(kind, index + 1)) / all) - Math.round((calls * upTo(kind, index)) / all);
  };
  return { same: share('same'), other: share('other'), removed: share('removed'), reordered: share('reordered') };
}
