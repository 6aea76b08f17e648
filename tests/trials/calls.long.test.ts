// A bounded sample of the proof of relayed calls, and the judge itself; the complete proof is `npm run trials -- calls`.
import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { DeviceLogEntry } from '../../lab/device-log.ts';
import { encodeId } from '../../platform/values/ids.ts';
import { DeviceTail } from '../../trials/calls/device-tail.ts';
import { read } from '../../trials/calls/gateway-client.ts';
import { type Evidence, type JournalRow, judge } from '../../trials/calls/verdict.ts';
import { runCallTrials } from '../../trials/calls.ts';
import { labUnavailable } from '../support/machine/lab.ts';
import { labFolder } from '../support/machine/lab-folders.ts';
import { type TemporaryFolder, temporaryFolder } from '../support/machine/temporary-folder.ts';

const obstacle = labUnavailable();
const describeTrials = obstacle === undefined ? describe : describe.skip;

describeTrials(`calls under failures${obstacle === undefined ? '' : ` (skipped: ${obstacle})`}`, () => {
  let folder: TemporaryFolder;
  let labPath: string;
  beforeAll(async () => {
    folder = await temporaryFolder();
    labPath = await labFolder();
  });
  afterAll(() => Promise.all([folder.remove(), rm(labPath, { recursive: true, force: true })]));

  test('each part is killed once: nothing lost, nothing repeated, no unsent call is UNKNOWN', async () => {
    const seed = Math.floor(Math.random() * 2 ** 31);
    const result = await runCallTrials({ seed, trials: 5, folder: folder.path, labFolder: labPath });
    const clean = {
      lost: 0,
      repeated: 0,
      falseUnknown: 0,
      notFinal: 0,
      wrongRejected: 0,
      unanswered: 0,
      unexpected: 0,
      invariants: 0,
      notReady: 0,
    };
    expect(result).toMatchObject({ seed, trials: 5, ...clean, failed: 0, findings: [] });
    expect(Object.values(result.kills).every((times) => times > 0)).toBe(true);
    expect(result.acknowledged).toBeGreaterThan(20);
  });
});

describe('the judge', () => {
  const ids = ['a', 'b', 'c', 'd'].map((letter) => `01900000-0000-7000-8000-00000000000${letter}`) as [
    string,
    string,
    string,
    string,
  ];
  const [done, unknown, unsent, other] = ids;
  const sentAtMs = Date.UTC(2026, 0, 1);
  const row = (id: string, key: string, state: string, more: Partial<JournalRow> = {}): JournalRow => ({
    ...{ id, key, state, errorCode: null, settledBy: 'reply', owner: 'alive', mappingState: null },
    ...{ sentAtMs, deadlineAtMs: sentAtMs + 2_000, ...more },
  });

  /** One call that succeeded, one that was lost with its process, one that was refused unsent; all correct. */
  function evidence(): { -readonly [Field in keyof Evidence]: Evidence[Field] } & {
    device: Map<string, { received: number; applied: number }>;
  } {
    return {
      answers: [
        { key: 'k1', outcome: 'SUCCEEDED', operationId: done },
        { key: 'k2', outcome: 'UNKNOWN', operationId: unknown },
      ],
      journal: [
        row(done, 'k1', 'SUCCEEDED', { mappingState: 'ACTIVE' }),
        row(unknown, 'k2', 'UNKNOWN', { owner: 'dead', settledBy: 'recovery', mappingState: 'UNVERIFIED' }),
        row(unsent, 'k3', 'REJECTED', { owner: 'dead', sentAtMs: null }),
      ],
      keys: new Map([
        ['k1', done],
        ['k2', unknown],
      ]),
      device: new Map([[done, { received: 1, applied: 1 }]]),
      disturbances: [],
      lives: [
        { owner: 'alive', endedAtMs: undefined },
        { owner: 'dead', endedAtMs: sentAtMs + 5 },
      ],
    };
  }
  const replace = (journal: readonly JournalRow[], changed: JournalRow) =>
    journal.map((each) => (each.id === changed.id ? changed : each));

  test('finds no fault in correct evidence', () => {
    const clean = { lost: 0, repeated: 0, falseUnknown: 0, notFinal: 0, wrongRejected: 0 };
    expect(judge(evidence())).toMatchObject({
      operations: 3,
      acknowledged: 1,
      unknown: 1,
      unknownUnseen: 1,
      ...clean,
      findings: [],
    });
  });

  test('lost: acknowledged, but never on the device', () => {
    const log = evidence();
    log.device.delete(done);
    expect(judge(log)).toMatchObject({ lost: 1, repeated: 0, falseUnknown: 0 });
  });

  test.each([
    ['not in the journal', (log: Evidence) => ({ ...log, journal: log.journal.slice(1) })],
    [
      'another state in the journal',
      (log: Evidence) => ({
        ...log,
        journal: replace(log.journal, row(done, 'k1', 'UNKNOWN', { mappingState: 'UNVERIFIED' })),
      }),
    ],
    ['no mapping', (log: Evidence) => ({ ...log, journal: replace(log.journal, row(done, 'k1', 'SUCCEEDED')) })],
    ['a key of another operation', (log: Evidence) => ({ ...log, keys: new Map([['k1', other]]) })],
    ['no key', (log: Evidence) => ({ ...log, keys: new Map() })],
  ])('lost: acknowledged, with %s', (_what, doctor) => {
    expect(judge(doctor(evidence())).lost).toBe(1);
  });

  test('repeated: applied twice, received twice, or one key applied by two operations', () => {
    for (const record of [
      { received: 2, applied: 2 },
      { received: 2, applied: 1 },
    ]) {
      const log = evidence();
      log.device.set(done, record);
      expect(judge(log).repeated).toBe(1);
    }
    const log = evidence();
    log.journal = [...log.journal, row(other, 'k1', 'UNKNOWN', { owner: 'dead' })];
    log.device.set(other, { received: 1, applied: 1 });
    expect(judge(log)).toMatchObject({ repeated: 1, lost: 0 });
  });

  test('falseUnknown: never journaled as sent, or its process lived and the device never saw it', () => {
    const log = evidence();
    log.journal = replace(log.journal, row(unknown, 'k2', 'UNKNOWN', { owner: 'dead', sentAtMs: null }));
    expect(judge(log)).toMatchObject({ falseUnknown: 1, lost: 0, repeated: 0 });
    log.journal = replace(log.journal, row(unknown, 'k2', 'UNKNOWN'));
    expect(judge(log).falseUnknown).toBe(1);
    log.device.set(unknown, { received: 1, applied: 0 });
    expect(judge(log).falseUnknown).toBe(0);
  });

  test('a call whose connection the device cut with another one is not provably unsent', () => {
    const log = evidence();
    log.journal = replace(log.journal, row(unknown, 'k2', 'UNKNOWN', { settledBy: 'connection' }));
    log.disturbances = [{ atMs: sentAtMs + 50, hang: false }];
    expect(judge(log)).toMatchObject({ falseUnknown: 0, cutOff: 1 });
    log.disturbances = [{ atMs: sentAtMs - 60_000, hang: false }];
    expect(judge(log)).toMatchObject({ falseUnknown: 1, cutOff: 0 });
  });

  test('notFinal and wrongRejected', () => {
    const log = evidence();
    log.journal = replace(log.journal, row(unknown, 'k2', 'SENT'));
    log.device.set(unsent, { received: 1, applied: 0 });
    expect(judge(log)).toMatchObject({ notFinal: 1, wrongRejected: 1 });
    log.journal = replace(log.journal, row(unsent, 'k3', 'FAILED', { errorCode: 'NOT_SENT' }));
    expect(judge(log).wrongRejected).toBe(1);
    log.device.set(unsent, { received: 1, applied: 1 });
    log.journal = replace(log.journal, row(unsent, 'k3', 'FAILED', { errorCode: 'DEVICE_ERROR' }));
    expect(judge(log).wrongRejected).toBe(1);
  });
});

describe("the device's log", () => {
  const operationId = '01900000-0000-7000-8000-00000000000a';
  const stdin = `{"nftables":[{"add":{"rule":{"comment":"tg:${operationId} call-1"}}}]}`;
  const line = (id: string, entry: object) => ({ id, atMs: 1, kind: 'apply', ...entry }) as DeviceLogEntry;

  test('counts arrivals and applied calls, by the mark of the call', () => {
    const tail = new DeviceTail('/nonexistent');
    tail.take(line('1', { phase: 'received', args: [], stdin }));
    expect(tail.records.get(operationId)).toEqual({ received: 1, applied: 0 });
    tail.take(line('1', { phase: 'applied', exit: 0 }));
    tail.take(line('2', { phase: 'received', args: [], stdin }));
    tail.take(line('2', { phase: 'applied', exit: 1 }));
    expect(tail.records.get(operationId)).toEqual({ received: 2, applied: 1 });
    tail.take(line('3', { phase: 'received', args: [], stdin, kind: 'dry-run' }));
    expect(tail.records.get(operationId)).toEqual({ received: 2, applied: 1 });
  });
});

describe('the retry contract', () => {
  const answer = (state: string, code?: string) => ({
    data: {
      call: {
        operation: {
          id: encodeId('RelayOperation', '01900000-0000-7000-8000-00000000000a'),
          state,
          deviceError: code === undefined ? null : { code, message: 'why' },
        },
        userErrors: [],
      },
    },
  });
  const refused = (code: string, retry: string, retryAfterMs: number | null) => ({
    data: { call: { operation: null, userErrors: [{ code, message: 'why', retry, retryAfterMs }] } },
  });
  const lost = (code: string) => ({ data: null, errors: [{ message: 'lost', extensions: { code } }] });

  test.each([
    ['SUCCEEDED ends it', answer('SUCCEEDED'), { kind: 'ended', state: 'SUCCEEDED' }],
    ['UNKNOWN ends it: it is never repeated', answer('UNKNOWN', 'OWNER_LOST'), { kind: 'ended', state: 'UNKNOWN' }],
    ['a refusal by the device ends it', answer('FAILED', 'EXISTS'), { kind: 'ended', state: 'FAILED' }],
    ['an unsent call is sent again', answer('FAILED', 'NOT_SENT'), { kind: 'again', why: 'NOT_SENT' }],
    ['so is a rejected one', answer('REJECTED', 'OWNER_LOST'), { kind: 'again', why: 'REJECTED' }],
    ['a call under way is repeated', answer('SENT'), { kind: 'again', why: 'SENT' }],
    ['a refusal gives the time', refused('BUSY', 'SAME_KEY', 700), { kind: 'again', afterMs: 700 }],
    ['a final refusal is not expected here', refused('NOT_FOUND', 'NEVER', null), { kind: 'unexpected' }],
    ['a lost part', lost('SUBGRAPH_UNAVAILABLE'), { kind: 'again' }],
    ['an outcome that could not be recorded', lost('OUTCOME_NOT_RECORDED'), { kind: 'again' }],
    ['a bug', lost('INTERNAL'), { kind: 'unexpected' }],
  ])('%s', (_what, body, reply) => {
    expect(read(body)).toMatchObject(reply);
  });
});
