// The rows that the high availability trial reads from both hosts before it judges.
import { expect, test } from '@jest/globals';
import type { Session } from '../../ha/agent/session.ts';
import { holdingsOf } from '../../trials/ha/holdings.ts';
import type { DataHost } from '../../trials/ha/network.ts';
import { judge } from '../../trials/ha/verdict.ts';

/** A primary with two rows, and a copy that has them only after the trial has waited for it. */
function hosts(appliesInTime: boolean) {
  const written = [
    { id: 'one', epoch: 1, server: 1 },
    { id: 'two', epoch: 1, server: 1 },
  ];
  const held: Record<DataHost, typeof written> = { a: written, b: written.slice(0, 1) };
  const asked: unknown[] = [];
  return {
    asked,
    async hasCaughtUp(copy: DataHost, primary: DataHost, withinMs: number) {
      asked.push([copy, primary, withinMs]);
      if (appliesInTime) held[copy] = held[primary];
      return appliesInTime;
    },
    sql: (host: DataHost) =>
      ({
        query: async (sql: string) => (sql.includes('ha_write') ? held[host] : [{ several: 0 }]),
        forget: () => undefined,
      }) as unknown as Session,
  };
}

test('the trial waits for a copy that has not applied everything yet, and does not count its rows as missing until then', async () => {
  const pair = hosts(true);
  const { rows, copy, repeated, caughtUp } = await holdingsOf(pair, 'a', 1_234);
  expect(pair.asked).toEqual([['b', 'a', 1_234]]);
  expect({ repeated, caughtUp }).toEqual({ repeated: 0, caughtUp: true });
  expect(judge([], rows, copy).wrongReplication).toBe(0);
});

test('a copy that never applies everything is reported with its missing rows', async () => {
  const { rows, copy, caughtUp } = await holdingsOf(hosts(false), 'a', 1_234);
  expect(caughtUp).toBe(false);
  expect(judge([], rows, copy).wrongReplication).toBe(1);
});

test('a copy without a reported position has not applied everything', async () => {
  const pair = { ...hosts(true), hasCaughtUp: () => Promise.reject(new Error('no answer')) };
  expect(await holdingsOf(pair, 'b', 1_234)).toMatchObject({ caughtUp: false });
});
