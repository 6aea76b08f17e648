// A bounded sample of the proof of starts and stops, and its judge; the complete proof is `npm run trials -- stops`.
import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { inNamespace } from '../../lab/exec.ts';
import type { Reply } from '../../trials/calls/gateway-client.ts';
import { noAnswer } from '../../trials/calls/gateway-client.ts';
import type { Attempt } from '../../trials/calls/stream.ts';
import type { JournalRow } from '../../trials/calls/verdict.ts';
import { NftMonitor } from '../../trials/stops/nft-monitor.ts';
import { count, type Evidence, judge } from '../../trials/stops/verdict.ts';
import { runStopTrials, type StopTrialsOptions } from '../../trials/stops.ts';
import { labUnavailable } from '../support/machine/lab.ts';
import { labFolder } from '../support/machine/lab-folders.ts';
import { type TemporaryFolder, temporaryFolder } from '../support/machine/temporary-folder.ts';

const clean = {
  ...{ lost: 0, repeated: 0, eventGaps: 0, hung: 0, notRecovered: 0, wrongAnswers: 0, uncoded: 0 },
  endedProcesses: 0,
};
const obstacle = labUnavailable();
const describeTrials = obstacle === undefined ? describe : describe.skip;

describeTrials(`the whole system${obstacle === undefined ? '' : ` (skipped: ${obstacle})`}`, () => {
  let folder: TemporaryFolder;
  let labPath: string;
  beforeAll(async () => {
    folder = await temporaryFolder();
    labPath = await labFolder();
  });
  afterAll(() => Promise.all([folder.remove(), rm(labPath, { recursive: true, force: true })]));

  function run(options: Pick<StopTrialsOptions, 'trials' | 'only' | 'sabotage'>) {
    const seed = Math.floor(Math.random() * 2 ** 31);
    return runStopTrials({ ...options, seed, folder: folder.path, labFolder: labPath });
  }

  test('stopped, killed, and its database killed: nothing lost, nothing repeated, no event missing', async () => {
    const result = await run({ trials: 4, only: ['terminate', 'killEverything', 'killService', 'killMariadb'] });
    expect(result).toMatchObject({ trials: 4, ...clean, findings: [] });
    expect(result.operations).toBeGreaterThan(10);
    expect(result.events).toBeGreaterThan(result.operations);
  });

  test('its oracle notices a discarded write, a call that is reported twice, and a skipped event', async () => {
    const result = await run({
      trials: 1,
      only: ['killRedis'],
      async sabotage({ lab, db, answers, received }) {
        const done = answers.flatMap(({ outcome, operationId }) =>
          outcome === 'SUCCEEDED' ? (operationId ?? []) : [],
        );
        const [thrownAway = '', toldTwice = ''] = done;
        for (const where of ['mapping WHERE operation_id', 'idempotency_key WHERE call_id', 'operation WHERE id'])
          await db.execute(`DELETE FROM ${where} = ?`, [thrownAway]);
        const rule = `add rule inet filter forward ip saddr 10.9.9.9 drop comment "tg:${toldTwice} again"`;
        expect(await inNamespace(lab.firewall.namespace, 'nft', [rule])).toMatchObject({ exitCode: 0 });
        const [first] = received;
        first?.splice(
          first.findIndex(({ event }) => event !== undefined),
          1,
        );
      },
    });
    // Compared by their text, because a number alone would not show the other findings.
    const ofStreams = result.findings.filter((each) => each.startsWith('eventGaps'));
    expect(ofStreams).toEqual(['eventGaps: gaps of a stream: 1']);
    expect(result).toMatchObject({ trials: 1, hung: 0, notRecovered: 0, uncoded: 0, eventGaps: 1 });
    expect(result.findings).toEqual(
      expect.arrayContaining([
        expect.stringContaining('it is not in the journal'),
        expect.stringContaining('applied it 2 times'),
      ]),
    );
  });
});

describe('the judge', () => {
  const [done, other] = ['01900000-0000-7000-8000-00000000000a', '01900000-0000-7000-8000-00000000000b'];
  const atMs = Date.UTC(2026, 0, 1);
  const request = { key: 'k1', kind: 'rule', number: 1 } as const;
  const attempt = (reply: Reply, fromMs = 0): Attempt => ({
    ...{ request, reply, startedAtMs: atMs + fromMs, endedAtMs: atMs + fromMs + 200 },
  });
  const ended: Reply = { kind: 'ended', state: 'SUCCEEDED', operationId: done };
  const again = (why: string): Reply => ({ kind: 'again', why, afterMs: 100 });
  const row: JournalRow = {
    ...{ id: done, key: 'k1', state: 'SUCCEEDED', errorCode: null, settledBy: 'reply', owner: 'o' },
    ...{ sentAtMs: atMs, deadlineAtMs: atMs + 2_000, mappingState: 'ACTIVE' },
  };
  /** One call that succeeded, and its event. */
  const good: Evidence = {
    answers: [{ key: 'k1', outcome: 'SUCCEEDED', operationId: done }],
    attempts: [attempt(again('UNAVAILABLE')), attempt(ended, 100)],
    again: [attempt(ended, 5_000)],
    reads: [{ reply: undefined, startedAtMs: atMs, endedAtMs: atMs + 1 }],
    drains: [{ fromMs: atMs + 150, toMs: atMs + 1_000 }],
    journal: [row],
    keys: new Map([['k1', done]]),
    received: new Map([[done, { received: 1 }]]),
    applied: new Map([[done, { times: 1, firstAtMs: atMs + 105 }]]),
    streams: [{ items: [], wanted: [], faults: [] }],
    brokenInvariants: [],
  };

  test.each<readonly [string, Partial<Evidence>, Partial<typeof clean>]>([
    ['nothing in correct evidence', {}, {}],
    ['a call that the device never got', { received: new Map(), applied: new Map() }, { lost: 2 }],
    ['a key without its result', { again: [attempt(again('UNAVAILABLE'))] }, { lost: 1 }],
    ['a key with another result', { again: [attempt({ ...ended, operationId: other })] }, { wrongAnswers: 1 }],
    [
      'a call applied twice',
      { applied: new Map([[done, { times: 2, firstAtMs: atMs + 105 }]]) },
      { lost: 2, repeated: 1 },
    ],
    [
      'a refusal of what was told',
      { applied: new Map([[done, { times: 1, firstAtMs: atMs + 50 }]]) },
      { wrongAnswers: 1 },
    ],
    ['a request without an answer', { attempts: [attempt(again(noAnswer)), attempt(ended)] }, { hung: 1 }],
    [
      'a request that a stop cut',
      { attempts: [attempt(again('network: ECONNRESET')), attempt(ended)] },
      { uncoded: 1 },
    ],
    ['but not one that found nobody', { attempts: [attempt(again('network: ECONNREFUSED')), attempt(ended)] }, {}],
    [
      'nor one that had hardly been made',
      { attempts: [attempt(ended), attempt(again('network: ECONNRESET'), 100)] },
      {},
    ],
    ['nor one that a kill cut', { attempts: [attempt(again('network: ECONNRESET')), attempt(ended)], drains: [] }, {}],
    [
      'an answer without a code',
      { attempts: [attempt({ kind: 'unexpected', what: 'x' }), attempt(ended)] },
      { uncoded: 1 },
    ],
    [
      'a read without an answer',
      { reads: [{ reply: again(noAnswer), startedAtMs: atMs, endedAtMs: atMs + 30_000 }] },
      { hung: 1 },
    ],
    ['a stream that ended', { streams: [{ items: [], wanted: [], faults: ['ended'] }] }, { eventGaps: 1 }],
    ['a broken invariant', { brokenInvariants: ['not so'] }, { wrongAnswers: 1 }],
  ])('finds %s', (_what, changed, figures) => {
    expect(count(judge({ ...good, ...changed }))).toEqual({ ...clean, ...figures });
  });
});

test('the monitor counts what the kernel did, by the mark of the call', async () => {
  const id = '01900000-0000-7000-8000-00000000000a';
  const monitor = new NftMonitor('no-such-namespace');
  monitor.take(`{"add": {"rule": {"family": "inet", "handle": 7, "comment": "tg:${id} x", "expr": []}}}`);
  monitor.take('{"add": {"rule": {"family": "inet", "handle": 8, "comment": "of somebody else", "expr": []}}}');
  monitor.take(`{"add": {"element": {"elem": {"set": [{"elem": {"val": "10.0.0.5", "comment": "tg:${id} y"}}]}}}}`);
  expect([...monitor.applied]).toEqual([[id, { times: 2, firstAtMs: expect.any(Number) }]]);
  await monitor.stop();
});
