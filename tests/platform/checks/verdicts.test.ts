import { describe, expect, test } from '@jest/globals';
import { FallRise } from '../../../platform/checks/fall-rise.ts';
import { planShards, shardOf } from '../../../platform/checks/shards.ts';
import { StarvationGuard } from '../../../platform/checks/starvation-guard.ts';

describe('FallRise', () => {
  test('two failures in a row give DOWN, one success gives UP', () => {
    const subject = new FallRise('UP', { fall: 2, rise: 1 });
    expect(subject.count('DOWN')).toBe('UP');
    expect(subject.suspicious).toBe(true);
    expect(subject.count('UP')).toBe('UP');
    expect(subject.suspicious).toBe(false);
    expect(subject.count('DOWN')).toBe('UP');
    expect(subject.count('DOWN')).toBe('DOWN');
    expect(subject.count('UP')).toBe('UP');
  });

  test('from UNKNOWN, failures and successes do not add up', () => {
    const subject = new FallRise('UNKNOWN', { fall: 2, rise: 2 });
    expect([subject.count('DOWN'), subject.count('UP'), subject.count('DOWN')]).toEqual([
      'UNKNOWN',
      'UNKNOWN',
      'UNKNOWN',
    ]);
    expect(subject.count('DOWN')).toBe('DOWN');
  });

  test('from UNKNOWN, the last conclusive result is the tendency, and a known status has none', () => {
    const subject = new FallRise('UNKNOWN', { fall: 2, rise: 2 });
    const tendencies = (['UP', 'INCONCLUSIVE', 'DOWN', 'UP', 'UP', 'DOWN', 'UP'] as const).map((outcome) => {
      subject.count(outcome);
      return subject.tendency;
    });
    expect(tendencies).toEqual(['UP', 'UP', 'DOWN', 'UP', undefined, 'DOWN', undefined]);
  });

  test('an inconclusive result counts for neither and does not interrupt a row', () => {
    const subject = new FallRise('UP', { fall: 2, rise: 1 });
    for (let time = 0; time < 10; time += 1) expect(subject.count('INCONCLUSIVE')).toBe('UP');
    subject.count('DOWN');
    subject.count('INCONCLUSIVE');
    expect(subject.count('DOWN')).toBe('DOWN');
  });
});

describe('StarvationGuard', () => {
  function guard(): { now: number; subject: StarvationGuard } {
    const clock = { now: 0, subject: undefined as unknown as StarvationGuard };
    clock.subject = new StarvationGuard({ now: () => clock.now, beatMs: 50, boundMs: 200 });
    return clock;
  }

  test('regular beats: not starved', () => {
    const clock = guard();
    for (clock.now = 50; clock.now <= 1_000; clock.now += 50) clock.subject.beat();
    clock.now = 1_040;
    expect(clock.subject.starvedSince(0)).toBe(false);
  });

  test('an overdue beat counts before it arrives, and results of checks that began before it are void', () => {
    const clock = guard();
    clock.now = 50;
    clock.subject.beat();
    clock.now = 800;
    expect(clock.subject.starvedSince(60)).toBe(true);
    clock.subject.beat();
    clock.now = 850;
    clock.subject.beat();
    expect(clock.subject.starvedSince(790)).toBe(true);
    expect(clock.subject.starvedSince(810)).toBe(false);
  });

  test('the worst lag is reported from time to time', () => {
    const lags: number[] = [];
    let now = 0;
    const subject = new StarvationGuard({ now: () => now, beatMs: 50, onLag: (lagMs) => lags.push(lagMs) });
    now = 400;
    subject.beat();
    for (now = 450; now <= 10_500; now += 50) subject.beat();
    expect(lags).toEqual([350, 0]);
  });
});

describe('shards', () => {
  test('each target has one shard, and targets are spread over shards', () => {
    const counts = new Array<number>(8).fill(0);
    for (let index = 0; index < 8_000; index += 1) {
      const shard = shardOf(`target-${index}`, 8);
      expect(shardOf(`target-${index}`, 8)).toBe(shard);
      counts[shard] = (counts[shard] ?? 0) + 1;
    }
    expect(Math.min(...counts)).toBeGreaterThan(850);
  });

  test('after workers join and leave, the shares are fair and every shard has one holder', () => {
    const shardCount = 8;
    const workers = new Map<string, Set<number>>();
    const settle = () => {
      for (let round = 0; round < 20; round += 1) {
        let offset = 0;
        for (const [name, held] of workers) {
          const others = [...workers].filter(([other]) => other !== name).flatMap(([, shards]) => [...shards]);
          const plan = planShards({
            shardCount,
            held,
            heldByOthers: new Set(others),
            workers: workers.size,
            offset,
          });
          for (const shard of plan.release) held.delete(shard);
          for (const shard of plan.acquire) held.add(shard);
          offset += 3;
        }
      }
      const all = [...workers.values()].flatMap((held) => [...held]).sort();
      expect(all).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
      for (const held of workers.values()) expect(held.size).toBeLessThanOrEqual(Math.ceil(shardCount / workers.size));
    };
    for (const name of ['a', 'b', 'c', 'd', 'e']) {
      workers.set(name, new Set());
      settle();
    }
    for (const name of ['b', 'a', 'e']) {
      workers.delete(name);
      settle();
    }
  });

  test('of shards without targets none is taken, and held ones are given back', () => {
    const used = new Set([1, 6]);
    const plan = (held: readonly number[], workers = 1) =>
      planShards({ shardCount: 8, used, held: new Set(held), heldByOthers: new Set(), workers, offset: 3 });
    expect(plan([])).toEqual({ acquire: [6, 1], release: [] });
    expect(plan([0, 1, 7])).toEqual({ acquire: [], release: [0, 7] });
    expect(plan([1, 6])).toEqual({ acquire: [], release: [] });
    expect(plan([1, 6], 2)).toEqual({ acquire: [], release: [6] });
  });
});
