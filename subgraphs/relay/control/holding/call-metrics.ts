// Counts calls for Prometheus as they end, by driver and operation.
import { Counter, Histogram, Registry } from 'prom-client';
import type { SlowLog } from '../../../../platform/log/slow-log.ts';
import type { OperationState } from '../../rules/states.ts';

interface CallIds {
  readonly callId: string;
  readonly backendId: string;
}

export interface CallMetrics {
  /** `tookMs`: from the first attempt to send it to its verdict; undefined for a call that was never sent. `ids`: for the slow log. */
  ended(driver: string, operation: string, outcome: OperationState, tookMs?: number, ids?: CallIds): void;
  /** Counts an UNKNOWN or ACCEPTED call that was settled, by a look at the device or by a person. */
  settled(driver: string, operation: string, outcome: OperationState, by: 'probe' | 'operator'): void;
}

/** Without a registry, the counts are not exported. */
export function createCallMetrics(registry: Registry = new Registry(), slow?: SlowLog): CallMetrics {
  const registers = [registry];
  const calls = new Counter({
    name: 'tidegate_relay_calls_total',
    help: 'Calls that this process ended, by the state they ended in; REJECTED: never sent. What recovery does later is not counted.',
    labelNames: ['driver', 'operation', 'outcome'],
    registers,
  });
  const seconds = new Histogram({
    name: 'tidegate_relay_call_seconds',
    help: 'How long sent calls took until their verdict.',
    labelNames: ['driver', 'operation'],
    buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 120, 600],
    registers,
  });
  const settlements = new Counter({
    name: 'tidegate_relay_settlements_total',
    help: 'UNKNOWN and ACCEPTED calls that this process settled, by the state they ended in; by: probe (the device was read) or operator.',
    labelNames: ['driver', 'operation', 'outcome', 'by'],
    registers,
  });
  return {
    ended(driver, operation, outcome, tookMs, ids) {
      calls.inc({ driver, operation, outcome });
      if (tookMs === undefined) return;
      seconds.observe({ driver, operation }, tookMs / 1000);
      if (slow?.isSlow(tookMs) === true) slow.add('relay call', tookMs, { driver, operation, outcome, ...ids });
    },
    settled(driver, operation, outcome, by) {
      settlements.inc({ driver, operation, outcome, by });
    },
  };
}
