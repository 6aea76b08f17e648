import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Registry } from 'prom-client';
import { CheckEngine } from '../../../platform/checks/check-engine.ts';
import { createCheckMetrics } from '../../../platform/checks/check-metrics.ts';
import { type CheckReading, isDown, isUp, type Probe } from '../../../platform/checks/probe.ts';
import { type TcpParameters, tcpProbe } from '../../../platform/checks/probes/tcp.ts';
import { Database } from '../../../platform/database/database.ts';
import { Leases } from '../../../platform/leases/leases.ts';
import { createLogger } from '../../../platform/log/log.ts';
import { newToken } from '../../../platform/values/ids.ts';
import { testEgress } from '../../support/machine/egress.ts';
import { stays, waitFor } from '../../support/machine/temporary-folder.ts';
import { type TestDatabase, testDatabase } from '../../support/stores/database.ts';
import { createTables, TcpTenant } from './tcp-tenant.ts';
import type { WorkerProcessOptions } from './worker-process.ts';

const log = createLogger({ level: 'silent', pretty: false });

class GreetingServer {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  /** Greets late, so that a check is always under way. */
  constructor(delayMs = 0) {
    this.#server = createServer((socket) => {
      this.#sockets.add(socket);
      const timer = setTimeout(() => socket.write('+'), delayMs);
      socket
        .on('error', () => undefined)
        .on('close', () => {
          clearTimeout(timer);
          this.#sockets.delete(socket);
        });
    });
  }

  async listen(port = 0): Promise<number> {
    this.#server.listen({ host: '127.0.0.1', port });
    await once(this.#server, 'listening');
    return (this.#server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    if (!this.#server.listening) return;
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

interface Seen {
  readonly target: string;
  readonly worker: string;
  readonly outcome: string;
  readonly status_before: string;
  readonly status: string;
}

let database: TestDatabase;
let db: Database;
let server: GreetingServer;
let port: number;
const stops: (() => Promise<void>)[] = [];
const children: ChildProcess[] = [];

beforeAll(async () => {
  database = await testDatabase();
  db = new Database({ connection: database.connection });
  for (const sql of createTables) await db.execute(sql);
});

afterAll(async () => {
  await db.close();
  await database.drop();
});

beforeEach(async () => {
  await db.execute('DELETE FROM test_seen');
  await db.execute('DELETE FROM test_target');
  await db.execute('DELETE FROM lease');
  server = new GreetingServer();
  port = await server.listen();
});

afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
  for (const child of children.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
  await server.close();
});

async function addTargets(count: number): Promise<void> {
  for (let index = 0; index < count; index += 1) {
    await db.execute('INSERT INTO test_target (id, port) VALUES (?, ?)', [`t${index}`, port]);
  }
}

function seen(): Promise<Seen[]> {
  return db.query<Seen>('SELECT * FROM test_seen ORDER BY n');
}

function startEngine(
  name: string,
  options: {
    starved?: (since: number) => boolean;
    selfCheckPasses?: () => boolean;
    tenant?: TcpTenant;
    silentAfterMs?: number;
    refreshMs?: number;
    random?: () => number;
  } = {},
): CheckEngine<unknown> {
  const owner = newToken();
  const leases = new Leases({ db, owner, log, ttlMs: 3_000, renewMs: 1_000 });
  const engine = new CheckEngine({
    tenant: options.tenant ?? new TcpTenant(db, name, { intervalMs: 200, timeoutMs: 1_000 }),
    leases,
    owner,
    log,
    egress: testEgress,
    metrics: createCheckMetrics(new Registry()),
    guard: { starvedSince: options.starved ?? (() => false) },
    selfCheck: { passes: async () => options.selfCheckPasses?.() ?? true },
    balanceMs: 100,
    refreshMs: options.refreshMs ?? 200,
    recordMs: 50,
    confirmMs: 50,
    ...(options.silentAfterMs === undefined ? {} : { silentAfterMs: options.silentAfterMs }),
    ...(options.random === undefined ? {} : { random: options.random }),
  });
  engine.start();
  stops.push(async () => {
    await engine.stop();
    await leases.stop();
  });
  return engine;
}

async function startChild(options: Omit<WorkerProcessOptions, 'connection'>): Promise<ChildProcess> {
  const text = JSON.stringify({ ...options, connection: database.connection });
  const child = fork(join(import.meta.dirname, 'worker-process.ts'), [text], { execArgv: [] });
  children.push(child);
  return child;
}

async function block(child: ChildProcess, blockMs: number): Promise<number> {
  child.send({ blockMs });
  const [answer] = (await once(child, 'message')) as [{ inconclusive: number }];
  return answer.inconclusive;
}

describe('CheckEngine', () => {
  test('a target that closes is DOWN after two failures and UP again after one success', async () => {
    await addTargets(3);
    const closing = new GreetingServer();
    const closingPort = await closing.listen();
    await db.execute('INSERT INTO test_target (id, port) VALUES (?, ?)', ['closing', closingPort]);
    startEngine('one');
    // One target may be checked twice before another is checked once.
    const up = async () => new Set((await seen()).filter((row) => row.status === 'UP').map((row) => row.target));
    await waitFor('all up', async () => (await up()).size === 4);
    await closing.close();
    await waitFor('down', async () => (await seen()).some((row) => row.status === 'DOWN'));
    const reopened = new GreetingServer();
    await reopened.listen(closingPort);
    await waitFor(
      'up again',
      async () => (await seen()).at(-1)?.status === 'UP' && (await statusOf('closing')) === 'UP',
    );
    await reopened.close();
    const rows = (await seen()).filter((row) => row.target === 'closing');
    const changes = rows.filter((row) => row.status !== row.status_before).map((row) => row.status);
    expect(changes).toEqual(['UP', 'DOWN', 'UP']);
    expect((await seen()).filter((row) => row.status === 'DOWN' && row.target !== 'closing')).toEqual([]);
  });

  test('two workers share the shards, and one that stops passes its share to the other', async () => {
    const first = startEngine('one');
    await waitFor('all shards', () => first.heldShards().length === 8);
    const second = startEngine('two');
    await waitFor('half each', () => first.heldShards().length === 4 && second.heldShards().length === 4);
    expect(new Set([...first.heldShards(), ...second.heldShards()]).size).toBe(8);
    await stops.pop()?.();
    await waitFor('all again', () => first.heldShards().length === 8);
  });

  test('a starved checker, or one with a failing self-check, never reports DOWN', async () => {
    await addTargets(2);
    await server.close();
    let starved = true;
    let selfCheckPasses = true;
    startEngine('one', { starved: () => starved, selfCheckPasses: () => selfCheckPasses });
    // Each wait is several check intervals long, and no result may appear.
    await stays('nothing is seen', 600, async () => (await seen()).length === 0);
    starved = false;
    selfCheckPasses = false;
    await stays('nothing is seen', 600, async () => (await seen()).length === 0);
    selfCheckPasses = true;
    await waitFor('down', async () => (await seen()).some((row) => row.status === 'DOWN'));
  });

  test('there are never more checks at once than allowed, and each target still gets its turn', async () => {
    await addTargets(20);
    await db.execute("UPDATE test_target SET status = 'UP'");
    let running = 0;
    let most = 0;
    const counting: Probe<TcpParameters> = {
      ...tcpProbe,
      async check(parameters, run) {
        running += 1;
        most = Math.max(most, running);
        const reading = await tcpProbe.check(parameters, run);
        running -= 1;
        return reading;
      },
    };
    const tenant = new TcpTenant(db, 'one', { intervalMs: 200, timeoutMs: 60_000, slots: 3, probe: counting });
    startEngine('one', { silentAfterMs: 60_000, tenant });
    await waitFor('all seen', async () => new Set((await seen()).map((row) => row.target)).size === 20);
    expect(most).toBe(3);
  });

  test('the death of a target is noticed before one round of dead targets, silent or closed, has ended', async () => {
    const silent = new GreetingServer(3_600_000);
    const closing = new GreetingServer();
    stops.push(() => silent.close());
    const closed = new GreetingServer();
    const ports = { silent: await silent.listen(), closed: await closed.listen(), closing: await closing.listen() };
    await closed.close();
    const gone = 200;
    for (let index = 0; index < gone; index += 1)
      await db.execute("INSERT INTO test_target (id, port, status) VALUES (?, ?, 'DOWN')", [
        `gone${index}`,
        index % 10 === 0 ? ports.silent : ports.closed,
      ]);
    await db.execute("INSERT INTO test_target (id, port, status) VALUES ('closing', ?, 'UP')", [ports.closing]);
    const begun: string[] = [];
    const slow: Probe<TcpParameters> = {
      ...tcpProbe,
      async check(parameters, run) {
        begun.push(run.targetId);
        await new Promise((resolve) => setTimeout(resolve, 100));
        return tcpProbe.check(parameters, run);
      },
    };
    const tenant = new TcpTenant(db, 'one', { intervalMs: 1_000, timeoutMs: 1_000, slots: 4, probe: slow });
    startEngine('one', { tenant });
    await waitFor('a check of it', () => begun.includes('closing') && begun.length > 20);
    await closing.close();
    const from = begun.length;
    await waitFor('down', async () => (await statusOf('closing')) === 'DOWN');
    const since = begun.slice(from);
    expect(since.filter((id) => id !== 'closing').length).toBeLessThan(gone);
    await waitFor('all gone ones checked', () => new Set(begun).size === gone + 1);
  });

  test('a check that ignores its deadline counts as down and keeps no slot', async () => {
    await addTargets(1);
    const hanging = { ...tcpProbe, check: () => new Promise<never>(() => undefined) };
    startEngine('one', {
      tenant: new TcpTenant(db, 'one', { intervalMs: 50, timeoutMs: 50, slots: 1, probe: hanging }),
    });
    await waitFor('down', async () => (await statusOf('t0')) === 'DOWN');
  });

  test('found by a breaker that opened late: the first failure of a target that fell silent is recorded at once', async () => {
    await addTargets(1);
    await db.execute("UPDATE test_target SET status = 'UP'");
    const silent = { ...tcpProbe, check: () => new Promise<never>(() => undefined) };
    const times = { intervalMs: 1_000, timeoutMs: 50, confirmMs: 1_000, samplesPerSecond: Number.MIN_VALUE };
    startEngine('one', { tenant: new TcpTenant(db, 'one', { ...times, probe: silent, notesDoubts: true }) });
    const [first] = await waitFor('a failure', async () => {
      const rows = await seen();
      return rows.length > 0 && rows;
    });
    expect(first).toMatchObject({ outcome: 'DOWN', status: 'UP' });
    await waitFor('down', async () => (await statusOf('t0')) === 'DOWN');
  });

  test('a check without an answer for some time is a doubt, and its answer ends the doubt', async () => {
    await addTargets(1);
    await db.execute("UPDATE test_target SET status = 'UP'");
    let answer: () => void = () => undefined;
    const slow = { ...tcpProbe, check: () => new Promise<CheckReading<never>>((end) => (answer = () => end(isUp))) };
    const times = { intervalMs: 60_000, timeoutMs: 60_000, samplesPerSecond: Number.MIN_VALUE };
    const tenant = new TcpTenant(db, 'one', { ...times, probe: slow, notesDoubts: true });
    startEngine('one', { silentAfterMs: 50, tenant, random: () => 0 });
    await waitFor('the doubt', async () => (await seen()).length === 1);
    answer();
    await waitFor('its end', async () => (await seen()).length === 2);
    expect((await seen()).map(({ outcome, status }) => [outcome, status])).toEqual([
      ['DOWN', 'UP'],
      ['UP', 'UP'],
    ]);
  });

  test.each([
    ['is silent', undefined],
    ['refuses', 'refused'],
  ])(
    'found by a breaker that opened late: a new target that has succeeded once and then %s is doubted at once',
    async (_how, refusal) => {
      await addTargets(1);
      let checks = 0;
      const failing = {
        ...tcpProbe,
        check: async (): Promise<CheckReading<never>> => {
          checks += 1;
          if (checks === 1) return isUp;
          return refusal === undefined ? new Promise<never>(() => undefined) : isDown(refusal);
        },
      };
      const times = {
        intervalMs: 60_000,
        timeoutMs: 60_000,
        confirmMs: 50,
        rise: 2,
        samplesPerSecond: Number.MIN_VALUE,
      };
      const tenant = new TcpTenant(db, 'one', { ...times, probe: failing, notesDoubts: true });
      startEngine('one', { silentAfterMs: 50, tenant });
      await waitFor('the doubt', async () => (await seen()).some(({ outcome }) => outcome === 'DOWN'));
      expect((await seen()).slice(0, 2).map(({ outcome, status }) => [outcome, status])).toEqual([
        ['UP', 'UNKNOWN'],
        ['DOWN', 'UNKNOWN'],
      ]);
    },
  );

  test('in a starved process an unanswered check becomes a doubt only after the process has listened for the same time again', async () => {
    await addTargets(1);
    await db.execute("UPDATE test_target SET status = 'UP'");
    const silent = { ...tcpProbe, check: () => new Promise<never>(() => undefined) };
    const times = { intervalMs: 60_000, timeoutMs: 60_000, samplesPerSecond: Number.MIN_VALUE };
    let isStarved = true;
    const askedSince: number[] = [];
    startEngine('one', {
      tenant: new TcpTenant(db, 'one', { ...times, probe: silent, notesDoubts: true }),
      ...{ silentAfterMs: 50, random: () => 0 },
      starved: (since) => {
        askedSince.push(since);
        return isStarved;
      },
    });
    await waitFor('several looks', () => askedSince.length > 10);
    expect(await seen()).toEqual([]);
    // Only recent silence counts, however long ago the check began.
    expect(askedSince.at(-1)).toBeGreaterThan(askedSince[0] ?? Number.POSITIVE_INFINITY);
    isStarved = false;
    await waitFor('the doubt', async () => (await seen()).length === 1);
    expect((await seen()).map(({ outcome, status }) => [outcome, status])).toEqual([['DOWN', 'UP']]);
  });

  test.each(['its self-check fails', 'all of its checks fail'])(
    'a worker that is cut off judges nothing, and another takes over: %s',
    async (how) => {
      await addTargets(8);
      let cutOff = false;
      const denial = (address: string, atPort: number) =>
        cutOff ? { address, port: atPort, reason: 'cut off' } : testEgress.denial(address, atPort);
      const options = { intervalMs: 300, timeoutMs: 1_000, confirmMs: 300, handsOver: true } as const;
      const egress = { rules: testEgress.rules, denial };
      const one = startEngine('one', {
        tenant: new TcpTenant(db, 'one', { ...options, egress }),
        selfCheckPasses: () => !(cutOff && how.startsWith('its self-check')),
      });
      const two = startEngine('two', { tenant: new TcpTenant(db, 'two', options) });
      await waitFor('half each', () => one.heldShards().length === 4 && two.heldShards().length === 4);
      await waitFor(
        'all up',
        async () => (await db.query("SELECT 1 FROM test_target WHERE status = 'UP'")).length === 8,
      );
      cutOff = true;
      await waitFor('all shards', () => two.heldShards().length === 8);
      expect(one.heldShards()).toEqual([]);
      expect((await seen()).filter(({ status }) => status === 'DOWN')).toEqual([]);
    },
  );

  test('a changed target is checked at once, if the tenant reports the change', async () => {
    await addTargets(1);
    const tenant = new TcpTenant(db, 'one', { intervalMs: 3_600_000, timeoutMs: 1_000 });
    let changed = () => {};
    const onChange = (listener: () => void) => {
      changed = listener;
      return () => undefined;
    };
    startEngine('one', { tenant: Object.assign(tenant, { onChange }), refreshMs: 3_600_000 });
    await waitFor('first check', async () => (await seen()).length === 1);
    const other = new GreetingServer();
    stops.push(() => other.close());
    await db.execute('UPDATE test_target SET port = ?', [await other.listen()]);
    changed();
    await waitFor('second check', async () => (await seen()).length === 2);
  });

  test('a changed target is checked at once', async () => {
    await addTargets(1);
    startEngine('one', { tenant: new TcpTenant(db, 'one', { intervalMs: 3_600_000, timeoutMs: 1_000 }) });
    await waitFor('first check', async () => (await seen()).length === 1);
    const other = new GreetingServer();
    stops.push(() => other.close());
    await db.execute('UPDATE test_target SET port = ?', [await other.listen()]);
    await waitFor('second check', async () => (await seen()).length === 2);
  });

  test('a worker with a blocked event loop reports nothing as down, and would without its guard', async () => {
    const slow = new GreetingServer(80);
    stops.push(() => slow.close());
    port = await slow.listen();
    await addTargets(30);
    // These times are long because the targets are in this process, which may pause for a second on a busy machine.
    const timing = { intervalMs: 100, timeoutMs: 4_000 };
    const run = async (guarded: boolean) => {
      await db.execute('DELETE FROM test_seen');
      const child = await startChild({ name: `guarded-${guarded}`, guarded, ...timing });
      await waitFor('all up', async () => new Set((await seen()).map((row) => row.target)).size === 30);
      let inconclusive = 0;
      const downs = async () => (await seen()).filter((row) => row.outcome === 'DOWN').length;
      await waitFor('an effect of blocking', async () => {
        inconclusive = await block(child, 6_000);
        return guarded ? inconclusive > 0 : (await downs()) > 0;
      });
      const down = await downs();
      child.kill('SIGKILL');
      await once(child, 'exit');
      await db.execute('DELETE FROM lease');
      return { down, inconclusive };
    };
    const without = await run(false);
    const guarded = await run(true);
    expect(without.down).toBeGreaterThan(0);
    expect(guarded.down).toBe(0);
    expect(guarded.inconclusive).toBeGreaterThan(0);
  });

  test('shards of a worker killed with -9 are taken over, and their targets are checked again', async () => {
    await addTargets(40);
    // The targets are in this process, which may answer slowly.
    const timing = { guarded: true, intervalMs: 200, timeoutMs: 10_000 };
    const victim = await startChild({ name: 'victim', ...timing });
    await startChild({ name: 'survivor', ...timing });
    const targetsOf = async (worker: string, after: number) => {
      const rows = await db.query<{ target: string }>(
        'SELECT DISTINCT target FROM test_seen WHERE worker = ? AND n > ?',
        [worker, after],
      );
      return new Set(rows.map((row) => row.target));
    };
    const lastRow = async () => (await db.query<{ n: number }>('SELECT MAX(n) AS n FROM test_seen'))[0]?.n ?? 0;
    const shared = await waitFor('a share for each', async () => {
      const from = await lastRow();
      // Every target is checked several times.
      await new Promise((resolve) => setTimeout(resolve, 500));
      const [a, b] = [await targetsOf('victim', from), await targetsOf('survivor', from)];
      return a.size > 0 && b.size > 0 && [...a].every((target) => !b.has(target)) && a.size + b.size === 40
        ? { victims: a }
        : undefined;
    });
    victim.kill('SIGKILL');
    const killedAt = performance.now();
    await once(victim, 'exit');
    const from = await lastRow();
    const isTakenOver = async () => {
      const checked = await targetsOf('survivor', from);
      return [...shared.victims].every((target) => checked.has(target));
    };
    await waitFor('takeover', isTakenOver);
    process.stdout.write(`takeover of all targets after kill -9: ${Math.round(performance.now() - killedAt)} ms\n`);
    expect((await seen()).filter((row) => row.outcome === 'DOWN')).toEqual([]);
  });
});

async function statusOf(target: string): Promise<string | undefined> {
  const [row] = await db.query<{ status: string }>('SELECT status FROM test_target WHERE id = ?', [target]);
  return row?.status;
}
