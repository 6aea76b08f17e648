// A bounded sample of the proof of the event stream through the gateway, and its judge; the complete proof is `npm
// run trials -- events`.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { judgeItems, type LoggedItem, type TableRow } from '../../trials/events/verdict.ts';
import { runGatewayEventTrials } from '../../trials/events-gateway.ts';
import { type TemporaryFolder, temporaryFolder } from '../support/machine/temporary-folder.ts';

describe('events through the gateway', () => {
  let folder: TemporaryFolder;
  beforeAll(async () => {
    folder = await temporaryFolder();
  });
  afterAll(() => folder.remove());

  test('no gap, no duplicate, each subject in order, while gateway, system, worker and Redis are killed', async () => {
    const seed = Math.floor(Math.random() * 2 ** 31);
    const result = await runGatewayEventTrials({ seed, events: 600, perRound: 200, readers: 12, folder: folder.path });
    const clean = {
      gaps: 0,
      duplicates: 0,
      outOfOrder: 0,
      wrong: 0,
      falseCheckpoints: 0,
      lost: 0,
      invariants: 0,
      clientsEnded: 0,
    };
    expect(result).toMatchObject({ seed, events: 600, ...clean, faults: [] });
    const failures = [
      ...(['gatewayKills', 'gatewayEnds', 'systemKills', 'systemEnds', 'workerKills'] as const),
      ...(['redisKills', 'redisFlushes', 'dropsOfAll', 'drops'] as const),
    ];
    for (const failure of failures) expect([failure, result[failure] > 0]).toEqual([failure, true]);
    expect(result.connections).toBeGreaterThan(2 * result.readers);
  }, 300_000);
});

describe("the judge of a client's items", () => {
  const row = (seq: number, version: number): TableRow => ({
    ...{ seq, version, eventId: `e${seq}`, subjectId: 's', kind: 'a', subjectType: 'Trial' },
  });
  // This client did not request event 3.
  const wanted = [row(2, 1), row(4, 2), row(5, 3)];
  const event = (seq: number, version: number, eventId = `e${seq}`): LoggedItem => ({
    ...{ seq, event: { eventId, subjectId: 's', version }, atMs: 0 },
  });
  const checkpoint = (seq: number): LoggedItem => ({ seq, event: undefined, atMs: 0 });
  const clean = { gaps: 0, duplicates: 0, outOfOrder: 0, wrong: 0, falseCheckpoints: 0 };

  test.each([
    ['nothing wrong', [checkpoint(1), event(2, 1), checkpoint(3), event(4, 2), event(5, 3), checkpoint(5)], clean],
    ['a missing event', [event(2, 1), event(5, 3)], { ...clean, gaps: 1 }],
    ['a repeated one', [event(2, 1), event(4, 2), event(5, 3), event(5, 3)], { ...clean, duplicates: 1 }],
    ['two in the wrong order', [event(2, 1), event(5, 3), event(4, 2)], { ...clean, outOfOrder: 1 }],
    ['an event that differs from the table', [event(2, 1), event(4, 2), event(5, 3, 'x')], { ...clean, wrong: 1 }],
    [
      'an event that was not requested',
      [event(2, 1), event(3, 9), event(4, 2), event(5, 3)],
      { outOfOrder: 1, wrong: 1 },
    ],
    [
      'a checkpoint after undelivered events',
      [event(2, 1), checkpoint(4), event(4, 2), event(5, 3)],
      { falseCheckpoints: 1 },
    ],
    ['a checkpoint that goes back', [event(2, 1), event(4, 2), checkpoint(2), event(5, 3)], { falseCheckpoints: 1 }],
  ])('finds %s', (_what, items, verdict) => {
    expect(judgeItems(items, wanted)).toEqual({ ...clean, ...verdict });
  });
});
