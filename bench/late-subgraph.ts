// The cost of a subgraph that answers late, never, or with rubbish for the requests that do not need it. Their latency is measured beside
// the same number of requests that need it, and compared with rounds in which the subgraph answers well.
import { randomBytes } from 'node:crypto';
import { loadavg } from 'node:os';
import { SignJWT } from 'jose';
import { type BenchContext, type BenchResult, defineBench } from '../measure/bench.ts';
import { Child } from '../measure/child.ts';
import { cpuMsOf } from '../measure/cpu.ts';
import { median, percentile, rounded } from '../measure/statistics.ts';
import { newKeyPair } from '../platform/secrets/key-pairs.ts';
import { newUuid } from '../platform/values/ids.ts';
import { composeSupergraph } from '../schema/compose.ts';
import { deviceGraph } from './gateway/device-graph.ts';
import type { GatewayOrder } from './gateway/own-gateway.ts';
import type { SubgraphPlace, SubgraphsOrder } from './gateway/subgraphs-process.ts';
import type { FrontMode, FrontOrder } from './late-subgraph/front-process.ts';
import type { LateLoadFigures, LateLoadOrder } from './late-subgraph/load-process.ts';

const startDeadlineMs = 30_000;
const roundGraceMs = 30_000;
const lateName = 'traffic';
const modes: readonly FrontMode[] = ['well', 'late', 'never', 'rubbish'];

const counts = {
  rounds: { help: 'rounds of all four kinds of answers', usual: 12, full: 40 },
  seconds: { help: 'of each kind in a round', usual: 4 },
  measured: { help: 'requests per second that do not need the subgraph', usual: 60 },
  needing: { help: 'requests per second that need it', usual: 30 },
  deadline: { help: 'of its queries', unit: 'ms', usual: 1000, least: 100 },
};

export const benchLateSubgraph = defineBench({ counts, run });

async function run({
  counts: { rounds, seconds, measured, needing, deadline },
  progress,
  signal,
}: BenchContext<keyof typeof counts>): Promise<BenchResult> {
  await using stack = new AsyncDisposableStack();
  const { url, pid, token, front } = await startAll(stack, deadline);
  const load = startChild(stack, './late-subgraph/load-process.ts');
  const measure = async (mode: FrontMode, forSeconds: number): Promise<Figures> => {
    signal.throwIfAborted();
    await front.ask({ mode } satisfies FrontOrder, startDeadlineMs);
    const order: LateLoadOrder = { url, token, seconds: forSeconds, measured, needing };
    const beforeMs = cpuMsOf(pid);
    const figures = await load.ask<LateLoadFigures>(order, forSeconds * 1000 + roundGraceMs);
    return { ...figures, cpuMs: (cpuMsOf(pid) - beforeMs) / (forSeconds * (measured + needing)) };
  };
  for (const mode of [...modes, 'well'] as const) await measure(mode, 2);
  const results = new Map<FrontMode, Figures[]>(modes.map((mode) => [mode, []]));
  for (let round = 0; round < rounds; round += 1) {
    // The order changes in each round, so that no gateway always follows the same one.
    const order = modes.map((_, index) => modes[(index + round) % modes.length] as FrontMode);
    for (const mode of order) results.get(mode)?.push(await measure(mode, seconds));
    const line = modes.map((mode) => `${mode} ${results.get(mode)?.at(-1)?.p99Ms.toFixed(1)}`).join(', ');
    progress(`round ${round + 1} of ${rounds}, p99 in ms: ${line}`);
  }
  const of = (mode: FrontMode, figure: keyof Figures) => (results.get(mode) ?? []).map((each) => each[figure]);
  const ratio = (mode: FrontMode, figure: 'p50Ms' | 'p99Ms' | 'cpuMs') => {
    const well = of('well', figure);
    // Computed per round, because other load on the machine affects all kinds.
    return rounded(median(of(mode, figure).map((ms, round) => ms / (well[round] ?? Number.NaN))), 3);
  };
  const figuresOf = (mode: FrontMode) => ({
    p99ToWell: ratio(mode, 'p99Ms'),
    p50ToWell: ratio(mode, 'p50Ms'),
    cpuToWell: ratio(mode, 'cpuMs'),
    p99Ms: rounded(median(of(mode, 'p99Ms')), 2),
    // Uses the quieter rounds, because other load on the machine delays single requests.
    quietP99Ms: rounded(percentile(of(mode, 'p99Ms'), 0.25), 2),
    p50Ms: rounded(median(of(mode, 'p50Ms')), 2),
    partial: of(mode, 'partial').reduce((sum, count) => sum + count, 0),
    whole: of(mode, 'whole').reduce((sum, count) => sum + count, 0),
  });
  const figures = Object.fromEntries(modes.map((mode) => [mode, figuresOf(mode)]));
  const wrong = modes.filter((mode) => {
    const { partial, whole } = figuresOf(mode);
    return mode === 'well' ? partial > 0 : whole > 0;
  });
  return {
    figures: { ...figures, machineLoad: rounded(loadavg()[0] ?? Number.NaN, 1) },
    faults: wrong.map((mode) => `a request that needs the subgraph has the wrong answer while it answers ${mode}`),
  };
}

/** Includes the gateway's CPU time per request. */
type Figures = LateLoadFigures & { readonly cpuMs: number };

function startChild(stack: AsyncDisposableStack, module: string): Child {
  const child = new Child(new URL(module, import.meta.url));
  stack.defer(() => child.stop());
  return child;
}

async function startAll(stack: AsyncDisposableStack, queryDeadlineMs: number) {
  const { privateText, publicText } = newKeyPair();
  const jwtKey = randomBytes(32);
  const token = await new SignJWT({ sid: newUuid() })
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT', kid: 'k1' })
    .setIssuer('tidegate')
    .setSubject(newUuid())
    .setIssuedAt()
    .setExpirationTime('2h')
    .sign(jwtKey);
  const subgraphs = startChild(stack, './gateway/subgraphs-process.ts');
  const publicKeys = { gateway: { k1: publicText }, system: {}, audit: {}, objects: {} };
  const served = await subgraphs.ask<readonly SubgraphPlace[]>(
    { graph: 'devices', publicKeys } satisfies SubgraphsOrder,
    startDeadlineMs,
  );
  const front = startChild(stack, './late-subgraph/front-process.ts');
  const subgraphUrl = served.find(({ name }) => name === lateName)?.signedUrl ?? '';
  const frontUrl = await front.ask<string>({ subgraphUrl } satisfies FrontOrder, startDeadlineMs);
  const places = served.map(({ name, signedUrl }) =>
    name === lateName ? { name, urls: [frontUrl] as const, queryDeadlineMs } : { name, urls: [signedUrl] as const },
  );
  const gateway = startChild(stack, './gateway/gateway-process.ts');
  const order: GatewayOrder = {
    graph: 'devices',
    supergraphSdl: composeSupergraph(new Map(deviceGraph.services.map(({ name, sdl }) => [name, sdl]))),
    keys: { active: 'k1', keys: { k1: privateText } },
    ...{ jwtKey: jwtKey.toString('base64'), places },
  };
  return { url: await gateway.ask<string>(order, startDeadlineMs), pid: gateway.pid, token, front };
}
