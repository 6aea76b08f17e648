// Failures of a stream of status changes. A client reads `statusCursor`, then its snapshot, then subscribes after the cursor.
import type { FailureRow, FollowStep } from './row.ts';

const follow = (step: Omit<FollowStep, 'do'>): FollowStep => ({ do: 'follow', ...step });

export const streamRows: readonly FailureRow[] = [
  {
    name: 'event-at-the-snapshot',
    failure: 'Something changes between the cursor and the snapshot.',
    right: 'Reads the cursor first, in a request of its own, so that no change falls between the two.',
    steps: [
      follow({
        hasEventAtSnapshot: true,
        openings: [{ live: 1 }],
        expects: { saw: ['snapshot 1', 'event 1?', 'event 2'], subscriptions: [1, 1] },
      }),
    ],
  },
  {
    name: 'gateway-restarted',
    failure: 'The gateway stops in the middle of the stream, and more happens before it is back.',
    right: 'Subscribes again after its last cursor: nothing is lost, and nothing comes twice.',
    steps: [
      follow({
        openings: [
          { live: 2, end: 'the gateway stops' },
          { play: { kind: 'cut', when: 'before' } },
          { play: { kind: 'page', status: 503 } },
          { away: 2, live: 1 },
        ],
        expects: {
          saw: ['snapshot 0', 'event 1', 'event 2', 'event 3', 'event 4', 'event 5'],
          subscriptions: [4, 4],
        },
      }),
    ],
  },
  {
    name: 'cut-stream',
    failure: 'The connection is cut: between two events, then in the middle of one.',
    right: 'Takes half an event for none, and subscribes again after its last cursor.',
    steps: [
      follow({
        openings: [{ live: 1, end: 'cut' }, { away: 1, live: 1, end: 'cut in an event' }, { live: 1 }],
        expects: {
          saw: ['snapshot 0', 'event 1', 'event 2', 'event 3', 'event 4'],
          subscriptions: [3, 3],
        },
      }),
    ],
  },
  {
    name: 'silent-stream',
    failure: 'The stream falls silent without an end: not even a sign of life comes.',
    right: 'Subscribes again after its last cursor.',
    steps: [
      follow({
        openings: [
          { live: 1, end: 'silence' },
          { away: 1, live: 1 },
        ],
        expects: {
          saw: ['snapshot 0', 'event 1', 'event 2', 'event 3'], // On a busy machine a sign of life may come too late.
          subscriptions: [2, 6],
        },
      }),
    ],
  },
  {
    name: 'checkpoint',
    failure:
      'An item moves the cursor alone. Then the gateway stops, and what was before that cursor is no longer kept.',
    right: 'Takes the cursor of each item, and so needs no new snapshot.',
    steps: [
      follow({
        openings: [
          { live: 3, items: 'the last one is only a checkpoint', end: 'the gateway stops' },
          { away: 1, live: 1 },
        ],
        expects: {
          saw: ['snapshot 0', 'event 1', 'event 2', 'event 4', 'event 5'],
          subscriptions: [2, 2],
        },
      }),
    ],
  },
  ...(['CURSOR_EXPIRED', 'RESYNC_REQUIRED', 'INVALID_CURSOR'] as const).map(
    (code): FailureRow => ({
      name: code.toLowerCase().replace('_', '-'),
      failure: {
        CURSOR_EXPIRED: 'The events after the cursor are no longer kept when the client comes back.',
        RESYNC_REQUIRED: 'A failover has rewritten the history when the client comes back.',
        INVALID_CURSOR: 'The key that sealed the cursor was retired when the client comes back.',
      }[code],
      right: 'Reads a new cursor and a new snapshot, passes the snapshot on as one, and goes on from there.',
      steps: [
        follow({
          openings: [{ live: 1, end: 'the gateway stops' }, { away: 2, play: { kind: 'error', code } }, { live: 1 }],
          expects: { saw: ['snapshot 0', 'event 1', 'snapshot 3', 'event 4'], subscriptions: [3, 3] },
        }),
      ],
    }),
  ),
  {
    name: 'event-not-readable',
    failure: 'An event comes as errors with its cursor, and the gateway stops.',
    right: 'Reads a new snapshot, and goes on after that cursor.',
    steps: [
      follow({
        openings: [
          { live: 2, items: 'the last one can not be read', end: 'the gateway stops' },
          { away: 1, live: 1 },
        ],
        expects: {
          saw: ['snapshot 0', 'event 1', 'snapshot 2', 'event 3', 'event 4'],
          subscriptions: [2, 2],
        },
      }),
    ],
  },
  {
    name: 'sent-twice',
    failure: 'After the gateway was back, an event comes that came before, with another cursor.',
    right: 'Knows it by its id, and passes it on once.',
    steps: [
      follow({
        openings: [
          { live: 2, end: 'the gateway stops' },
          { away: 1, live: 1, items: 'the first one was sent before' },
        ],
        expects: {
          saw: ['snapshot 0', 'event 1', 'event 2', 'event 3', 'event 4'],
          subscriptions: [2, 2],
        },
      }),
    ],
  },
  {
    name: 'stream-token-expires',
    failure: 'The access token expires while the stream is open.',
    right: 'Gets another one with sessionRefresh, and subscribes again after its last cursor.',
    login: 'password',
    steps: [
      follow({
        openings: [
          { live: 2, end: 'the token expires' },
          { away: 1, live: 1 },
        ],
        expects: {
          saw: ['snapshot 0', 'event 1', 'event 2', 'event 3', 'event 4'],
          subscriptions: [2, 3],
          refreshes: [1, 1],
          logins: [1, 1],
        },
      }),
    ],
  },
  {
    name: 'rights-change',
    failure: 'The rights of the user change while the stream is open.',
    right: 'Reads a new cursor and a new snapshot, which may show other things, and goes on from there.',
    steps: [
      follow({
        openings: [{ live: 1, end: 'the rights change' }, { live: 1 }],
        expects: { saw: ['snapshot 0', 'event 1', 'snapshot 1', 'event 2'], subscriptions: [2, 2] },
      }),
    ],
  },
  {
    name: 'stream-rate-limited',
    failure: 'A subscription is answered with 429 RATE_LIMITED and retryAfterMs.',
    right: 'Subscribes again after that time.',
    steps: [
      follow({
        openings: [
          { play: { kind: 'error', code: 'RATE_LIMITED', status: 429, retryAfterMs: 500 } },
          { away: 1, live: 1 },
        ],
        expects: { saw: ['snapshot 0', 'event 1', 'event 2'], subscriptions: [2, 2] },
      }),
    ],
  },
  {
    name: 'stream-refused',
    failure: 'The subscription is refused: its user may not have it.',
    right: 'Gives up, and says with which code it was refused.',
    steps: [
      follow({
        openings: [{ play: { kind: 'error', code: 'FORBIDDEN' } }],
        expects: { saw: ['snapshot 0', 'snapshot 0?'], gaveUp: 'FORBIDDEN', subscriptions: [1, 2] },
      }),
    ],
  },
  {
    name: 'slow-consumer',
    failure: 'Many large events come while the program that uses the client is busy.',
    right: 'Reads no more than it can pass on: the gateway keeps the place. Nothing is lost.',
    steps: [
      follow({
        deadlineMs: 30_000,
        consumerPauseMs: 2_000,
        openings: [{ live: 64, items: 'large' }],
        expects: {
          saw: ['snapshot 0', ...Array.from({ length: 64 }, (_, index) => `event ${index + 1}`)],
          subscriptions: [1, 1],
        },
      }),
    ],
  },
];
