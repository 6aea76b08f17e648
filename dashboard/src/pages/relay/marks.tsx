// The icons of operations, backends and verifications.
import type { MappingVerificationResult } from '../../../../generated/dashboard/graphql.ts';
import { type Mark, MarkBadge } from '../../view/icons.tsx';
import type { Backend } from './kinds/backend.ts';
import type { OperationState } from './kinds/operation.ts';

/** Disabled by its owner, or else the result of the last check. */
export type ShownStatus = Backend['operatingStatus'] | 'DISABLED';

const check = 'M3.5 8.5 6.5 11.5 12.5 4.5';
const cross = 'M4.5 4.5 11.5 11.5M11.5 4.5 4.5 11.5';
const question = 'M5.6 6.2a2.4 2.4 0 1 1 3.4 2.2c-.7.3-1 .8-1 1.6M8 12.2v.3';
const arrow = 'M3 8h9M8.5 4.5 12 8l-3.5 3.5';
const clock = 'M8 3.2V8l3 2M14 8A6 6 0 1 1 2 8a6 6 0 0 1 12 0';
const inbox = 'M3 9.5v3h10v-3M8 3v6M5.2 6.4 8 9.2l2.8-2.8';
const barred = 'M14 8A6 6 0 1 1 2 8a6 6 0 0 1 12 0M4 12 12 4';
const pause = 'M6 4v8M10 4v8';
const unequal = 'M3 6h10M3 10h10M10.5 3.5l-5 9';
const hole = 'M14 8A6 6 0 1 1 2 8a6 6 0 0 1 12 0';
/** For a device's proof of identity. */
export const lockPath = 'M4 7.5h8v5.5H4zM5.5 7.5V5.2a2.5 2.5 0 0 1 5 0v2.3';

export const stateMarks: Readonly<Record<OperationState, Mark>> = {
  PENDING: { tone: 'calm', path: clock },
  RUNNING: { tone: 'busy', path: arrow },
  PAUSED: { tone: 'calm', path: pause },
  CANCELLED: { tone: 'calm', path: barred },
  SENT: { tone: 'busy', path: arrow },
  ACCEPTED: { tone: 'busy', path: inbox },
  UNKNOWN: { tone: 'odd', path: question },
  FAILED: { tone: 'bad', path: cross },
  SUCCEEDED: { tone: 'good', path: check },
  REJECTED: { tone: 'warn', path: barred },
};

const statusMarks: Readonly<Record<ShownStatus, Mark>> = {
  ONLINE: { tone: 'good', path: check },
  DEGRADED: { tone: 'warn', path: unequal },
  DRAINING: { tone: 'busy', path: arrow },
  ERROR: { tone: 'bad', path: cross },
  NO_MONITOR: { tone: 'calm', path: hole },
  OFFLINE: { tone: 'bad', path: cross },
  UNKNOWN: { tone: 'calm', path: question },
  DISABLED: { tone: 'calm', path: pause },
};

export const resultMarks: Readonly<Record<MappingVerificationResult, Mark>> = {
  MATCHES: { tone: 'good', path: check },
  DRIFTED: { tone: 'warn', path: unequal },
  MISSING: { tone: 'bad', path: hole },
};

export function StateBadge({ state }: { readonly state: OperationState }) {
  return <MarkBadge mark={stateMarks[state]} word={state} />;
}

export function StatusBadge({ status }: { readonly status: ShownStatus }) {
  return <MarkBadge mark={statusMarks[status]} word={status} />;
}

export function ResultBadge({ result }: { readonly result: MappingVerificationResult }) {
  return <MarkBadge mark={resultMarks[result]} word={result} />;
}
