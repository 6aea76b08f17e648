// A bounded sample of the proof of UNKNOWN, and the judge itself; the complete proof is `npm run trials -- relay-unknown`.
import { rm } from 'node:fs/promises';
import { describe, expect, test } from '@jest/globals';
import { neutronObstacle } from '../../lab/neutron.ts';
import { RecordBook } from '../../trials/relay-unknown/devices/device.ts';
import type { JournalRow } from '../../trials/relay-unknown/evidence.ts';
import { type Evidence, judge } from '../../trials/relay-unknown/verdict.ts';
import { type RelayUnknownOptions, runRelayUnknown } from '../../trials/relay-unknown.ts';
import { labUnavailable } from '../support/machine/lab.ts';
import { labFolder } from '../support/machine/lab-folders.ts';
import { patience } from '../support/machine/patience.ts';
import { routersUnavailable } from '../support/machine/routers.ts';
import { temporaryFolder } from '../support/machine/temporary-folder.ts';
import { netconfUnavailable } from '../support/servers/netconf.ts';

const obstacle = labUnavailable();
const noNeutron = await neutronObstacle();
const describeTrials = obstacle === undefined ? describe : describe.skip;

describeTrials(`calls whose outcome is unknown${obstacle === undefined ? '' : ` (skipped: ${obstacle})`}`, () => {
  test('dropped, killed and stopped: none repeated, none falsely UNKNOWN, every settled outcome as on the device', async () => {
    const clean = {
      ...{ repeated: 0, settledWrong: 0, unsettled: 0, wrongMappings: 0, resurrected: 0 },
      ...{ claimsLeft: 0, invariants: 0, sentTooLate: 0, unexpected: 0 },
    };
    let result = await trial();
    // On a machine without a free processor for a second, a living relay looks dead and a device unresponsive. This
    // does not happen every time.
    for (let more = 2; more > 0 && result.falseUnknown > 0; more -= 1) {
      expect(result).toMatchObject(clean);
      result = await trial();
    }
    expect(result).toMatchObject({ trials: 58, ...clean, falseUnknown: 0, findings: [] });
    for (const wire of ['ssh', 'https'] as const)
      expect(result.drops[wire]).toMatchObject({ trials: 15, dropped: 15, failedTooSoon: 0 });
    expect(result.kills).toMatchObject({ trials: 10 });
    expect(result.stops).toMatchObject({ trials: 2 });
    expect(result.again).toMatchObject({ trials: 16 });
    // At least the dropped calls, because successful calls prove nothing here.
    expect(result.wasUnknown).toBeGreaterThanOrEqual(46);
  }, 900_000);

  const real = [
    ['vtysh', 'FRR', routersUnavailable()],
    ['netconf', 'netconfd', netconfUnavailable()],
    ['sfc', 'networking-sfc', noNeutron],
  ] as const;
  const there = real.flatMap(([wire, what, missing]) => (missing === undefined ? { wire, what } : []));
  const missing = real.flatMap(([, what, why]) => (why === undefined ? [] : `; ${what} skipped: ${why}`));
  const onReal = there.length > 0 ? test : test.skip;
  // One system for all of them, because its start is most of the work.
  onReal(
    `the same with dropped calls of ${there.map(({ what }) => what).join(', ')}${missing.join('')}`,
    async () => {
      const wires = there.map(({ wire }) => wire);
      const result = await trial({ parts: ['drops'], wires, drops: 3 });
      expect(result).toMatchObject({
        ...{ repeated: 0, settledWrong: 0, unsettled: 0, wrongMappings: 0 },
        ...{ resurrected: 0, claimsLeft: 0, invariants: 0, sentTooLate: 0, unexpected: 0 },
      });
      for (const wire of wires) {
        // On a busy machine a call that one of the nine needs beforehand may fail.
        expect(result.drops[wire]?.trials).toBeGreaterThanOrEqual(8);
        expect(result.drops[wire]).toMatchObject({ failedTooSoon: 0 });
      }
      // After its connection was dropped, a session may still hold netconfd's lock, and the next call may be refused.
      expect(result.wasUnknown).toBeGreaterThan(9 * wires.length - 6);
    },
    300_000,
  );

  async function trial(more: Partial<RelayUnknownOptions> = {}) {
    const folder = await temporaryFolder();
    // Each attempt has its own device, because devices keep logs and the texts on the wire are the same in each
    // attempt.
    const labPath = await labFolder();
    try {
      return await runRelayUnknown({
        seed: Math.floor(Math.random() * 2 ** 31),
        parts: ['drops', 'kills', 'stops', 'again'],
        wires: ['ssh', 'https'],
        // Three kinds, on two wires.
        drops: 5,
        kills: 10,
        stops: [
          { durationMs: 3_000, moment: 'sent' },
          { durationMs: 3_000, moment: undefined },
        ],
        again: 4,
        lanes: { drops: 2, kills: 2, stops: 2, again: 4 },
        atOnce: true,
        folder: folder.path,
        labFolder: labPath,
        progress: () => undefined,
        signal: AbortSignal.timeout(290_000 * patience),
        ...more,
      });
    } finally {
      await folder.remove();
      await rm(labPath, { recursive: true, force: true });
    }
  }
});

describe('the judge', () => {
  const [made, dropped, unseen] = ['a', 'b', 'c'].map((letter) => `01900000-0000-7000-8000-00000000000${letter}`) as [
    string,
    string,
    string,
  ];
  const sentAtMs = Date.UTC(2026, 0, 1);
  const window = { sendWindowMs: 2_000, arrivalMs: 500 };
  const row = (id: string, key: string, state: string, more: Partial<JournalRow> = {}): JournalRow => ({
    ...{ id, key, state, name: 'rule.create', backend: 'fw', mapping: 'creates', objectKey: key, errorCode: null },
    ...{
      settledBy: 'reply',
      owner: 'alive',
      sentAtMs,
      deadlineAtMs: sentAtMs + 1_500,
      finishedAtMs: sentAtMs + 1_000,
      quietUntilMs: null,
      wireCall: '',
      arguments: '{}',
      wasUnknown: false,
      neverSent: false,
    },
    ...more,
  });
  const at = (...offsetsMs: number[]) => offsetsMs.map((offsetMs) => sentAtMs + offsetMs);

  /** One call that succeeded, one that was dropped and settled, one whose relay was killed; all correct. */
  function evidence() {
    return {
      rows: [
        row(made, 'k1', 'SUCCEEDED'),
        row(dropped, 'k2', 'SUCCEEDED', { wasUnknown: true, settledBy: 'probe' }),
        row(unseen, 'k3', 'FAILED', { wasUnknown: true, settledBy: 'probe', owner: 'dead' }),
      ],
      mappings: [
        { backend: 'fw', objectKey: 'k1', state: 'ACTIVE', desired: null },
        { backend: 'fw', objectKey: 'k2', state: 'ACTIVE', desired: null },
        { backend: 'fw', objectKey: 'k3', state: 'DELETED', desired: null },
      ],
      claims: 0,
      broken: [],
      device: new Map([
        [made, { receivedAtMs: at(5), appliedAtMs: at(9) }],
        [dropped, { receivedAtMs: at(5), appliedAtMs: at(400) }],
      ]),
      lives: [
        { owner: 'alive', endedAtMs: undefined },
        { owner: 'dead', endedAtMs: sentAtMs + 3 },
      ],
      pauses: [],
    } satisfies Evidence;
  }
  const changed = (id: string, more: Partial<JournalRow>, from: Evidence = evidence()): Evidence => ({
    ...from,
    rows: from.rows.map((each) => (each.id === id ? { ...each, ...more } : each)),
  });
  const clean = {
    ...{ repeated: 0, falseUnknown: 0, settledWrong: 0, unsettled: 0, wrongMappings: 0, claimsLeft: 0, sentTooLate: 0 },
    ...{ sentAfterPause: 0, pausedBeforeFirstByte: 0 },
  };

  test('finds no fault in correct evidence', () => {
    const verdict = judge(evidence(), window);
    expect(verdict).toMatchObject({ ...clean, operations: 3, wasUnknown: 2, killedBeforeFirstByte: 1, findings: [] });
    expect(verdict.states).toEqual({ SUCCEEDED: 2, FAILED: 1 });
  });

  test('repeated: arrived twice, executed twice, or two operations with one key', () => {
    const twice = (receivedAtMs: number[], appliedAtMs: number[]) => {
      const log = evidence();
      log.device.set(made, { receivedAtMs, appliedAtMs });
      return judge(log, window);
    };
    expect(twice(at(5, 90), at(9))).toMatchObject({ ...clean, repeated: 1 });
    expect(twice(at(5), at(9, 90))).toMatchObject({ ...clean, repeated: 1 });
    const again = changed(dropped, { key: 'k1', objectKey: 'k1' });
    expect(judge(again, window).repeated).toBe(1);
  });

  test('falseUnknown: never journaled as sent, or the device never saw it although its relay lived', () => {
    expect(judge(changed(unseen, { sentAtMs: null }), window)).toMatchObject({ falseUnknown: 1 });
    expect(judge(changed(unseen, { owner: 'alive' }), window)).toMatchObject({
      ...{ falseUnknown: 1, killedBeforeFirstByte: 0 },
    });
    const log = evidence();
    log.device.set(unseen, { receivedAtMs: at(5), appliedAtMs: [] });
    expect(judge({ ...log, lives: [] }, window)).toMatchObject({ falseUnknown: 0, killedBeforeFirstByte: 0 });
  });

  test('distinguishes a paused relay, or one killed after its deadline, from one killed before', () => {
    const paused = changed(unseen, { owner: 'alive' });
    const pause = (fromMs: number, untilMs: number) => ({
      ...paused,
      pauses: [{ owner: 'alive', fromMs: sentAtMs + fromMs, untilMs: sentAtMs + untilMs }],
    });
    expect(judge(pause(2, 5_000), window)).toMatchObject({ falseUnknown: 0, pausedBeforeFirstByte: 1 });
    expect(judge(pause(9_000, 12_000), window)).toMatchObject({ falseUnknown: 1, pausedBeforeFirstByte: 0 });
    const lives = [{ owner: 'dead', endedAtMs: sentAtMs + 9_000 }];
    expect(judge({ ...evidence(), lives }, window)).toMatchObject({ falseUnknown: 1, killedBeforeFirstByte: 0 });
  });

  test('settledWrong: recorded as executed although it was not, or the opposite', () => {
    const log = evidence();
    log.device.set(dropped, { receivedAtMs: at(5), appliedAtMs: [] });
    expect(judge(log, window)).toMatchObject({ settledWrong: 1, wrongMappings: 1 });
    const applied = evidence();
    applied.device.set(unseen, { receivedAtMs: at(5), appliedAtMs: at(2_000) });
    expect(judge(applied, window)).toMatchObject({ settledWrong: 1, wrongMappings: 1 });
    expect(judge(changed(unseen, { state: 'REJECTED' }, applied), window).settledWrong).toBe(1);
  });

  test('unsettled: any state that is not final', () => {
    for (const state of ['UNKNOWN', 'SENT', 'PENDING'])
      expect(judge(changed(unseen, { state }), window)).toMatchObject({ ...clean, unsettled: 1 });
  });

  test('wrongMappings: missing, superfluous, or ACTIVE while a call on its object is open', () => {
    const mapped = (mappings: Evidence['mappings']) => judge({ ...evidence(), mappings }, window).wrongMappings;
    const { mappings } = evidence();
    expect(mapped(mappings.slice(1))).toBe(1);
    expect(mapped([...mappings, { backend: 'fw', objectKey: 'k3', state: 'ACTIVE', desired: null }])).toBe(1);
    expect(mapped([...mappings, { backend: 'fw', objectKey: 'k3', state: 'UNVERIFIED', desired: null }])).toBe(1);
    expect(mapped([...mappings, { backend: 'other', objectKey: 'k1', state: 'ACTIVE', desired: null }])).toBe(1);
    expect(judge(changed(dropped, { state: 'UNKNOWN' }), window)).toMatchObject({ unsettled: 1, wrongMappings: 1 });
  });

  test('wrongMappings: a removed object is no longer mapped, one that was not removed still is', () => {
    const removal = row(unseen, 'k1', 'SUCCEEDED', { name: 'rule.delete', mapping: 'deletes' });
    const log = evidence();
    const rows = [...log.rows.slice(0, 2), removal];
    log.device.set(unseen, { receivedAtMs: at(50), appliedAtMs: at(60) });
    expect(judge({ ...log, rows }, window)).toMatchObject({ settledWrong: 0, wrongMappings: 1 });
    const mappings = log.mappings.map((each) => (each.objectKey === 'k1' ? { ...each, state: 'DELETED' } : each));
    expect(judge({ ...log, rows, mappings }, window)).toMatchObject({ settledWrong: 0, wrongMappings: 0 });
  });

  test('a remaining claim is counted', () => {
    expect(judge({ ...evidence(), claims: 2 }, window).claimsLeft).toBe(2);
    expect(judge({ ...evidence(), broken: ['not so: x'] }, window)).toMatchObject({
      invariants: 1,
      findings: ['not so: x'],
    });
  });

  test('sentTooLate: after the send window; sentAfterPause: within it, when its relay resumed', () => {
    const arrived = (afterMs: number, untilMs: number) => {
      const log = evidence();
      log.device.set(made, { receivedAtMs: at(afterMs), appliedAtMs: at(afterMs + 5) });
      const pauses = [{ owner: 'alive', fromMs: sentAtMs + 1, untilMs: sentAtMs + untilMs }];
      return judge({ ...log, pauses }, window);
    };
    expect(arrived(2_600, 2_550)).toMatchObject({ sentTooLate: 1, sentAfterPause: 0 });
    expect(arrived(1_900, 1_850)).toMatchObject({ sentTooLate: 0, sentAfterPause: 1 });
    // On the wire when its relay was stopped.
    expect(arrived(20, 1_850)).toMatchObject({ sentTooLate: 0, sentAfterPause: 0 });
  });

  test('a call of a paused relay may arrive as late as a call of a relay that was not paused; and none arrives seconds later', () => {
    const arrived = (afterMs: number, otherAfterMs: number) => {
      const log = evidence();
      log.device.set(made, { receivedAtMs: at(afterMs), appliedAtMs: at(afterMs + 5) });
      log.device.set(unseen, { receivedAtMs: at(otherAfterMs), appliedAtMs: [] });
      const pauses = [{ owner: 'alive', fromMs: sentAtMs + 1, untilMs: sentAtMs + 1_000 }];
      return judge({ ...log, pauses }, window).sentTooLate;
    };
    expect([arrived(3_500, 5), arrived(3_500, 1_600), arrived(3_700, 1_600)]).toEqual([1, 0, 1]);
    expect([arrived(5, 6_900), arrived(5, 7_100), arrived(7_100, 7_100)]).toEqual([0, 1, 2]);
  });

  test('of calls that are the same on the wire the first gets the arrivals, unless it was never sent', () => {
    const found = (neverSent: boolean) => {
      const book = new RecordBook();
      book.of('delete 7').receivedAtMs.push(1);
      const calls = [
        { id: made, wireCall: 'nft\ndelete 7', objectKey: 'k', neverSent },
        { id: dropped, wireCall: 'nft\ndelete 7', objectKey: 'k', neverSent: false },
      ];
      return [...book.match(calls, ({ wireCall }) => wireCall.slice(4))];
    };
    expect(found(false)).toEqual([[made, { receivedAtMs: [1], appliedAtMs: [] }]]);
    expect(found(true)).toEqual([[dropped, { receivedAtMs: [1], appliedAtMs: [] }]]);
  });
});
