// `npm run trials -- neighbours`: one user of one project sends as many concurrent reads as the limits allow: each list with each of its
// filters, and a document of many statements. Users of other projects, who read now and then, continue. The tables are filled by SQL.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism, loadavg } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { endingWithParent } from '../embedded/ends-with-parent.ts';
import { AllInOneSystem } from '../measure/all-in-one.ts';
import { GraphClient, type MutationAnswer, notRefused } from '../measure/graph-client.ts';
import { percentile, rounded } from '../measure/statistics.ts';
import { Database } from '../platform/database/database.ts';
import { encodeId, newUuid } from '../platform/values/ids.ts';
import { defineTrial } from './define-trial.ts';

interface NeighboursOptions {
  /** Users of other projects. */
  readonly users: number;
  /** The number of mappings and of calls, most of which belong to the flooder. */
  readonly rows: number;
  /** Concurrent requests of the flooder, with one phase for each number. */
  readonly parallel: readonly number[];
  /** The duration of each phase, including the quiet one before. */
  readonly seconds: number;
  readonly signal: AbortSignal;
  readonly progress?: (line: string) => void;
}

interface NeighboursResult {
  readonly users: number;
  /** The ratio of the worst phase to the quiet one. */
  readonly p99Ratio: number;
  /** The same while unrelated processes keep each processor busy and send nothing: the share of this machine that remains for every user. */
  readonly floorRatio: number;
  /** Reads of the other users that got no answer. */
  readonly failed: number;
  readonly quietP99Ms: number;
  readonly phases: readonly {
    readonly parallel: number;
    readonly p50Ms: number;
    readonly p99Ms: number;
    readonly reads: number;
    readonly flooded: number;
    readonly refused: number;
  }[];
}

export const trialNeighbours = defineTrial({
  counts: {
    users: { help: 'users of other projects', usual: 20, full: 100 },
    rows: { help: 'mappings, and as many calls', usual: 100_000, full: 1_000_000 },
    seconds: { help: 'duration of each phase', unit: 's', usual: 10, full: 30 },
  },
  async run(given) {
    const figures = await runNeighbours({ ...given, parallel: [8, 50, 200] });
    return { ...figures, machineLoad: rounded(loadavg()[0] ?? Number.NaN, 1) };
  },
  mustBeZero: ['failed'],
});

const pauseMs = 100;
const own = 'query($p: ID!) { mappings(projectId: $p, first: 10) { nodes { id } } }';
/** `rare` matches no row, so the search continues to its end. */
const floods = [
  ...['verification: [DRIFTED]', 'mappingStates: [ORPHAN]', 'objectKey: "rare"', 'resource: "rare"', 'scope: "rare"'],
  ...['updatedBefore: "2020-01-01T00:00:00Z"', 'cmpObject: { type: "tenant", externalId: "rare" }'],
]
  .map((filter) => `mappings(projectId: $p, first: 100, ${filter}) { nodes { id } }`)
  .concat([
    'relayOperations(projectId: $p, first: 100, text: "rare") { nodes { id } }',
    'relayOperations(projectId: $p, first: 100, names: ["rare"]) { nodes { id } }',
    'backends(projectId: $p, first: 100, site: "rare") { nodes { id } }',
    'loadBalancers(projectId: $p, first: 100, tag: "rare") { nodes { id } }',
    'statusHistory(projectId: $p, first: 100, kinds: ["gslb.operatingStatus"]) { nodes { id } }',
    'gslbHistory(projectId: $p, first: 100) { nodes { id } }',
    'mappings(projectId: $p, first: 100) { nodes { id backend { name } operation { id } } } relayOperations(projectId: $p, first: 50) { nodes { id changedMappings { id } } }',
  ])
  .map((fields) => `query($p: ID!) { ${fields} }`);

interface Tenant {
  readonly token: string;
  readonly project: string;
}

export async function runNeighbours(options: NeighboursOptions): Promise<NeighboursResult> {
  await using stack = new AsyncDisposableStack();
  const { users, rows, parallel, seconds, signal, progress = () => undefined } = options;
  const system = await AllInOneSystem.start(stack, { withLab: false });
  const { url, adminPassword, database } = system.started;
  const client = new GraphClient(url, 300);
  stack.defer(() => client.close());
  const tenants = await makeTenants(client, adminPassword, users + 1);
  const [flooder, ...others] = tenants;
  if (flooder === undefined) throw new Error('there is no flooder');
  await fill(
    database,
    tenants.map(({ project }) => project),
    rows,
  );
  const readers = new GraphClient(url, users);
  stack.defer(() => readers.close());

  let failed = 0;
  const phase = async (count: number) => {
    const latenciesMs: number[] = [];
    const seen = { flooded: 0, refused: 0 };
    const untilMs = performance.now() + seconds * 1_000;
    const goesOn = () => performance.now() < untilMs && !signal.aborted;
    const flood = async (_: unknown, number: number) => {
      for (let turn = number; goesOn(); turn += 1) {
        const query = floods[turn % floods.length] ?? own;
        await client.ask(query, { p: flooder.project }, flooder.token).then(
          () => {
            seen.flooded += 1;
          },
          () => {
            seen.refused += 1;
          },
        );
      }
    };
    const read = async (tenant: Tenant) => {
      while (goesOn()) {
        const askedMs = performance.now();
        await readers.ask(own, { p: tenant.project }, tenant.token).then(
          () => void latenciesMs.push(performance.now() - askedMs),
          (error: unknown) => {
            failed += 1;
            progress(`a read failed: ${String(error).slice(0, 200)}`);
          },
        );
        await sleep(pauseMs);
      }
    };
    await Promise.all([...Array.from({ length: count }, flood), ...others.map(read)]);
    const figures = {
      ...{ parallel: count, reads: latenciesMs.length, ...seen },
      p50Ms: rounded(percentile(latenciesMs, 0.5), 1),
      p99Ms: rounded(percentile(latenciesMs, 0.99), 1),
    };
    progress(JSON.stringify(figures));
    return figures;
  };
  await phase(0);
  const quiet = await phase(0);
  const floor = await besideStrangers(() => phase(0));
  const phases: Awaited<ReturnType<typeof phase>>[] = [];
  for (const count of parallel) phases.push(await phase(count));
  const worstMs = Math.max(...phases.map(({ p99Ms }) => p99Ms));
  const [p99Ratio = 0, floorRatio = 0] = [worstMs, floor.p99Ms].map((ms) => rounded(ms / quiet.p99Ms, 2));
  return { users, p99Ratio, floorRatio, failed, quietP99Ms: quiet.p99Ms, phases };
}

/** One process per processor that only uses CPU time. */
async function besideStrangers<Result>(work: () => Promise<Result>): Promise<Result> {
  const strangers = Array.from({ length: availableParallelism() }, () =>
    spawn(...endingWithParent(process.execPath, ['--eval', 'for (;;);']), { stdio: 'ignore' }),
  );
  try {
    return await work();
  } finally {
    for (const each of strangers) each.kill('SIGKILL');
    await Promise.all(strangers.map((each) => each.exitCode ?? each.signalCode ?? once(each, 'exit')));
  }
}

/** Each one has a project and a viewer's token. */
async function makeTenants(client: GraphClient, password: string, count: number): Promise<readonly Tenant[]> {
  type Done<Field> = { readonly done: MutationAnswer & Field };
  const logIn = `mutation ($input: LoginInput!) { done: login(input: $input) { accessToken userErrors { code message } } }`;
  const login = await client.ask<Done<{ accessToken: string }>>(logIn, { input: { name: 'admin', password } });
  const { accessToken } = notRefused(login.done);
  const makeProject = `mutation ($input: ProjectCreateInput!) { done: projectCreate(input: $input) { project { id } userErrors { code message } } }`;
  const makeToken = `mutation ($input: ApiTokenCreateInput!) { done: apiTokenCreate(input: $input) { secret userErrors { code message } } }`;
  const tenants: Tenant[] = [];
  for (let number = 0; number < count; number += 1) {
    const input = { name: `tenant-${number}` };
    const made = await client.ask<Done<{ project: { id: string } }>>(makeProject, { input }, accessToken);
    const project = notRefused(made.done).project.id;
    const wish = { input: { projectId: project, name: 'reader', role: 'VIEWER' } };
    const token = await client.ask<Done<{ secret: string }>>(makeToken, wish, accessToken);
    tenants.push({ project, token: notRefused(token.done).secret });
  }
  return tenants;
}

/** Nine out of ten rows belong to the first project. */
async function fill(
  connection: ConstructorParameters<typeof Database>[0]['connection'],
  projects: readonly string[],
  rows: number,
) {
  const db = new Database({ connection, connectionLimit: 2 });
  try {
    const uuids = projects.map((id) => Buffer.from(id, 'base64url').toString().split(':')[1] ?? '');
    const backend = newUuid();
    if (encodeId('Project', uuids[0] ?? '') !== projects[0]) throw new Error('the id of a project is not as expected');
    const project = `IF(seq MOD 10 > 0, '${uuids[0]}', ELT(1 + (seq DIV 10) MOD ${uuids.length - 1}, ${uuids
      .slice(1)
      .map((id) => `'${id}'`)
      .join(', ')}))`;
    const uuid = (kind: string) =>
      `CONCAT('019${kind}', LPAD(HEX(seq DIV 65536), 4, '0'), '-', LPAD(LOWER(HEX(seq MOD 65536)), 4, '0'), '-7000-8001-', LPAD(LOWER(HEX(seq)), 12, '0'))`;
    const step = 20_000;
    for (let from = 0; from < rows; from += step) {
      const seq = `seq_${from}_to_${Math.min(rows, from + step) - 1}`;
      await db.execute(
        `INSERT INTO operation (id, project_id, backend_id, name, effect, state, cmp_namespace, cmp_type, cmp_id, resource, scope, object_key, object_hash,
          arguments, call_deadline_ms, timeline, created_at, requested_by)
        SELECT ${uuid('c')}, ${project}, '${backend}', 'address.create', 'NON_IDEMPOTENT', 'SUCCEEDED', 'default', 'tenant', CONCAT('t', seq MOD 100),
          'address', 'root', CONCAT('o', seq), SHA2(CONCAT('o', seq), 256), '{}', 30000, 1, NOW(3) - INTERVAL ${rows} - seq SECOND, 'cmp' FROM ${seq}`,
      );
      await db.execute(
        `INSERT INTO mapping (id, project_id, namespace, cmp_type, cmp_id, backend_id, resource, scope, object_key, object_hash, owner_slot, state,
          operation_id, last_operation_id)
        SELECT ${uuid('d')}, ${project}, 'default', 'tenant', CONCAT('t', seq MOD 100), '${backend}', 'address', 'root', CONCAT('o', seq),
          SHA2(CONCAT('o', seq), 256), '', 'ACTIVE', ${uuid('c')}, ${uuid('c')} FROM ${seq}`,
      );
    }
    await db.query('ANALYZE TABLE mapping, operation');
  } finally {
    await db.close();
  }
}
