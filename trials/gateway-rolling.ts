// `npm run trials -- gateway-rolling`: two gateways and two processes of each subgraph are restarted one after the other, and the graph is
// replaced. Meanwhile a client sends requests without repeating any, and subscriptions stay open. The oracles are the client's own log, the
// versions of the objects that it changed, and the table of events.
// needs: system, haproxy
import { readFile } from 'node:fs/promises';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { redisPrefix } from '../compose/places.ts';
import { GraphClient, type MutationAnswer, notRefused } from '../measure/graph-client.ts';
import { rounded } from '../measure/statistics.ts';
import { startWholeSystem, type WholeSystem } from '../measure/whole-system.ts';
import { CursorSealer } from '../platform/secrets/cursor-sealer.ts';
import { keyFilePath } from '../platform/secrets/key-folder.ts';
import { openKeyring } from '../platform/secrets/keyring.ts';
import { encodeId } from '../platform/values/ids.ts';
import { subgraphRows } from '../subgraphs/rows.ts';
import { LocalContext } from '../tests/support/product/test-context.ts';
import { defineTrial, type TrialRun } from './define-trial.ts';
import { planOf, type ReaderPlan } from './events/gateway-plans.ts';
import { GatewayReader } from './events/gateway-reader.ts';
import { sequencedTable } from './events/status-table.ts';
import { judgeItems, type TableRow } from './events/verdict.ts';
import { Writers } from './events/writers.ts';
import { startFront } from './gateway-rolling/front.ts';
import { RollingLoad } from './gateway-rolling/load.ts';
import { OutsideSubgraph } from './gateway-rolling/outside.ts';
import { seededRandom } from './random.ts';
import { folderOption } from './trial-options.ts';

interface RollingOptions extends TrialRun {
  readonly rounds: number;
  readonly perSecond: number;
  readonly subscriptions: number;
  /** Must be accessible to the user of the embedded servers. */
  readonly folder: string;
}

interface RollingResult {
  readonly seed: number;
  /** Rounds in which everything was restarted and the graph was replaced. */
  readonly rounds: number;
  readonly requests: number;
  /** Requests without an answer, or with errors. */
  readonly failed: number;
  /** Changes that were made more often or less often than they were answered. */
  readonly repeated: number;
  /** Events that a subscription missed, got twice or got in the wrong order, and subscriptions that ended. */
  readonly gaps: number;
  readonly subscriptions: number;
  readonly deliveries: number;
  readonly restarts: number;
  readonly swaps: number;
  readonly seconds: number;
  readonly machineLoad: number;
  readonly findings: readonly string[];
}

export const trialGatewayRolling = defineTrial({
  counts: {
    rounds: { help: 'restarts of everything, each with a new graph', usual: 3, full: 20 },
    perSecond: { help: 'requests in a second', usual: 100, full: 200 },
    subscriptions: { help: 'subscriptions', usual: 200, full: 1_000 },
  },
  options: { folder: folderOption('the logs of all processes') },
  run: (given) => runRolling(given),
  mustBeZero: ['failed', 'repeated', 'gaps'],
});

const backMs = 90_000;
const settleMs = 60_000;
const startsAtOnce = 50;
const socketsOfToken = 90;
const eventsPerRound = 60;
const holdMs = 200;

export async function runRolling(options: RollingOptions): Promise<RollingResult> {
  const { seed, rounds, perSecond, subscriptions, folder, signal, progress = () => {} } = options;
  const startedMs = performance.now();
  await using cleanup = new AsyncDisposableStack();
  const own = <T extends { stop(): Promise<unknown> }>(resource: T): T => {
    cleanup.defer(async () => void (await resource.stop()));
    return resource;
  };
  const names = subgraphRows.map(({ name }) => name);
  // All clients are one user.
  const settings = {
    'database.connections': 8,
    'sockets.maxPerUser': subscriptions + 10,
    'subscriptions.maxPerUser': subscriptions + 10,
  };
  const system = own(
    await startWholeSystem({ folder, lab: false, twice: names, settings, ...(signal === undefined ? {} : { signal }) }),
  );
  const gateways = ['gateway-1', 'gateway-2'].map((name) => ({ name, url: urlOf(system, name) }));
  const front = own(
    await startFront(
      folder,
      gateways.map(({ url }) => url),
    ),
  );
  const outside = own(new OutsideSubgraph({ folder, gateways, token: () => administratorToken(front.url, folder) }));
  await outside.start();
  const load = new RollingLoad({ url: front.url, token: system.token, perSecond, random: seededRandom(seed) });
  cleanup.defer(() => load.close());
  await load.prepare();

  const { connection, projectId } = system;
  const redis = { path: system.redisPath, prefix: redisPrefix };
  const ground = own(new LocalContext({ connection, connectionLimit: 6 }, { redis }));
  const writing = new Writers({ ...ground, random: seededRandom(seed + 1), writers: 4, holdMs, projectId });
  await writing.prepare();
  const cursors = new CursorSealer(await openKeyring(keyFilePath(join(folder, 'keys'), 'subgraphs')));
  const tokens = await readerTokens(front.url, folder, { projectId, count: Math.ceil(subscriptions / socketsOfToken) });
  const readers = Array.from({ length: subscriptions }, (_, index) => {
    const plan = planOf(index, projectId, writing.subjects);
    const token = tokens[index % tokens.length] ?? '';
    const common = { url: front.url, token, cursors, random: seededRandom(seed + 2 + index) };
    const asked = { filter: plan.filter, fields: plan.fields, after: undefined, longestMs: undefined };
    return { plan, reader: own(new GatewayReader({ ...common, ...asked })) };
  });
  // If many sockets of one network have not logged in yet, a gateway closes the oldest of them.
  for (let from = 0; from < readers.length; from += startsAtOnce)
    await Promise.all(readers.slice(from, from + startsAtOnce).map(({ reader }) => reader.start()));
  progress(`${subscriptions} subscriptions have begun`);

  let restarts = 0;
  let done = 0;
  load.start();
  const parts = [...gateways.map(({ name }) => name), ...names.flatMap((name) => [`${name}-1`, `${name}-2`])];
  for (; done < rounds && options.timeIsUp?.() !== true; done += 1) {
    const writes = writing.round(eventsPerRound);
    for (const name of parts) {
      signal?.throwIfAborted();
      await restart(system, name, gateways);
      restarts += 1;
    }
    await outside.swap();
    await writes;
    progress(`round ${done + 1}: ${load.requests} requests, ${load.failed} failed; ${writing.written.length} events`);
  }
  await load.finish();
  const table = await sequencedTable(ground.db, projectId);
  const findings = [...load.faults];
  const gaps = await gapsOf(readers, table, findings);
  return {
    ...{ seed, rounds: done, requests: load.requests, failed: load.failed, repeated: await load.repeated(), gaps },
    ...{ subscriptions, restarts, swaps: outside.swaps, findings },
    deliveries: readers.reduce((sum, { reader }) => sum + reader.received, 0),
    seconds: Math.round((performance.now() - startedMs) / 1_000),
    machineLoad: rounded(loadavg()[0] ?? Number.NaN, 1),
  };
}

/** As an operator would: the next one is restarted only when this one is back and both gateways reach it. */
export async function restart(
  system: WholeSystem,
  name: string,
  gateways: readonly { readonly url: string }[],
): Promise<void> {
  const part = system.part(name);
  const lives = part.lives.length;
  part.kill('SIGTERM');
  const untilMs = performance.now() + backMs;
  const isBack = () => part.lives.length > lives && part.up;
  while (!isBack() || !(await allReady(gateways))) {
    if (performance.now() > untilMs) throw new Error(`${name} did not come back in ${backMs} ms`);
    await sleep(50);
  }
}

async function allReady(gateways: readonly { readonly url: string }[]): Promise<boolean> {
  const answers = gateways.map(({ url }) => fetch(`${url}/health/ready`).catch(() => undefined));
  return (await Promise.all(answers)).every((answer) => answer?.status === 200);
}

export function urlOf(system: WholeSystem, name: string): string {
  const { url } = system.part(name).current as { readonly url?: string };
  if (url === undefined) throw new Error(`${name} did not report its URL`);
  return url;
}

async function administratorToken(url: string, folder: string): Promise<string> {
  const password = (await readFile(join(folder, 'admin.password'), 'utf8')).trim();
  const graph = new GraphClient(url, 1);
  const login = 'mutation ($input: LoginInput!) { login(input: $input) { accessToken userErrors { code message } } }';
  try {
    type LoggedIn = { login: MutationAnswer & { accessToken: string } };
    const { login: answer } = await graph.ask<LoggedIn>(login, { input: { name: 'admin', password } });
    return notRefused(answer).accessToken;
  } finally {
    await graph.close();
  }
}

/** Users that may each have a hundred sockets at a gateway, so that one gateway can hold all of them while the other restarts. */
async function readerTokens(
  url: string,
  folder: string,
  { projectId, count }: { readonly projectId: string; readonly count: number },
): Promise<readonly string[]> {
  const ask = new GraphClient(url, 1);
  const create = `mutation ($input: ApiTokenCreateInput!) { apiTokenCreate(input: $input) { secret userErrors { code message } } }`;
  try {
    const administrator = await administratorToken(url, folder);
    const tokens: string[] = [];
    for (let number = 0; number < count; number += 1) {
      const input = { name: `readers-${number}`, projectId: encodeId('Project', projectId), role: 'VIEWER' };
      type Created = { apiTokenCreate: MutationAnswer & { secret: string } };
      const { apiTokenCreate } = await ask.ask<Created>(create, { input }, administrator);
      tokens.push(notRefused(apiTokenCreate).secret);
    }
    return tokens;
  } finally {
    await ask.close();
  }
}

interface Judged {
  readonly plan: ReaderPlan;
  readonly reader: GatewayReader;
}

/** Waits until all subscriptions have all their events or the time is up, then judges them. */
export async function gapsOf(
  readers: readonly Judged[],
  table: readonly TableRow[],
  findings: string[],
): Promise<number> {
  const owed = readers.map(({ plan, reader }) => {
    const start = reader.beginning ?? 0;
    return table.filter((row) => row.seq > start && plan.wants(row));
  });
  const untilMs = performance.now() + settleMs;
  const waits = () => readers.some(({ reader }, index) => reader.received < (owed[index]?.length ?? 0));
  while (waits() && performance.now() < untilMs) await sleep(20);
  // If there are repeated events, they arrive now.
  await sleep(300);
  await Promise.all(readers.map(({ reader }) => reader.stop()));
  let gaps = 0;
  readers.forEach(({ plan, reader }, index) => {
    const verdict = judgeItems(reader.items, owed[index] ?? []);
    const wrong = Object.values(verdict).reduce((sum, count) => sum + count, reader.faults.length);
    gaps += wrong;
    if (wrong > 0)
      findings.push(`subscription ${index} ${JSON.stringify({ ...plan.filter, ...verdict })} ${reader.faults}`);
  });
  return gaps;
}
