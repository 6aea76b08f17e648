// Failures while a client waits for the end of long work (`LongRunning` in the graph).
import type { FailureRow } from './row.ts';

export const waitRows: readonly FailureRow[] = [
  {
    name: 'wait-through-failures',
    failure: 'Reads of work under way are lost, answered with 503, and limited.',
    right: 'Reads again until the work has ended.',
    steps: [
      {
        do: 'wait',
        states: ['PENDING', 'RUNNING', 'RUNNING', 'SUCCEEDED'],
        plays: [
          { kind: 'cut', when: 'before' },
          { kind: 'answer' },
          { kind: 'page', status: 503 },
          { kind: 'error', code: 'RATE_LIMITED', status: 429, retryAfterMs: 300 },
          { kind: 'cut', when: 'in the answer' },
        ],
        expects: { outcome: 'SUCCEEDED', reads: [6, 8] },
      },
    ],
  },
  {
    name: 'wait-for-a-job',
    failure: 'The work is a job on a device: ACCEPTED until somebody has the relay look.',
    right: 'Calls relayOperationSettle without a verdict until the job has ended.',
    steps: [
      {
        do: 'wait',
        states: ['ACCEPTED', 'ACCEPTED', 'SUCCEEDED'],
        expects: { outcome: 'SUCCEEDED', reads: [1, 20] },
      },
    ],
  },
  {
    name: 'wait-for-an-unknown-state',
    failure: 'The work has a state that no client knows, and has not ended.',
    right: 'Waits on: `finishedAt` is null.',
    steps: [
      {
        do: 'wait',
        states: ['RUNNING', 'HIBERNATING', 'HIBERNATING', 'FAILED'],
        expects: { outcome: 'FAILED', reads: [4, 4] },
      },
    ],
  },
  {
    name: 'wait-too-long',
    failure: 'The work does not end before the timeout.',
    right: 'Says at the timeout that it is open, and not before.',
    steps: [{ do: 'wait', states: ['RUNNING'], timeoutMs: 1_000, expects: { outcome: 'OPEN', reads: [2, 100] } }],
  },
];
