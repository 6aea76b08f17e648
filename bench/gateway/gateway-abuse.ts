// The cost of abusive documents for all other users: good requests at a fixed rate, without and with 5 % of the worst documents that the
// limits allow or refuse. Each such document is new. Short phases alternate. It is judged by the delay of the gateway's event loop and the
// latency of the good requests.
import { randomBytes } from 'node:crypto';
import { loadavg } from 'node:os';
import { SignJWT } from 'jose';
import { type BenchContext, type BenchResult, defineBench } from '../../measure/bench.ts';
import { Child } from '../../measure/child.ts';
import { cpuMsOf } from '../../measure/cpu.ts';
import { median, percentile, rounded } from '../../measure/statistics.ts';
import { newKeyPair } from '../../platform/secrets/key-pairs.ts';
import { newUuid } from '../../platform/values/ids.ts';
import { composeSupergraph } from '../../schema/compose.ts';
import type { AbuseFigures, AbuseOrder } from './abuse-load-process.ts';
import type { AbusedOrder, LoopDelay } from './abused-process.ts';
import { deviceGraph } from './device-graph.ts';
import type { GatewayOrder } from './own-gateway.ts';
import type { SubgraphPlace, SubgraphsOrder } from './subgraphs-process.ts';

const startDeadlineMs = 30_000;
const phaseGraceMs = 30_000;
const abusiveShare = 0.05;

const counts = {
  rounds: { help: 'rounds of a phase without and one with abusive documents', usual: 10 },
  seconds: { help: 'of each phase', usual: 5 },
  warmup: { help: 'seconds before the first phase', usual: 6 },
  rate: { help: 'good requests a second', usual: 100 },
  abusers: { help: 'users that send the abusive documents', usual: 200 },
};

export const benchGatewayAbuse = defineBench({ counts, run });

async function run({
  counts: { rounds, seconds, warmup, rate, abusers },
  seed,
  progress,
  signal,
}: BenchContext<keyof typeof counts>): Promise<BenchResult> {
  await using stack = new AsyncDisposableStack();
  const start = (module: string): Child => {
    const child = new Child(new URL(module, import.meta.url));
    stack.defer(() => child.stop());
    return child;
  };
  const { order, tokenOf, publicText } = newGateway();
  const publicKeys = { gateway: { k1: publicText }, system: {}, audit: {}, objects: {} };
  const places = await start('./subgraphs-process.ts').ask<readonly SubgraphPlace[]>(
    { graph: 'devices', publicKeys } satisfies SubgraphsOrder,
    startDeadlineMs,
  );
  const gateway = start('./abused-process.ts');
  const tell = <Reply>(told: AbusedOrder): Promise<Reply> => gateway.ask<Reply>(told, startDeadlineMs);
  const url = await tell<string>({
    gateway: { ...order, places: places.map(({ name, signedUrl }) => ({ name, urls: [signedUrl] as const })) },
  });
  const load = start('./abuse-load-process.ts');
  const token = await tokenOf();
  const users = await Promise.all(Array.from({ length: abusers }, tokenOf));
  let phases = 0;
  const phase = async (share: number, phaseSeconds: number): Promise<AbuseFigures> => {
    signal.throwIfAborted();
    phases += 1;
    const given: AbuseOrder = {
      ...{ url, token, abusers: users, perSecond: rate, abusiveShare: share, seconds: phaseSeconds },
      seed: seed + 2 * phases,
    };
    return load.ask<AbuseFigures>(given, phaseSeconds * 1000 + phaseGraceMs);
  };

  await phase(abusiveShare, warmup);
  const good: Record<'without' | 'with', number[]> = { without: [], with: [] };
  const p99s: Record<'without' | 'with', number[]> = { without: [], with: [] };
  const delays: Record<'without' | 'with', LoopDelay[]> = { without: [], with: [] };
  const cpuMs = { without: 0, with: 0 };
  const abusive: number[] = [];
  const outcomes: Record<string, number> = {};
  for (let round = 0; round < rounds; round += 1) {
    for (const name of round % 2 === 0 ? (['without', 'with'] as const) : (['with', 'without'] as const)) {
      const beforeMs = cpuMsOf(gateway.pid);
      await tell({ watch: true });
      const figures = await phase(name === 'with' ? abusiveShare : 0, seconds);
      delays[name].push(await tell<LoopDelay>({ watch: false }));
      cpuMs[name] += cpuMsOf(gateway.pid) - beforeMs;
      good[name].push(...figures.latenciesMs);
      p99s[name].push(percentile(figures.latenciesMs, 0.99));
      abusive.push(...figures.abusiveLatenciesMs);
      for (const [outcome, count] of Object.entries(figures.outcomes))
        outcomes[outcome] = (outcomes[outcome] ?? 0) + count;
    }
    const last = (name: 'without' | 'with') => rounded(p99s[name].at(-1) ?? Number.NaN, 1);
    progress(
      `round ${round + 1} of ${rounds}: p99 of good requests ${last('without')} ms without, ${last('with')} ms with`,
    );
  }
  const delayOf = (name: 'without' | 'with') => rounded(median(delays[name].map(({ p99Ms }) => p99Ms)), 1);
  for (const [outcome, count] of Object.entries(outcomes).sort()) progress(`${count} × ${outcome}`);
  const figures = {
    loopDelayP99Ms: delayOf('with'),
    // Computed by round, because a stall of the machine in one phase proves nothing.
    p99Ratio: rounded(median(p99s.with.map((ms, round) => ms / (p99s.without[round] ?? Number.NaN))), 2),
    loopDelayP99MsWithout: delayOf('without'),
    p99RatioOfAll: rounded(percentile(good.with, 0.99) / percentile(good.without, 0.99), 2),
    loopDelayMaxMs: rounded(Math.max(...delays.with.map(({ maxMs }) => maxMs)), 1),
    p99Ms: { without: p99(good.without), with: p99(good.with) },
    p50Ms: { without: rounded(percentile(good.without, 0.5), 1), with: rounded(percentile(good.with, 0.5), 1) },
    abusiveP50Ms: rounded(percentile(abusive, 0.5), 1),
    abusiveP99Ms: p99(abusive),
    gatewayCpuMsPerGoodRequest: {
      without: rounded(cpuMs.without / good.without.length, 2),
      with: rounded(cpuMs.with / good.with.length, 2),
    },
    abusiveRequests: abusive.length,
    goodRequests: good.with.length + good.without.length,
    machineLoad: rounded(loadavg()[0] ?? Number.NaN, 1),
  };
  return { figures };
}

function p99(latenciesMs: readonly number[]): number {
  return rounded(percentile(latenciesMs, 0.99), 1);
}

/** The settings of a gateway, and tokens of new users. */
function newGateway() {
  const { privateText, publicText } = newKeyPair();
  const jwtKey = randomBytes(32);
  const order: GatewayOrder = {
    graph: 'devices',
    supergraphSdl: composeSupergraph(new Map(deviceGraph.services.map(({ name, sdl }) => [name, sdl]))),
    keys: { active: 'k1', keys: { k1: privateText } },
    jwtKey: jwtKey.toString('base64'),
  };
  const tokenOf = (): Promise<string> =>
    new SignJWT({ sid: newUuid() })
      .setProtectedHeader({ alg: 'HS256', typ: 'JWT', kid: 'k1' })
      .setIssuer('tidegate')
      .setSubject(newUuid())
      .setIssuedAt()
      .setExpirationTime('30m')
      .sign(jwtKey);
  return { order, tokenOf, publicText };
}
