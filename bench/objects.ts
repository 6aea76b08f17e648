// `npm run bench -- objects`: the cost of an object for three clusters, written and read by 16 clients with signatures, compared with
// OpenStack Swift with three replicas, with nginx serving a file, and with the smallest program of the same design. It measures the CPU
// time of all processes involved, including databases, in alternating turns.
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { Agent } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type BenchContext, type BenchResult, defineBench } from '../measure/bench.ts';
import { closedLoop } from '../measure/closed-loop.ts';
import { cpuMsOfTree } from '../measure/process-tree.ts';
import { median, rounded } from '../measure/statistics.ts';
import { waitFor } from '../tests/support/machine/temporary-folder.ts';
import { ask } from '../trials/objects/answers.ts';
import { Site } from '../trials/objects/site.ts';
import { startFloor } from './objects/floor.ts';
import { startNginx } from './objects/nginx.ts';
import { plainAsk, type Server } from './objects/server.ts';
import { startSwift, whyNoSwift } from './objects/swift.ts';
import { othersDuring } from './support/others.ts';

const counts = {
  rounds: { help: 'alternating rounds', usual: 7 },
  seconds: { help: 'of each kind in a round', usual: 4 },
  warm: { help: 'seconds of each kind that do not count, before the first round', usual: 8, least: 0 },
  clients: { help: 'clients at once', usual: 16 },
};

export const benchObjects = defineBench({ counts, run });

type Kind = 'put1k' | 'get1k' | 'put1m' | 'get1m';
const kinds: readonly Kind[] = ['put1k', 'get1k', 'put1m', 'get1m'];
const bytesOf = (kind: Kind) => (kind.endsWith('1k') ? 1_024 : 1_024 ** 2);
/** Objects that are read repeatedly. */
const readable = 64;
const requestMs = 30_000;
/** After this time, follow-up work of a write is done. */
const settleMs = 500;
const bars: Readonly<Record<string, number>> = {
  ...{ put1kRatio: 0.1, get1kRatio: 0.1, put1mRatio: 0.5, get1mRatio: 0.2, get1mToNginx: 4 },
};

async function run(context: BenchContext<keyof typeof counts>): Promise<BenchResult<keyof typeof counts>> {
  const { counts: wanted, progress, signal } = context;
  await using stack = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'tidegate-objects-'));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const agent = new Agent({ keepAlive: true, maxSockets: wanted.clients });
  stack.defer(() => agent.destroy());
  const missing = await whyNoSwift();
  if (missing !== undefined) progress(`without Swift: ${missing}`);
  const servers: readonly Server[] = [
    await ownServer(stack, agent),
    ...(missing === undefined ? [await swiftServer(stack, agent, join(folder, 'swift'))] : []),
    await nginxServer(stack, agent, join(folder, 'nginx')),
    await floorServer(stack, agent, join(folder, 'floor')),
  ];
  const bodies = new Map(kinds.map((kind) => [kind, randomBytes(bytesOf(kind))]));
  let unique = 0;
  for (const { put } of servers)
    for (const kind of ['get1k', 'get1m'] as const)
      for (let at = 0; at < readable; at += 1) await put?.(`${kind}-${at}`, bodies.get(kind) ?? Buffer.alloc(0));
  const measured = new Map<string, number[]>();
  const one = (kind: Kind, { put, get }: Server) => {
    const body = bodies.get(kind) ?? Buffer.alloc(0);
    return () => {
      unique += 1;
      return kind.startsWith('put') ? put(`${kind}-new-${unique}`, body) : get(`${kind}-${unique % readable}`);
    };
  };
  const turns = kinds.flatMap((kind) =>
    servers.flatMap((server) => (kind.startsWith('put') && server.isReadOnly ? [] : [{ kind, server }])),
  );
  const load = ({ kind, server }: (typeof turns)[number], seconds: number) => {
    signal.throwIfAborted();
    return closedLoop({ clients: wanted.clients, forMs: seconds * 1_000 }, one(kind, server));
  };
  // A program that has run for hours has compiled its hot code, opened its connections and created its folders.
  for (const turn of turns) await load(turn, wanted.warm);
  const { others } = await othersDuring(async () => {
    for (let round = 0; round < wanted.rounds; round += 1) {
      // Other load may change during a round, so every second round runs in reverse order.
      for (const turn of round % 2 === 0 ? turns : turns.toReversed()) {
        const { kind, server } = turn;
        const before = await cpuMsOf(server);
        const { latenciesMs } = await load(turn, wanted.seconds);
        await sleep(settleMs);
        const cpuMs = ((await cpuMsOf(server)) - before) / latenciesMs.length;
        const name = `${server.name} ${kind}`;
        measured.set(name, [...(measured.get(name) ?? []), cpuMs]);
      }
      progress(
        `round ${round + 1}: ${[...measured].map(([name, all]) => `${name} ${rounded(all.at(-1) ?? 0, 3)}`).join(', ')}`,
      );
    }
  });
  const ratio = (kind: Kind, to: string): number | null => {
    const [own, other] = [measured.get(`tidegate ${kind}`) ?? [], measured.get(`${to} ${kind}`)];
    return other === undefined ? null : rounded(median(own.map((value, at) => value / (other[at] ?? Number.NaN))), 3);
  };
  const ratios = {
    ...{ put1kRatio: ratio('put1k', 'swift'), get1kRatio: ratio('get1k', 'swift') },
    ...{
      put1mRatio: ratio('put1m', 'swift'),
      get1mRatio: ratio('get1m', 'swift'),
      get1mToNginx: ratio('get1m', 'nginx'),
    },
  };
  /** The cost relative to the unavoidable minimum. Not judged. */
  const toFloor = Object.fromEntries(kinds.map((kind) => [`${kind}ToFloor`, ratio(kind, 'floor')]));
  const cpuMs = Object.fromEntries([...measured].map(([name, all]) => [name, rounded(median(all), 3)]));
  const faults = Object.entries(ratios).flatMap(([name, value]) =>
    value !== null && value > (bars[name] ?? 0) ? [`${name} is ${value}, and should be at most ${bars[name]}`] : [],
  );
  const put1kCpuMs = cpuMs['tidegate put1k'] ?? null;
  return {
    figures: { ...ratios, ...toFloor, put1kCpuMs, cpuMs, others: rounded(others, 2), without: missing ?? null },
    faults,
  };
}

async function cpuMsOf({ pids }: Server): Promise<number> {
  let sum = 0;
  for (const pid of pids) sum += await cpuMsOfTree(pid);
  return sum;
}

async function ownServer(stack: AsyncDisposableStack, agent: Agent): Promise<Server> {
  const site = stack.adopt(await Site.open({ names: ['north', 'south', 'east'], ways: false }), (each) => each.close());
  const clients = site.clusters.flatMap(({ servers }) => servers.map((server) => server.client()));
  let turn = 0;
  const send = async (method: string, path: string, body?: Buffer) => {
    turn += 1;
    const client = clients[turn % clients.length] ?? clients[0];
    if (client === undefined) throw new Error('no server');
    const told = await ask(client, { method, path, ...(body && { body }) }, agent, requestMs);
    if (told.kind !== 'ANSWER' || told.status !== 200)
      throw new Error(
        `${method} ${path}: ${told.kind === 'ANSWER' ? `${told.status} ${told.text.slice(0, 200)}` : told.kind}`,
      );
  };
  await waitFor('a container', () =>
    send('PUT', '/bench').then(
      () => true,
      () => false,
    ),
  );
  return {
    name: 'tidegate',
    isReadOnly: false,
    pids: site.clusters.flatMap(({ servers, mariadb }) => [
      ...servers.map(({ child }) => child.pid),
      mariadb.running.pid,
    ]),
    put: (name, body) => send('PUT', `/bench/${name}`, body),
    get: (name) => send('GET', `/bench/${name}`),
  };
}

async function swiftServer(stack: AsyncDisposableStack, agent: Agent, folder: string): Promise<Server> {
  const { url, token, pids } = await startSwift(stack, folder);
  const headers = { 'x-auth-token': token };
  const put = (path: string, body: Buffer) => plainAsk(agent, 'PUT', `${url}/${path}`, headers, body);
  await put('bench', Buffer.alloc(0));
  return {
    ...{ name: 'swift', isReadOnly: false, pids, put: (name, body) => put(`bench/${name}`, body) },
    get: (name) => plainAsk(agent, 'GET', `${url}/bench/${name}`, headers),
  };
}

async function nginxServer(stack: AsyncDisposableStack, agent: Agent, folder: string): Promise<Server> {
  const { url, folder: files, pids } = await startNginx(stack, folder);
  return {
    ...{
      name: 'nginx',
      isReadOnly: true,
      pids,
      put: (name, body) => writeFile(join(files, name), body),
    },
    get: (name) => plainAsk(agent, 'GET', `${url}/${name}`, {}),
  };
}

async function floorServer(stack: AsyncDisposableStack, agent: Agent, folder: string): Promise<Server> {
  const { urls, pids } = await startFloor(stack, folder);
  let turn = 0;
  const send = (method: string, name: string, body?: Buffer) => {
    turn += 1;
    return plainAsk(agent, method, `${urls[turn % urls.length]}/objects/${name}`, {}, body);
  };
  return {
    ...{ name: 'floor', isReadOnly: false, pids },
    put: (name, body) => send('PUT', name, body),
    get: (name) => send('GET', name),
  };
}
