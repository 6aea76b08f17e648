// The circuit breaker of a backend. It counts failures to connect and log in, never refusals by the device. Its state is in the
// backend's row, where every process finds it, also after a restart; this file has the rules.
import type { ReserveFailure } from '../../../../platform/net/send.ts';
import type { BackendRow } from './backend.ts';

/**
 * Trying again would not help, or would lock an account: only a person, or new credentials, a new host key or certificate, closes
 * it.
 */
const lasting: ReadonlySet<string> = new Set([
  'AUTH_FAILED',
  'HOST_KEY_MISMATCH',
  'HOST_KEY_UNKNOWN',
  'CERTIFICATE_MISMATCH',
  'CERTIFICATE_UNKNOWN',
  'CERTIFICATE_INVALID',
]);
const ours: ReadonlySet<string> = new Set(['ABORTED', 'CLOSED', 'WINDOW_PASSED']);

/** True when a failure to reserve or send comes from a change here, and is over in a moment. */
export function isOurs(failure: ReserveFailure): boolean {
  return ours.has(failure.code);
}

/** True when a circuit opened by such a failure stays open until a person, or new credentials or a new host key, closes it. */
export function isLasting(failure: { readonly code: string }): boolean {
  return lasting.has(failure.code);
}

type Passage = 'PASS' | 'TRY' | 'HELD';

/** Whether a call may pass now. TRY: one trial call. */
export function passage(
  row: Pick<BackendRow, 'circuitState' | 'circuitLasting' | 'circuitAgeMs'>,
  retryMs: number,
): Passage {
  if (row.circuitState === 'CLOSED') return 'PASS';
  if (row.circuitLasting) return 'HELD';
  // Opened in the future: the clock was set back since.
  const ageMs = row.circuitAgeMs ?? 0;
  return ageMs >= retryMs || ageMs < 0 ? 'TRY' : 'HELD';
}

/** The circuit in a backend's row. */
export type Circuit = Pick<BackendRow, 'circuitState' | 'circuitReason' | 'circuitLasting'>;

export const closedCircuit: Circuit = { circuitState: 'CLOSED', circuitReason: null, circuitLasting: false };

export function openCircuit(reason: string, isForGood: boolean): Circuit {
  return { circuitState: 'OPEN', circuitReason: reason.slice(0, 1024), circuitLasting: isForGood };
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

  /** The open circuit after a failure. Undefined if it stays closed. `trying`: the call was let through an open circuit. */
  failed(failure: ReserveFailure, trying: boolean): Circuit | undefined {
    if (isOurs(failure) || failure.code === 'SOURCE_MISSING') return undefined;
    this.#failures += 1;
    const { code, message } = failure;
    if (isLasting(failure)) return openCircuit(`${code}: ${message}`, true);
    if (trying || this.#failures >= this.#threshold)
      return openCircuit(`${code}: ${message} (${this.#failures} in a row)`, false);
    return undefined;
  }
}
