// Dead targets do not delay the others. The test uses a fake clock, and a resource (a database, a processor) that all checks share and that
// serves fewer checks than are due.
// needs: load
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { Registry } from 'prom-client';
import { CheckEngine } from '../../../platform/checks/check-engine.ts';
import { createCheckMetrics } from '../../../platform/checks/check-metrics.ts';
import type { CheckObservation, CheckTarget, CheckTenant } from '../../../platform/checks/check-tenant.ts';
import { MemoryLeaseTable } from '../../../platform/checks/memory-leases.ts';
import { type CheckReading, isDown, isUp, type Probe } from '../../../platform/checks/probe.ts';
import { createLogger } from '../../../platform/log/log.ts';
import { newToken } from '../../../platform/values/ids.ts';
import { testEgress } from '../../support/machine/egress.ts';

const [intervalMs, timeoutMs, fall] = [10_000, 5_000, 2];
const boundMs = fall * intervalMs + 1_000;
/** Half of the checks that are due. */
const servedPerSecond = 550;
const count = { closed: 10_000, silent: 1_000, living: 20 };

type Behaviour = 'living' | 'closed' | 'silent';

/** Serves one check after the other, in the order of their start. */
class SharedResource {
  #freeAtMs = 0;

  turn(): Promise<void> {
    const now = performance.now();
    this.#freeAtMs = Math.max(now, this.#freeAtMs) + 1_000 / servedPerSecond;
    return new Promise((resolve) => setTimeout(resolve, this.#freeAtMs - now));
  }
}

function world() {
  const behaviours = new Map<string, Behaviour>();
  for (const [behaviour, number] of Object.entries(count))
    for (let index = 0; index < number; index += 1) behaviours.set(`${behaviour}-${index}`, behaviour as Behaviour);
  const recorded: CheckObservation[] = [];
  const resource = new SharedResource();
  const probe: Probe<object> = {
    ...{ name: 'fake', parameters: {} },
    async check(_parameters, run): Promise<CheckReading> {
      await resource.turn();
      const behaviour = behaviours.get(run.targetId);
      if (behaviour === 'silent') return new Promise(() => undefined);
      return behaviour === 'living' ? isUp : isDown('the connection was refused');
    },
  };
  const tenant: CheckTenant = {
    ...{ name: 'test', probes: [probe], shardCount: 1, slots: 256 },
    listTargets: async () => ({
      cursor: '',
      targets: [...behaviours].map(
        ([id, behaviour]): CheckTarget => ({
          ...{ id, probe: probe.name, parameters: {}, intervalMs, timeoutMs, fall, revision: '' },
          status: behaviour === 'living' ? 'UP' : 'DOWN',
        }),
      ),
    }),
    changesAfter: async (cursor) => ({ targets: [], gone: [], cursor }),
    record: async (batch) => void recorded.push(...batch),
  };
  const owner = newToken();
  const engine = new CheckEngine({
    ...{ tenant, leases: new MemoryLeaseTable().of(owner), owner, egress: testEgress },
    log: createLogger({ level: 'silent', pretty: false }),
    guard: { starvedSince: () => false },
    selfCheck: { passes: async () => true },
    metrics: createCheckMetrics(new Registry()),
  });
  const changes = () =>
    recorded
      .filter(({ status, statusBefore }) => status !== statusBefore)
      .map(({ targetId, status }) => ({ targetId, status }));
  return { behaviours, engine, changes };
}

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

test.each(['closed', 'silent'] as const)(
  'the death of a living target, now %s, is noticed within fall × interval + 1 s beside 11,000 dead targets',
  async (end) => {
    const { behaviours, engine, changes } = world();
    engine.start();
    await jest.advanceTimersByTimeAsync(60_000);
    const living = [...behaviours].filter(([, behaviour]) => behaviour === 'living').map(([id]) => id);
    for (const id of living) behaviours.set(id, end);
    await jest.advanceTimersByTimeAsync(boundMs);
    expect(new Set(changes().map(({ targetId }) => targetId))).toEqual(new Set(living));
    expect(engine.delays().upMs).toBeLessThan(1_000);
    expect(engine.delays().othersMs).toBeGreaterThan(1_000);
    const stopped = engine.stop();
    await jest.advanceTimersByTimeAsync(1_000);
    await stopped;
  },
);
