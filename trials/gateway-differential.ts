// `npm run trials -- gateway-differential`: the gateway's executor on random federated graphs, with random operations and faults. Its
// answers are compared with those of one schema that holds all the data. A difference names the seed that repeats it.
import { GraphQLError, parse } from 'graphql';
import { pino } from 'pino';
import { CompiledExecutor } from '../gateway/execution/compiled-executor.ts';
import { ProcessPlanner } from '../gateway/execution/process-planner.ts';
import type { Executor } from '../gateway/supergraph/executor.ts';
import { defineTrial, type TrialRun } from './define-trial.ts';
import { chance } from './gateway-differential/chance.ts';
import { judgeFaulty, judgeWhole } from './gateway-differential/judge.ts';
import { letLie, withLies } from './gateway-differential/lies.ts';
import { type RandomOperation, randomOperation } from './gateway-differential/operation.ts';
import { StockExecutor } from './gateway-differential/stock-executor.ts';
import { type Faults, makeWorld, newRun, noFaults, type World } from './gateway-differential/world.ts';
import { type Random, seededRandom } from './random.ts';

/** Makes the executor of a graph. Throws if its planner refuses the graph. */
export type MakeExecutor = (world: World) => Promise<TriedExecutor>;

export interface TriedExecutor extends Pick<Executor, 'execute'> {
  close?(): void;
}

/** A second opinion: if both differ from the reference, the trial may be wrong. */
function stockExecutor({ supergraph, links }: World): TriedExecutor {
  try {
    return new StockExecutor(supergraph, links, log);
  } catch (error) {
    return { execute: async () => ({ errors: [new GraphQLError(`its planner refuses the graph: ${error}`)] }) };
  }
}

/** Cases with consecutive seeds share a graph: composing it takes longer than many cases. */
const casesPerGraph = 20;
/** Each of them is executed four more times, without faults. */
const casesPerLie = 4;

export const trialGatewayDifferential = defineTrial({
  counts: { cases: { help: 'operations, each with its own seed', usual: 20_000 } },
  run: runGatewayDifferential,
  mustBeZero: ['different', 'unplanned', 'forged'],
});

const log = pino({ level: 'silent' });

const productExecutor: MakeExecutor = async ({ supergraph, links }) => {
  const planner = new ProcessPlanner({ supergraphSdl: supergraph.sdl, log });
  await planner.start();
  const executor = new CompiledExecutor({ supergraph, planner, links, log });
  return { execute: (operation) => executor.execute(operation), close: () => planner.close() };
};

interface DifferentialOptions extends TrialRun {
  readonly cases: number;
  readonly makeExecutor?: MakeExecutor;
}

export async function runGatewayDifferential(options: DifferentialOptions) {
  const { seed, cases: wanted, makeExecutor = productExecutor } = options;
  const findings: string[] = [];
  const found = (what: string): void => {
    findings.push(what);
    options.progress?.(what);
  };
  let cases = 0;
  let different = 0;
  let forged = 0;
  let unplanned = 0;
  const requests = { ours: 0, ofApollo: 0 };
  let graphs = 0;
  let uncomposed = 0;
  let refused = 0;
  let current:
    | { readonly graph: number; readonly world: World; readonly executor: TriedExecutor; readonly stock: TriedExecutor }
    | undefined;
  for (let at = seed; cases < wanted && options.timeIsUp?.() !== true; at += 1) {
    options.signal?.throwIfAborted();
    const graph = Math.floor(at / casesPerGraph);
    if (current?.graph !== graph) {
      graphs += 1;
      current?.executor.close?.();
      current = undefined;
      const made = makeWorld(graph);
      const world = made && withLies(made);
      if (world === undefined) {
        uncomposed += 1;
        at = (graph + 1) * casesPerGraph - 1;
        continue;
      }
      const executor = await makeExecutor(world).catch(() => undefined);
      if (executor === undefined) {
        refused += 1;
        at = (graph + 1) * casesPerGraph - 1;
        continue;
      }
      current = { graph, world, executor, stock: stockExecutor(world) };
    }
    cases += 1;
    const { world, executor, stock } = current;
    const difference = await differenceIn(at, world, executor);
    if (difference !== undefined) {
      if (difference.isUnplanned) unplanned += 1;
      else different += 1;
      const other = await differenceIn(at, world, stock);
      const opinion = other === undefined ? "Apollo's answer is right" : `Apollo's: ${other.what}`;
      found(`${difference.what}; ${opinion}: --seed ${at} --cases 1`);
    }
    if (at % casesPerLie === 0) {
      const [ours, ofApollo] = await requestsIn(at, world, executor, stock);
      requests.ours += ours;
      requests.ofApollo += ofApollo;
      const lie = await lieIn(at, world, executor);
      if (lie !== undefined) {
        forged += 1;
        found(`${lie}: --seed ${at} --cases 1`);
      }
    }
    if (cases % 1_000 === 0) options.progress?.(`${cases} cases, ${different} different, ${unplanned} without a plan`);
  }
  current?.executor.close?.();
  return { cases, different, unplanned, forged, requests, graphs, uncomposed, refused, findings };
}

interface Difference {
  readonly what: string;
  readonly isUnplanned: boolean;
}

/** The executor's mistakes in the case of this seed. */
async function differenceIn(seed: number, world: World, executor: TriedExecutor): Promise<Difference | undefined> {
  const random = seededRandom(seed);
  const operation = randomOperation(random, world.supergraph.schema, world.names);
  return differenceOf(operation, randomFaults(random, world), world, executor);
}

/** The differences that occur in the case of this seed when subgraphs answer more than they are asked. */
async function lieIn(seed: number, world: World, executor: TriedExecutor): Promise<string | undefined> {
  const { text, operationName, variables } = randomOperation(seededRandom(seed), world.supergraph.schema, world.names);
  const request = { document: parse(text), operationName, variables, key: `${operationName} ${text}` };
  const honest = await executor.execute({ ...request, context: newRun(noFaults) });
  const lied = await executor.execute({ ...request, context: letLie(newRun(noFaults)) });
  return JSON.stringify(honest) === JSON.stringify(lied)
    ? undefined
    : `forged: ${judgeWhole(honest, lied) ?? 'errors'}`;
}

/** The number of requests in the case of this seed, and the number with Apollo's executor, if both answer it. */
async function requestsIn(seed: number, world: World, ...executors: readonly [TriedExecutor, TriedExecutor]) {
  const { text, operationName, variables } = randomOperation(seededRandom(seed), world.supergraph.schema, world.names);
  const request = { document: parse(text), operationName, variables, key: `${operationName} ${text}` };
  const counts: number[] = [];
  for (const executor of executors) {
    const context = newRun(noFaults);
    const { errors } = await executor.execute({ ...request, context });
    if (errors !== undefined) return [0, 0] as const;
    counts.push(context.run.requests.length);
  }
  const [ours = 0, ofApollo = 0] = counts;
  return [ours, ofApollo] as const;
}

async function differenceOf(
  operation: RandomOperation,
  faults: Faults,
  world: World,
  executor: TriedExecutor,
): Promise<Difference | undefined> {
  const { text, operationName, variables } = operation;
  const document = parse(text);
  const reachDependsOnPlan = faults.inOne > 0 || faults.nullEntities > 0 || faults.lost !== undefined;
  const expecting = newRun(reachDependsOnPlan ? noFaults : faults);
  const types = new Map();
  const request = { document, operationName, variables };
  const expected = await world.whole({ ...request, context: expecting, types });
  const context = newRun(faults);
  const got = await executor.execute({ ...request, key: `${operationName} ${text}`, context });
  const isUnplanned = got.errors?.some(({ extensions }) => extensions?.code === 'NOT_PLANNED') === true;
  const differs = (what: string): Difference => ({ what, isUnplanned });
  const [invalid] = context.run.invalid;
  if (invalid !== undefined) return differs(`a subgraph refuses the request of the executor: ${invalid}`);
  const wrong = reachDependsOnPlan
    ? judgeFaulty(expected, got, types, faults.nullEntities > 0)
    : judgeWhole(expected, got);
  if (wrong !== undefined) return differs(wrong);
  if (reachDependsOnPlan) return undefined;
  const [planned, done] = [expecting.run.mutations.join(), context.run.mutations.join()];
  return planned === done ? undefined : differs(`other mutations: expected ${planned}, got ${done}`);
}

function randomFaults(random: Random, { links }: World): Faults {
  const seed = random.integer(0, 1_000_000);
  const roll = random.next();
  const subgraph = random.pick([...links.keys()]);
  if (roll < 0.6) return noFaults;
  if (roll < 0.75) return { ...noFaults, seed, everywhere: 0.1 };
  if (roll < 0.85) return { ...noFaults, seed, inOne: 0.1 };
  if (roll < 0.9) return { ...noFaults, seed, nullEntities: 0.3 };
  return { ...noFaults, seed, lost: subgraph, lostRequest: chance(random, 0.5) ? random.integer(1, 3) : undefined };
}
