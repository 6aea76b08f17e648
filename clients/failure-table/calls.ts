// Failures of a call that changes something on a device: docs/retries.md has the rules.
import type { CallStep, FailureRow } from './row.ts';

const done = { outcome: 'SUCCEEDED', isCarriedOut: true } as const;
const notDone = { outcome: 'REFUSED', isCarriedOut: false } as const;
const call = (step: Omit<CallStep, 'do'>): CallStep => ({ do: 'call', ...step });

export const callRows: readonly FailureRow[] = [
  {
    name: 'answer-lost',
    failure: 'The answer is lost after the call was carried out.',
    right: 'Sends the same request with the same key, and gets the outcome of the first.',
    steps: [call({ plays: [{ kind: 'cut', when: 'after' }], expects: { ...done, sends: [2, 2] } })],
  },
  {
    name: 'half-an-answer',
    failure: 'The connection ends in the middle of the answer.',
    right: 'Takes half an answer for none.',
    steps: [call({ plays: [{ kind: 'cut', when: 'in the answer' }], expects: { ...done, sends: [2, 2] } })],
  },
  {
    name: 'cut-before-the-request',
    failure: 'The connection is cut before the request arrives, twice.',
    right: 'Sends it again with the same key, after pauses.',
    steps: [
      call({
        plays: [
          { kind: 'cut', when: 'before' },
          { kind: 'cut', when: 'before' },
        ],
        expects: { ...done, sends: [3, 3] },
      }),
    ],
  },
  {
    name: 'unavailable',
    failure: 'A load balancer answers 503 with Retry-After, and without GraphQL.',
    right: 'Waits as long as the header says, then sends the same request.',
    steps: [
      call({
        plays: [{ kind: 'page', status: 503, retryAfterSeconds: 1 }],
        expects: { ...done, sends: [2, 2] },
      }),
    ],
  },
  {
    name: 'html-of-a-proxy',
    failure: 'A proxy answers with an HTML page: once with 502, once with 200 after the call was carried out.',
    right: 'Takes a page for no answer.',
    steps: [
      call({
        plays: [
          { kind: 'page', status: 502 },
          { kind: 'page', status: 200, isCarriedOut: true },
        ],
        expects: { ...done, sends: [3, 3] },
      }),
    ],
  },
  {
    name: 'redirect',
    failure: 'The request is redirected to another origin.',
    right: 'Does not follow: the token would get there. Takes it for no answer.',
    steps: [call({ plays: [{ kind: 'redirect' }], expects: { ...done, sends: [2, 2] } })],
  },
  {
    name: 'busy',
    failure: 'The backend is BUSY, with retryAfterMs.',
    right: 'Sends the same request with the same key, not before retryAfterMs.',
    steps: [
      call({
        plays: [
          { kind: 'refusal', code: 'BUSY', retry: 'SAME_KEY', retryAfterMs: 400 },
          { kind: 'refusal', code: 'BUSY', retry: 'SAME_KEY', retryAfterMs: 300 },
        ],
        expects: { ...done, sends: [3, 3] },
      }),
    ],
  },
  {
    name: 'in-progress',
    failure: 'The answer is lost, and the second request meets the first one: IN_PROGRESS.',
    right: 'Sends it again with the same key, until it has the outcome.',
    steps: [
      call({
        plays: [
          { kind: 'cut', when: 'after' },
          { kind: 'refusal', code: 'IN_PROGRESS', retry: 'SAME_KEY', retryAfterMs: 200 },
        ],
        expects: { ...done, sends: [3, 3] },
      }),
    ],
  },
  {
    name: 'rate-limited',
    failure: 'The gateway answers 429 RATE_LIMITED with retryAfterMs.',
    right: 'Waits that long, then sends the same request.',
    steps: [
      call({
        plays: [{ kind: 'error', code: 'RATE_LIMITED', status: 429, retryAfterMs: 500 }],
        expects: { ...done, sends: [2, 2] },
      }),
    ],
  },
  {
    name: 'part-lost',
    failure:
      'A subgraph is lost after it carried the call out, and a bug follows: SUBGRAPH_UNAVAILABLE, then INTERNAL.',
    right: 'Sends the same request with the same key.',
    steps: [
      call({
        plays: [
          { kind: 'error', code: 'SUBGRAPH_UNAVAILABLE', isCarriedOut: true },
          { kind: 'error', code: 'INTERNAL' },
        ],
        expects: { ...done, sends: [3, 3] },
      }),
    ],
  },
  {
    name: 'unknown-code-to-repeat',
    failure: 'A refusal with a code that no client knows, and retry SAME_KEY.',
    right: 'Goes by `retry`, and not by the code.',
    steps: [
      call({
        plays: [{ kind: 'refusal', code: 'LUNAR_ECLIPSE', retry: 'SAME_KEY', retryAfterMs: 200 }],
        expects: { ...done, sends: [2, 2] },
      }),
    ],
  },
  {
    name: 'unknown-code-to-stop',
    failure: 'A refusal with a code that no client knows, and retry NEVER.',
    right: 'Sends nothing more, and says that nothing happened.',
    steps: [
      call({
        plays: [{ kind: 'refusal', code: 'LUNAR_ECLIPSE', retry: 'NEVER' }],
        expects: { ...notDone, sends: [1, 1] },
      }),
    ],
  },
  {
    name: 'a-person-first',
    failure: 'No host key is accepted: SAME_KEY_AFTER_ACTION.',
    right: 'Sends nothing more. Once a person has acted, the same request with the same key is carried out.',
    steps: [
      call({
        plays: [{ kind: 'refusal', code: 'HOST_KEY_UNKNOWN', retry: 'SAME_KEY_AFTER_ACTION' }],
        expects: { ...notDone, sends: [1, 1] },
      }),
      call({ expects: { ...done, sends: [1, 1] } }),
    ],
  },
  {
    name: 'refused-after-a-loss',
    failure: 'The answer is lost after the call was carried out, and the second request is refused with NEVER.',
    right: 'Does not say that nothing happened: the task is open.',
    steps: [
      call({
        plays: [
          { kind: 'cut', when: 'after' },
          { kind: 'refusal', code: 'FORBIDDEN', retry: 'NEVER' },
        ],
        expects: { outcome: 'OPEN', isCarriedOut: true, sends: [2, 2] },
      }),
    ],
  },
  {
    name: 'device-refuses',
    failure: 'The device refuses the call.',
    right: 'Says FAILED. Another attempt is a decision, with a new key.',
    steps: [call({ states: ['FAILED'], expects: { outcome: 'FAILED', isCarriedOut: true, sends: [1, 1] } })],
  },
  {
    name: 'not-sent',
    failure: 'The device could not be reached, so nothing was sent: FAILED with NOT_SENT, and the key is free again.',
    right: 'Sends the same request with the same key.',
    steps: [call({ states: ['NOT_SENT', 'SUCCEEDED'], expects: { ...done, sends: [2, 2] } })],
  },
  {
    name: 'slow-device',
    failure: 'The answer comes before the device has: PENDING, then SENT.',
    right: 'Reads the operation, or sends the same request, until it has ended.',
    steps: [call({ states: ['PENDING', 'SENT', 'SENT', 'SUCCEEDED'], expects: { ...done, sends: [1, 4] } })],
  },
  {
    name: 'unknown-state',
    failure: 'The operation has a state that no client knows.',
    right: 'Takes it for UNKNOWN, or says that the task is open. Never sends it with another key.',
    steps: [
      call({
        deadlineMs: 2_000,
        states: ['HIBERNATING'],
        expects: { outcome: ['UNKNOWN', 'OPEN'], isCarriedOut: true, sends: [1, 100] },
      }),
    ],
  },
  {
    name: 'accepted-job',
    failure: 'The device took a job: ACCEPTED. It ends only if somebody has the relay look.',
    right: 'Sends the same request again, or calls relayOperationSettle without a verdict, until the job has ended.',
    steps: [call({ states: ['ACCEPTED', 'ACCEPTED', 'SUCCEEDED'], expects: { ...done, sends: [1, 3] } })],
  },
  {
    name: 'outcome-not-recorded',
    failure: 'The device answered, and the journal could not be written: OUTCOME_NOT_RECORDED.',
    right: 'Sends the same request with the same key, until the journal has it.',
    steps: [
      call({
        plays: [
          { kind: 'error', code: 'OUTCOME_NOT_RECORDED', isCarriedOut: true, hasOutcome: true },
          { kind: 'error', code: 'UNAVAILABLE' },
        ],
        expects: { ...done, sends: [3, 3] },
      }),
    ],
  },
  {
    name: 'unknown-then-settled',
    failure: 'The call was sent, and nobody knows its outcome. Later a person settles it.',
    right: 'Says UNKNOWN and sends nothing more. The same request later, with the same key, gets the verdict.',
    steps: [
      call({ states: ['UNKNOWN'], expects: { outcome: 'UNKNOWN', isCarriedOut: true, sends: [1, 1] } }),
      call({ before: 'a person settles the call', expects: { ...done, sends: [1, 1] } }),
    ],
  },
  {
    name: 'never-an-answer',
    failure: 'No request gets an answer before the deadline.',
    right: 'Says at its deadline that the task is open: it has neither failed nor succeeded.',
    steps: [
      call({
        deadlineMs: 1_500,
        plays: [
          { kind: 'cut', when: 'after' },
          ...Array.from({ length: 200 }, () => ({ kind: 'cut', when: 'before' }) as const),
        ],
        expects: { outcome: 'OPEN', isCarriedOut: true, sends: [2, 100] },
      }),
    ],
  },
  {
    name: 'silence',
    failure: 'The connection stays open, and no answer comes.',
    right: 'Ends the request, and says by its deadline that the task is open.',
    steps: [
      call({
        deadlineMs: 2_000,
        plays: Array.from({ length: 200 }, () => ({ kind: 'silence' }) as const),
        expects: { outcome: 'OPEN', isCarriedOut: false, sends: [1, 100] },
      }),
    ],
  },
  {
    name: 'token-expires',
    failure: 'The access token expires while the call is repeated.',
    right: 'Gets another one with sessionRefresh, once, and sends the same request with the same key.',
    login: 'password',
    steps: [
      call({
        plays: [
          { kind: 'cut', when: 'after' },
          { kind: 'expire', what: 'access token' },
        ],
        expects: { ...done, sends: [3, 3], refreshes: [1, 1], logins: [1, 1] },
      }),
    ],
  },
  {
    name: 'session-ends',
    failure: 'The session ends: the refresh token is refused, too.',
    right: 'Logs in again with the name and password, and sends the same request with the same key.',
    login: 'password',
    steps: [
      call({
        plays: [{ kind: 'expire', what: 'session' }],
        expects: { ...done, sends: [2, 2], refreshes: [0, 1], logins: [2, 2] },
      }),
    ],
  },
  {
    name: 'wrong-password',
    failure: 'The password is wrong.',
    right: 'Does not try it again and again, and says that nothing happened.',
    login: 'wrong password',
    steps: [call({ expects: { ...notDone, sends: [0, 0], logins: [1, 3] } })],
  },
  {
    name: 'token-revoked',
    failure: 'An API token is no longer accepted.',
    right: 'Sends nothing more, and says that nothing happened.',
    steps: [
      call({
        plays: [{ kind: 'expire', what: 'session' }],
        expects: { ...notDone, sends: [1, 2] },
      }),
    ],
  },
];
