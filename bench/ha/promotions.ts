// The duration of a promotion, from the moment when the other host noticed that nobody leads until writes are open, according to the hosts'
// history. It is measured with an empty list of events and with a large one.
import { setTimeout as sleep } from 'node:timers/promises';
import { killQuietly } from '../../embedded/server-process.ts';
import { until } from '../../trials/ha/pair.ts';
import { database } from '../../trials/ha/settings.ts';
import type { HaSystem } from '../../trials/ha/system.ts';
import { sequence } from '../../trials/ha/work.ts';

const wholeMs = 60_000;
const settleMs = 1_000;
const chunk = 50_000;
const loadTimeoutMs = 120_000;
const catchUpMs = 300_000;

/** In milliseconds, one for each kill -9 of the primary's mariadbd. */
export async function promotions(system: HaSystem, rounds: number, signal: AbortSignal): Promise<readonly number[]> {
  const tookMs: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const before = await system.state();
    const pid = before === undefined ? undefined : await system.pid(before.primary, 'mariadbd');
    if (before === undefined || pid === undefined) throw new Error('there is no primary');
    killQuietly(pid, 'SIGKILL');
    const isWhole = async () => {
      const now = await system.state();
      return now !== undefined && now.epoch > before.epoch && now.isWhole;
    };
    await until('whole again', wholeMs, isWhole, signal);
    const took = (await system.changes()).filter(({ epoch }) => epoch > before.epoch).map((each) => each.openedAfterMs);
    // A promotion that did not open writes was replaced by the next one.
    tookMs.push(took.reduce<number>((sum, each) => sum + (each ?? 0), 0));
    await sleep(settleMs, undefined, { signal });
  }
  return tookMs;
}

/** Rows of status_change, on both hosts. */
export async function addEvents(system: HaSystem, events: number, signal: AbortSignal): Promise<void> {
  const primary = (await system.state())?.primary ?? 'a';
  const session = system.sql(primary);
  try {
    for (let from = 0; from < events; from += chunk) {
      signal.throwIfAborted();
      const count = Math.min(chunk, events - from);
      await session.query(
        `INSERT INTO ${database}.status_change (seq, event_id, kind, subject_type, subject_id, subject_version, to_status)
         SELECT ${from} + numbers.seq, UUID(), 'bench.changed', 'Project', UUID(), 1, 'ACTIVE' FROM ${sequence(count)}`,
        [],
        loadTimeoutMs,
      );
    }
    const [row] = await session.query<{ held: number }[]>(
      `SELECT COUNT(*) AS held FROM ${database}.status_change`,
      [],
      loadTimeoutMs,
    );
    if (row?.held !== events) throw new Error(`there are ${row?.held} events, not ${events}`);
  } finally {
    session.forget();
  }
  if (!(await system.hasCaughtUp(primary === 'a' ? 'b' : 'a', primary, catchUpMs)))
    throw new Error('the copy has not applied the events');
  await until('whole again', wholeMs, async () => (await system.state())?.isWhole === true, signal);
}
