// The settings of two competing relays in the trials. They are as in production, except that leases, deadlines and quiet times are shorter,
// so that a trial takes seconds. The send window is the real one.
import type { RelaySettings } from '../../subgraphs/relay/control/settings.ts';
import type { Window } from './verdict.ts';

const sendWindowMs = 2_000;

const settings: Partial<RelaySettings> = {
  sendWindowMs,
  tickMs: 200,
  recoveryGraceMs: 300,
  deviceExecutionMs: 600,
  // Longer than the send window, within which a paused relay may still send.
  crashQuietMs: 2_500,
  circuitRetryMs: 500,
};
const window: Window = { sendWindowMs, arrivalMs: 1_000 };

export const competition = {
  leaseTtlMs: 1_500,
  settings,
  limits: { deadlineMs: 1_500, concurrency: 2 },
  window,
  /** A client that gets no answer within this time asks the other relay. */
  answerDeadlines: { attemptMs: 3_000, allMs: 30_000 },
} as const;
