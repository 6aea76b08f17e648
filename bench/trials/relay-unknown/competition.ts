// How two relays compete in the trials: as in production, only that leases, deadlines and quiet times are shorter, so that a
// trial is over in seconds. The send window is the real one.
import type { RelaySettings } from '../../../subgraphs/relay/settings.ts';
import type { Window } from './verdict.ts';

const sendWindowMs = 2_000;

const settings: Partial<RelaySettings> = {
  sendWindowMs,
  tickMs: 200,
  recoveryGraceMs: 300,
  deviceExecutionMs: 600,
  // More than the send window: a relay that was paused may send until then.
  crashQuietMs: 2_500,
  circuitRetryMs: 500,
};
const window: Window = { sendWindowMs, arrivalMs: 1_000 };

export const competition = {
  leaseTtlMs: 1_500,
  settings,
  limits: { deadlineMs: 1_500, concurrency: 2 },
  window,
  /** A client that gets no answer for so long asks the other relay. */
  answerDeadlines: { attemptMs: 3_000, allMs: 30_000 },
} as const;
