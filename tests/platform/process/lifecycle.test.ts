// Start, drain and stop in order, health checks with deadlines, and the loop that most parts use.
import { afterEach, describe, expect, test } from '@jest/globals';
import { pino } from 'pino';
import { Health } from '../../../platform/process/health.ts';
import { Lifecycle } from '../../../platform/process/lifecycle.ts';
import { startStep } from '../../../platform/process/start-budget.ts';
import { Loop } from '../../../platform/work/loop.ts';
import { waitFor } from '../../support/machine/temporary-folder.ts';

const log = pino({ level: 'silent' });

describe('Lifecycle', () => {
  test('starts in order, drains all in reverse, then stops all in reverse', async () => {
    const lifecycle = new Lifecycle({ log });
    const seen: string[] = [];
    const note = (what: string) => async () => {
      seen.push(what);
    };
    for (const name of ['database', 'feed', 'gateway'])
      await lifecycle.add(name, {
        start: note(`start ${name}`),
        drain: note(`drain ${name}`),
        stop: note(`stop ${name}`),
      });
    expect(lifecycle.phase).toBe('starting');
    lifecycle.ready();
    expect(lifecycle.phase).toBe('ready');
    await Promise.all([lifecycle.stop(), lifecycle.stop()]);
    expect(lifecycle.phase).toBe('stopped');
    expect(seen).toEqual([
      ...['start database', 'start feed', 'start gateway'],
      ...['drain gateway', 'drain feed', 'drain database'],
      ...['stop gateway', 'stop feed', 'stop database'],
    ]);
  });

  test('a part that fails or hangs does not prevent the others from stopping', async () => {
    const lifecycle = new Lifecycle({ log });
    let stopped = false;
    await lifecycle.add('good', {
      stop: () => {
        stopped = true;
      },
    });
    await lifecycle.add('hangs', { drain: () => new Promise(() => {}), deadlineMs: 20 });
    await lifecycle.add('fails', {
      stop: () => {
        throw new Error('no');
      },
    });
    await lifecycle.stop();
    expect(stopped).toBe(true);
  });

  test('a failed or slow start is thrown, and the part is stopped with the rest', async () => {
    const lifecycle = new Lifecycle({ log, startBudgetMs: 10 });
    let stopped = 0;
    const stop = () => {
      stopped += 1;
    };
    await expect(lifecycle.add('a', { start: () => Promise.reject(new Error('no')), stop })).rejects.toThrow('no');
    await expect(lifecycle.add('b', { start: () => new Promise(() => {}), stop })).rejects.toThrow(
      'b did not start within 10 ms',
    );
    await lifecycle.stop();
    expect(stopped).toBe(2);
    await expect(lifecycle.add('c', {})).rejects.toThrow('the process is stopping');
  });
});

test('a slow start is reported repeatedly', async () => {
  const lines: unknown[] = [];
  const done = Promise.withResolvers<string>();
  const info = (fields: object, message: string) => {
    if (lines.push({ ...fields, message }) === 2) done.resolve('up');
  };
  const options = { log: { info: info as typeof log.info }, budgetMs: 60_000, everyMs: 1 };
  expect(await startStep('the planner', options, () => done.promise)).toBe('up');
  expect(lines).toEqual(
    [1, 2].map(() => ({ part: 'the planner', seconds: 0, mostSeconds: 60, message: 'still starting' })),
  );
});

describe('Health', () => {
  test('names the parts that are not ready; a part that is not required does not make the process unready', async () => {
    const health = new Health();
    health.add('database', async () => '3 ms');
    health.add('redis', () => Promise.reject(new Error('connection refused')), { required: false });
    const impaired = [{ name: 'redis', required: false, ready: false, detail: 'connection refused' }];
    const parts = [{ name: 'database', required: true, ready: true, detail: '3 ms' }, ...impaired];
    expect(await health.readiness()).toEqual({ ready: true, missing: [], impaired, parts });
    expect(await health.components()).toEqual([
      { name: 'database', ready: true, detail: '3 ms' },
      { name: 'redis', ready: false, detail: 'connection refused' },
    ]);
    const broken = new Health();
    broken.add('relay', () => Promise.reject(new Error('no lease')));
    const missing = [{ name: 'relay', required: true, ready: false, detail: 'no lease' }];
    expect(await broken.readiness()).toEqual({ ready: false, missing, impaired: [], parts: missing });
  });

  test('database faults contain no statement', async () => {
    const health = new Health();
    const sqlError = (errno: number) =>
      Object.assign(new Error(`(conn:1, no: ${errno}) failed\nsql: UPDATE lease SET token = 'secret'`), { errno });
    health.add('read-only', () => Promise.reject(sqlError(1290)));
    health.add('full', () => Promise.reject(sqlError(1114)));
    health.add('gone', () => Promise.reject(sqlError(45012)));
    health.add('other', () => Promise.reject(sqlError(1146)));
    const parts = await health.components();
    expect(parts.map(({ detail }) => detail)).toEqual([
      'the database is read-only',
      "the database's disk is full",
      "the database can't be reached (error 45012)",
      'the database refused a statement (error 1146)',
    ]);
  });

  test('a hanging check is not ready, and frequent requests check the part once', async () => {
    const health = new Health();
    let asked = 0;
    health.add('hangs', () => {
      asked += 1;
      return new Promise(() => {});
    });
    const answers = await Promise.all([health.components(), health.components(), health.readiness()]);
    expect(answers[0]).toMatchObject([{ ready: false, detail: 'no answer within 2000 ms' }]);
    expect(asked).toBe(1);
  });
});

describe('Loop', () => {
  const loops: Loop[] = [];
  const make = (run: (signal: AbortSignal) => Promise<boolean>, pauseMs = 60_000) => {
    const loop = new Loop({ name: 'test', log, pauseMs: () => pauseMs, run });
    loops.push(loop);
    return loop;
  };

  afterEach(async () => {
    await Promise.all(loops.splice(0).map((loop) => loop.stop()));
  });

  test('runs at start, again while there is more, and when triggered; a trigger during a run is not lost', async () => {
    let runs = 0;
    const loop = make(async () => {
      runs += 1;
      if (runs === 4) loop.trigger();
      return runs < 3;
    });
    loop.start();
    await waitFor('three runs', () => runs === 3);
    loop.trigger();
    await waitFor('the fourth and fifth', () => runs === 5);
  });

  test('continues by itself after a failure', async () => {
    let runs = 0;
    make(async () => {
      runs += 1;
      if (runs === 1) throw new Error('database away');
      return false;
    }).start();
    await waitFor('the second run', () => runs === 2);
  });

  test('stop waits for the current run, and aborts its signal', async () => {
    let ended = false;
    const entered = Promise.withResolvers<void>();
    const loop = make(async (signal) => {
      entered.resolve();
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      ended = true;
      return true;
    });
    loop.start();
    await entered.promise;
    await loop.stop();
    expect(ended).toBe(true);
  });
});
