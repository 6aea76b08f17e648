// The circuit breaker of a backend. It counts failures to connect and log in, never a device that says no. Its state is in
// the backend's row, so that every process and a restart see it; this is the rule.

import type { ReserveFailure } from '../transports/session.ts';
import type { BackendRow } from './backend.ts';

/** Trying again would not help, or would lock an account: only a person, or new credentials, host key or certificate, close it. */
const lasting: ReadonlySet<string> = new Set([
  'AUTH_FAILED',
  'HOST_KEY_MISMATCH',
  'HOST_KEY_UNKNOWN',
  'CERTIFICATE_MISMATCH',
  'CERTIFICATE_UNKNOWN',
  'CERTIFICATE_INVALID',
]);
const ours: ReadonlySet<string> = new Set(['ABORTED', 'CLOSED', 'WINDOW_PASSED']);

/** True when a failure to reserve or send says nothing about the device. */
export function isOurs(failure: ReserveFailure): boolean {
  return ours.has(failure.code);
}

/** True when only a person, or new credentials or host key, can close a circuit opened for this reason. */
export function isLasting(row: Pick<BackendRow, 'circuitReason'>): boolean {
  return lasting.has(row.circuitReason?.split(':')[0] ?? '');
}

export type Passage = 'PASS' | 'TRY' | 'HELD';

/** Whether a call may pass now. TRY: one, to see. */
export function passage(
  row: Pick<BackendRow, 'circuitState' | 'circuitReason' | 'circuitAgeMs'>,
  retryMs: number,
): Passage {
  if (row.circuitState === 'CLOSED') return 'PASS';
  if (isLasting(row)) return 'HELD';
  return (row.circuitAgeMs ?? 0) >= retryMs ? 'TRY' : 'HELD';
}

export class CircuitBreaker {
  readonly #threshold: number;
  #failures = 0;

  constructor(threshold: number) {
    this.#threshold = threshold;
  }

  succeeded(): void {
    this.#failures = 0;
  }

  /** The reason to open with; undefined: not yet. `trying`: the call was let through an open circuit. */
  failed(failure: ReserveFailure, trying: boolean): string | undefined {
    if (isOurs(failure)) return undefined;
    this.#failures += 1;
    if (lasting.has(failure.code)) return `${failure.code}: ${failure.message}`;
    if (trying || this.#failures >= this.#threshold)
      return `${failure.code}: ${failure.message} (${this.#failures} in a row)`;
    return undefined;
  }
}
