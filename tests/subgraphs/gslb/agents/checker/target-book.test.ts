// A checker's target book, read as its engine reads it.
import { expect, test } from '@jest/globals';
import pino from 'pino';
import { newUuid } from '../../../../../platform/values/ids.ts';
import { TargetBook } from '../../../../../subgraphs/gslb/agents/checker/target-book.ts';
import { type Target, targetId, targetKey } from '../../../../../subgraphs/gslb/wire/checker-wire.ts';
import { testHistory } from '../../../../support/stores/histories.ts';

const target: Target = {
  ...{ member: newUuid(), monitor: newUuid(), type: 'TCP', hosts: ['192.0.2.1'], port: 80, parameters: {} },
  ...{ delayMs: 1_000, timeoutMs: 500, failures: 2, successes: 1, confirmMs: 200 },
};

test('a target that was removed and added between two reads counts as new, because its verdict was forgotten', async () => {
  const forgotten: string[] = [];
  const log = pino({ level: 'silent' });
  const book = new TargetBook({ log, plugins: new Set(['TCP']), gone: (id) => forgotten.push(id) });
  const key = targetKey(target);
  book.put(key, { history: testHistory, number: 1 }, target);
  const { targets, cursor } = await book.listTargets();
  const [first] = targets;
  // Putting the same target again is not a change.
  book.put(key, { history: testHistory, number: 1 }, target);
  const again = await book.changesAfter(cursor);
  expect(again?.targets).toEqual([first]);
  book.remove(key);
  book.put(key, { history: testHistory, number: 1 }, target);
  expect(forgotten).toEqual([targetId(target)]);
  const back = await book.changesAfter(again?.cursor ?? '');
  expect(back?.gone).toEqual([]);
  expect(back?.targets[0]?.revision).not.toBe(first?.revision);
});
