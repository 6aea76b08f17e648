// The cost of a request at this project's gateway, over subgraphs in its own process and over HTTP, and at Hive Gateway over the
// same HTTP subgraphs: 50 entities from three subgraphs, in short alternating rounds. The gateway's CPU time is reliable on a
// busy machine; for requests per second the processors are shared with the subgraphs and the load.
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { SignJWT } from 'jose';
import { defaultLimits } from '../../gateway/access/limits.ts';
import { newKeyPair } from '../../platform/secrets/key-pairs.ts';
import { newUuid } from '../../platform/values/ids.ts';
import { composeSupergraph } from '../../schema/compose.ts';
import { type BenchContext, type BenchResult, defineBench } from '../bench.ts';
import { Child } from '../support/child.ts';
import { cpuMsOf } from '../support/cpu.ts';
import { median, rounded } from '../support/statistics.ts';
import { services } from './graph.ts';
import { installHive, startHive } from './hive.ts';
import type { LoadFigures, LoadOrder } from './load-process.ts';
import type { GatewayOrder } from './own-gateway.ts';
import { checkSameAnswers, type MeasuredGateway } from './same-answers.ts';
import type { SubgraphPlace, SubgraphsOrder } from './subgraphs-process.ts';

const startDeadlineMs = 30_000;
const roundGraceMs = 20_000;

interface Round {
  readonly cpuMs: number;
  readonly requestsPerSecond: number;
}

const counts = {
  rounds: { help: 'alternating rounds', usual: 9 },
  seconds: { help: 'of each gateway in a round', usual: 2 },
  warmup: { help: 'seconds before the first round', usual: 4 },
  clients: { help: 'clients at once', usual: 8 },
};

export const benchGateway = defineBench({
  counts,
  against: {
    counts: { rounds: 3, seconds: 2, warmup: 4, clients: 8 },
    rounds: 7,
    cpuPerUnit: ['inProcessCpuMs', 'httpCpuMs'],
    measuredBy: 'its own benchmark',
  },
  run,
});

async function run({
  counts: { rounds, seconds, warmup: warmUpSeconds, clients },
  progress,
  signal,
}: BenchContext<keyof typeof counts>): Promise<BenchResult> {
  progress('installing Hive Gateway, if it is not there yet …');
  await installHive(signal);

  await using stack = new AsyncDisposableStack();
  const { gateways, token } = await startAll(stack, signal);
  await checkSameAnswers(gateways, token, defaultLimits);
  progress('all gateways give the same answers and refuse the same requests');

  const load = startChild(stack, './load-process.ts');
  const runRound = async ({ url, pid }: MeasuredGateway, roundSeconds: number): Promise<Round> => {
    signal.throwIfAborted();
    const beforeMs = cpuMsOf(pid);
    const order: LoadOrder = { url, token, clients, seconds: roundSeconds };
    const { requests, elapsedMs } = await load.ask<LoadFigures>(order, roundSeconds * 1000 + roundGraceMs);
    return { cpuMs: (cpuMsOf(pid) - beforeMs) / requests, requestsPerSecond: (requests * 1000) / elapsedMs };
  };
  for (const gateway of gateways) await runRound(gateway, warmUpSeconds);
  const results = new Map<string, Round[]>(gateways.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round += 1) {
    // The order changes in each round, so that none always follows the same one.
    const order = round % 2 === 0 ? gateways : gateways.toReversed();
    for (const gateway of order) results.get(gateway.name)?.push(await runRound(gateway, seconds));
    const line = gateways.map(({ name }) => `${name} ${results.get(name)?.at(-1)?.cpuMs.toFixed(2)}`).join(', ');
    progress(`round ${round + 1} of ${rounds}, CPU ms per request: ${line}`);
  }

  const cpuOf = (name: string): number[] => (results.get(name) ?? []).map(({ cpuMs }) => cpuMs);
  const figuresOf = (name: string) => {
    const all = results.get(name) ?? [];
    const cpu = cpuOf(name);
    return {
      cpuMs: rounded(median(cpu), 3),
      spread: [rounded(Math.min(...cpu), 3), rounded(Math.max(...cpu), 3)],
      perSecond: rounded(median(all.map(({ requestsPerSecond }) => requestsPerSecond)), 0),
    };
  };
  const [inProcess, http, hive] = [figuresOf('inProcess'), figuresOf('http'), figuresOf('hive')];
  const figures = {
    inProcessCpuMs: inProcess.cpuMs,
    httpCpuMs: http.cpuMs,
    hiveCpuMs: hive.cpuMs,
    httpToHive: rounded(http.cpuMs / hive.cpuMs, 3),
    // Per round: other load on the machine affects both.
    httpToHiveByRound: rounded(median(cpuOf('http').map((ms, round) => ms / (cpuOf('hive')[round] ?? Number.NaN))), 3),
    inProcessRequestsPerSecond: inProcess.perSecond,
    httpRequestsPerSecond: http.perSecond,
    hiveRequestsPerSecond: hive.perSecond,
    cpuMsSpread: { inProcess: inProcess.spread, http: http.spread, hive: hive.spread },
    rounds,
    clients,
    machineLoad: rounded(loadavg()[0] ?? Number.NaN, 1),
  };
  return { figures };
}

function startChild(stack: AsyncDisposableStack, module: string): Child {
  const child = new Child(new URL(module, import.meta.url));
  stack.defer(() => child.stop());
  return child;
}

async function startAll(
  stack: AsyncDisposableStack,
  signal: AbortSignal,
): Promise<{ gateways: readonly MeasuredGateway[]; token: string }> {
  const { privateText, publicText } = newKeyPair();
  const keys = { active: 'k1', keys: { k1: privateText } };
  const publicKeys = { gateway: { k1: publicText }, system: {}, audit: {}, objects: {} };
  const jwtKey = randomBytes(32);
  const token = await new SignJWT({ sid: newUuid() })
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT', kid: 'k1' })
    .setIssuer('tidegate')
    .setSubject(newUuid())
    .setIssuedAt()
    .setExpirationTime('15m')
    .sign(jwtKey);
  const workFolder = await mkdtemp(join(tmpdir(), 'tidegate-bench-'));
  stack.defer(() => rm(workFolder, { recursive: true, force: true }));
  const supergraphSdl = composeSupergraph(new Map(services.map(({ name, sdl }) => [name, sdl])));

  const subgraphs = startChild(stack, './subgraphs-process.ts');
  const places = await subgraphs.ask<readonly SubgraphPlace[]>(
    { publicKeys } satisfies SubgraphsOrder,
    startDeadlineMs,
  );
  const startOurs = async (name: string, order: GatewayOrder): Promise<MeasuredGateway> => {
    const child = startChild(stack, './gateway-process.ts');
    return { name, url: await child.ask<string>(order, startDeadlineMs), pid: child.pid };
  };
  const ours = { supergraphSdl, keys, jwtKey: jwtKey.toString('base64') };
  const signed = places.map(({ name, signedUrl }) => ({ name, urls: [signedUrl] as const }));
  const inProcess = await startOurs('inProcess', { ...ours });
  const http = await startOurs('http', { ...ours, places: signed });
  const hive = await startHive({ supergraphSdl, places, jwtKey, limits: defaultLimits, workFolder, signal });
  stack.defer(() => hive.stop());
  return { gateways: [inProcess, http, { name: 'hive', url: hive.url, pid: hive.pid }], token };
}
