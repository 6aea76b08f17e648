// A database with GSLB's tables and rows that tests write: vantage points with checkers, a pool, its members and a
// name. The conductor is the real one.
import { ownersOf } from '../../../../compose/owners.ts';
import type { NamePlan } from '../../../../dns/policy/plan.ts';
import { migrate } from '../../../../platform/database/migrate.ts';
import { recordProject } from '../../../../platform/edge/projects.ts';
import { readHistory } from '../../../../platform/events/database-history.ts';
import { setCheckerRecord } from '../../../../platform/machines/checker-record.ts';
import { setNameServerRecord } from '../../../../platform/machines/name-server-record.ts';
import type { OwedQueue } from '../../../../platform/owed/owed-queue.ts';
import { OwedWork, owe, reconcilingRetry } from '../../../../platform/owed/owed-work.ts';
import { newUuid } from '../../../../platform/values/ids.ts';
import { Loop } from '../../../../platform/work/loop.ts';
import { recordBatch } from '../../../../subgraphs/gslb/control/checkers/record-batch.ts';
import { connectChecker, databaseNow } from '../../../../subgraphs/gslb/control/stores/checker-store.ts';
import type { EvaluationDependencies } from '../../../../subgraphs/gslb/control/verdicts/evaluate-members.ts';
import { createEvaluationQueues } from '../../../../subgraphs/gslb/control/verdicts/evaluation-queue.ts';
import { gslbRow } from '../../../../subgraphs/gslb/row.ts';
import type { Verdict } from '../../../../subgraphs/gslb/rules/quorum.ts';
import type {
  GslbSpec,
  MemberSpec,
  MonitorSpec,
  PoolSpec,
  VantagePointSpec,
} from '../../../../subgraphs/gslb/spec/specs.ts';
import { type CheckerBatch, targetId } from '../../../../subgraphs/gslb/wire/checker-wire.ts';
import { LocalContext } from '../../../support/product/test-context.ts';
import { type TestDatabase, testDatabase } from '../../../support/stores/database.ts';

export const zone = 'gslb.test';

const monitorSpec: MonitorSpec = {
  ...{ description: '', type: 'TCP', targetHost: null, targetPort: null, delayMs: 1_000, timeoutMs: 500 },
  ...{ failures: 2, successes: 1, parameters: {} },
};
const poolSpec: PoolSpec = {
  ...{ description: '', minUp: 1, scope: 'ALL', failback: { mode: 'IMMEDIATE' } },
  quorum: { downAtLeast: null, upAtLeast: null, leastVoters: null, leastRegions: 1, freshMs: null },
};

export interface TestChecker {
  readonly id: string;
  readonly vantagePoint: string;
  incarnation: number;
  number: number;
}

/** A checker's verdicts by member. */
export type Said = Readonly<Record<string, Verdict>>;

export class GslbPlace {
  readonly projectId: string;
  readonly flavorId = newUuid();
  readonly monitorId = newUuid();
  readonly poolId = newUuid();
  readonly ground: LocalContext;
  readonly dependencies: EvaluationDependencies;
  readonly #database: TestDatabase | undefined;

  private constructor(ground: LocalContext, database?: TestDatabase, projectId = newUuid()) {
    this.projectId = projectId;
    this.#database = database;
    this.ground = ground;
    const { wake, egress } = ground;
    this.dependencies = { wake, egress, silenceMs: 600_000, heartbeatMs: 500, freshMs: 600_000 };
  }

  static async open(pool: Partial<PoolSpec> = {}): Promise<GslbPlace> {
    const database = await testDatabase({ migrated: false });
    await migrate(database.connection, ownersOf(['gslb'], [gslbRow]));
    const place = new GslbPlace(new LocalContext({ connection: database.connection }), database);
    await place.#fill({ ...poolSpec, ...pool });
    return place;
  }

  /** Uses the caller's migrated database, which the caller closes. `projectId`: an existing project. */
  static async on(ground: LocalContext, projectId?: string): Promise<GslbPlace> {
    const place = new GslbPlace(ground, undefined, projectId);
    await place.#fill(poolSpec, projectId === undefined);
    return place;
  }

  get database(): TestDatabase {
    if (this.#database === undefined) throw new Error("the database is its caller's");
    return this.#database;
  }

  async close(): Promise<void> {
    await this.ground.stop();
    await this.database.drop();
  }

  async #fill(pool: PoolSpec, isNew = true): Promise<void> {
    const { db } = this.ground;
    if (isNew) await db.transaction((tx) => recordProject(tx, this.projectId, 'default'));
    await db.execute(`INSERT INTO gslb_flavor (id, name, live_name, spec) VALUES (?, 'usual', 'usual', ?)`, [
      this.flavorId,
      JSON.stringify({ vantagePoints: [] }),
    ]);
    await db.execute(
      `INSERT INTO gslb_monitor (id, project_id, name, live_name, type, spec) VALUES (?, ?, 'web', 'web', 'TCP', ?)`,
      [this.monitorId, this.projectId, JSON.stringify(monitorSpec)],
    );
    await this.pool(this.poolId, pool);
    await db.execute('INSERT INTO gslb_monitor_use (id, monitor_id, pool_id) VALUES (?, ?, ?)', [
      ...[newUuid(), this.monitorId, this.poolId],
    ]);
    await db.execute(`INSERT INTO gslb_zone (name, id) VALUES (?, ?)`, [zone, newUuid()]);
  }

  async pool(id: string, pool: PoolSpec): Promise<void> {
    await this.ground.db.execute(
      'INSERT INTO gslb_pool (id, project_id, name, live_name, spec) VALUES (?, ?, ?, ?, ?)',
      [id, this.projectId, id, id, JSON.stringify(pool)],
    );
  }

  /** Creates a vantage point with a connected checker. */
  async vantagePoint(name: string, region = name): Promise<TestChecker> {
    await this.vantagePointWithout(name, {}, region);
    return this.checker(name);
  }

  /** Creates a vantage point without a checker. */
  async vantagePointWithout(name: string, spec: Partial<VantagePointSpec> = {}, region = name): Promise<void> {
    await this.ground.db.execute(
      'INSERT INTO gslb_vantage_point (id, name, live_name, region, spec) VALUES (?, ?, ?, ?, ?)',
      [
        ...[newUuid(), name, name, region],
        JSON.stringify({ latitude: 0, longitude: 0, allowedBlocks: [], deniedBlocks: [], beacons: [], ...spec }),
      ],
    );
  }

  /** `plugins`: the plugins that the checker reports. Default: it reports none. */
  async checker(vantagePoint: string, id = newUuid(), plugins?: readonly string[]): Promise<TestChecker> {
    const checker: TestChecker = { id, vantagePoint, incarnation: 0, number: 0 };
    await this.connect(checker, plugins);
    return checker;
  }

  async connect(checker: TestChecker, plugins?: readonly string[]): Promise<void> {
    const { db, wake, owner } = this.ground;
    const { id, vantagePoint } = checker;
    const machine = { id, name: `checker-${id.slice(-8)}` };
    await this.record(id, vantagePoint);
    const granted = await db.transaction((tx) =>
      connectChecker(tx, wake, {
        ...{ machine, vantagePoint, linkedTo: owner },
        facts: plugins === undefined ? {} : { plugins: [...plugins] },
      }),
    );
    checker.incarnation = granted.incarnation;
    checker.number = 0;
  }

  /** Records the vantage point that the machine may vote for, as an administrator does when creating it. */
  async record(machineId: string, vantagePoint: string): Promise<void> {
    await this.ground.db.transaction((tx) => setCheckerRecord(tx, machineId, { vantagePoint }));
  }

  /** Records the addresses of the name server that zones may publish. */
  async recordServer(machineId: string, addresses: readonly string[]): Promise<void> {
    await this.ground.db.transaction((tx) => setNameServerRecord(tx, machineId, { addresses }));
  }

  async member(name: string, spec: Partial<MemberSpec> = {}, poolId = this.poolId): Promise<string> {
    const id = newUuid();
    const whole: MemberSpec = {
      ...{ description: '', type: 'IP', addresses: ['192.0.2.1'], cname: null, loadBalancerId: null, port: 80 },
      ...{ region: null, weight: 1, priority: 0, place: null, parameters: {}, ...spec },
    };
    await this.ground.db.execute(
      'INSERT INTO gslb_pool_member (id, project_id, pool_id, name, spec, unique_key) VALUES (?, ?, ?, ?, ?, ?)',
      [id, this.projectId, poolId, name, JSON.stringify(whole), name],
    );
    return id;
  }

  async name(label: string, spec: Partial<GslbSpec> = {}, poolIds = [this.poolId], zoneName = zone): Promise<string> {
    const id = newUuid();
    const whole: GslbSpec = {
      ...{ description: '', policy: { preset: 'ROUND_ROBIN', steps: [] }, ttlSeconds: 30, degradedTtlSeconds: 5 },
      ...{ noneUp: { do: 'ALL' }, clientBlocks: [], ...spec },
    };
    const { db } = this.ground;
    const fqdn = `${label}.${zoneName}`;
    await db.execute(
      `INSERT INTO gslb (id, project_id, fqdn, live_fqdn, zone, flavor_id, spec, action, provisioning_status)
      VALUES (?, ?, ?, ?, ?, ?, ?, 'CREATE', 'PENDING')`,
      [id, this.projectId, fqdn, fqdn, zoneName, this.flavorId, JSON.stringify(whole)],
    );
    for (const [position, poolId] of poolIds.entries())
      await db.execute('INSERT INTO gslb_pool_use (gslb_id, pool_id, position) VALUES (?, ?, ?)', [
        id,
        poolId,
        position,
      ]);
    await this.work('gslb-plan', id);
    return id;
  }

  /** The next batch of a checker. */
  async batch(checker: TestChecker, said: Said, change: Partial<CheckerBatch> = {}): Promise<CheckerBatch> {
    const { db } = this.ground;
    checker.number += 1;
    const { vantagePoint, incarnation, number } = checker;
    const [row] = await db.query<{ epoch: number }>('SELECT epoch FROM gslb_vantage_point WHERE name = ?', [
      vantagePoint,
    ]);
    return {
      history: await readHistory(db),
      ...{ vantagePoint, incarnation, number, epoch: row?.epoch ?? 0, stampMs: await databaseNow(db), abstains: false },
      verdicts: Object.entries(said).map(([member, verdict]) => this.spoken(member, verdict)),
      past: [],
      load: { targets: 1, lateMs: 0, dropped: 0, abstains: null },
      ...change,
    };
  }

  spoken(member: string, verdict: Verdict): CheckerBatch['verdicts'][number] {
    const target = targetId({ member, monitor: this.monitorId });
    const message = verdict === 'DOWN' ? 'connection refused' : null;
    return { target, verdict, agoMs: 10, latencyMs: verdict === 'UP' ? 12 : null, message };
  }

  async say(checker: TestChecker, said: Said, change: Partial<CheckerBatch> = {}): Promise<void> {
    const { db } = this.ground;
    await recordBatch(db, this.dependencies, checker.id, await this.batch(checker, said, change));
  }

  /** Owes work and runs it like a worker. False if another worker has it. */
  async work(kind: string, key: string): Promise<boolean> {
    const { db } = this.ground;
    const owed = new OwedWork({ db });
    await db.transaction((tx) => owe(tx, kind, key));
    const job = await owed.claim(kind, key);
    if (job === undefined) return false;
    await this.#queues().get(kind)?.run(job, { signal: new AbortController().signal });
    return true;
  }

  /** Runs owed work like a worker. Returns a function that stops it. */
  worker(): () => Promise<void> {
    const { db, log } = this.ground;
    const owed = new OwedWork({ db, retry: reconcilingRetry });
    const queues = this.#queues();
    const run = async () => {
      for (const { kind, key } of await owed.dueRows({ kinds: [...queues.keys()], limit: 100 })) {
        const job = await owed.claim(kind, key);
        if (job === undefined) continue;
        const done = queues.get(kind)?.run(job, { signal: new AbortController().signal });
        await done?.catch((error: unknown) => owed.fail(job, error));
      }
      return false;
    };
    const loop = new Loop({ name: 'worker', log, pauseMs: () => 50, run });
    loop.start();
    return () => loop.stop();
  }

  #queues(): ReadonlyMap<string, OwedQueue> {
    const { db, wake } = this.ground;
    const queues = createEvaluationQueues({
      ...this.dependencies,
      db,
      wake,
      pendingMs: 60_000,
      nameRestMs: 86_400_000,
    });
    return new Map(queues.map((queue) => [queue.kind, queue]));
  }

  async plan(
    gslbId: string,
  ): Promise<{ readonly plan: NamePlan; readonly generation: number; readonly status: string }> {
    const [row] = await this.ground.db.query<{ plan: string; generation: number; status: string }>(
      'SELECT plan, generation, operating_status AS status FROM gslb WHERE id = ?',
      [gslbId],
    );
    return { ...(row ?? { generation: 0, status: '' }), plan: JSON.parse(row?.plan ?? 'null') };
  }

  /** The names of the members that are up in the plan. */
  async up(gslbId: string): Promise<readonly string[]> {
    const { plan } = await this.plan(gslbId);
    return plan.members.filter(({ up }) => up).map(({ memberId }) => memberId);
  }

  async count(sql: string, values: readonly string[] = []): Promise<number> {
    return Number((await this.ground.db.query<{ n: number }>(sql, values))[0]?.n);
  }
}
