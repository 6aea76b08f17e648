// Compiled queries and graphql-js give the same result, byte for byte, and call the same resolvers in the same order. The inputs are every
// request that the planner makes for the project's documents, and random queries. They run on the project's schemas with resolvers that
// answer at random.
// needs: processes
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import {
  type DocumentNode,
  type ExecutionResult,
  execute,
  getOperationAST,
  Kind,
  parse,
  print,
  validate,
} from 'graphql';
import { pino } from 'pino';
import { CompiledExecutor } from '../../../../gateway/execution/compiled-executor.ts';
import type { PlanNode } from '../../../../gateway/execution/planner.ts';
import { ProcessPlanner } from '../../../../gateway/execution/process-planner.ts';
import type { SubgraphLink } from '../../../../gateway/supergraph/subgraph-link.ts';
import { Supergraph } from '../../../../gateway/supergraph/supergraph.ts';
import * as commandLine from '../../../../generated/cli/graphql.ts';
import * as dashboard from '../../../../generated/dashboard/graphql.ts';
import { executeQuery } from '../../../../platform/graph/compiled-queries/compiled-query.ts';
import { readSupergraph } from '../../../../platform/graph/generated-schema.ts';
import { readGraph } from '../../../../platform/graph/sdl.ts';
import { type Random, seededRandom } from '../../../../trials/random.ts';
import { randomQuery, randomVariables } from './support/random-queries.ts';
import { type RandomSubgraph, randomSubgraph } from './support/random-resolvers.ts';

const log = pino({ level: 'silent' });
const screens = join(import.meta.dirname, '../../../../docs/examples/screens');
const seed = Number(process.env.TEST_SEED ?? Math.floor(Math.random() * 2 ** 31));
const graph = readGraph();

interface Seen {
  readonly compiled: number;
  readonly withErrors: number;
  readonly whole: number;
}

/** Throws at the first difference. */
async function compare(subgraph: RandomSubgraph, documents: readonly DocumentNode[], random: Random): Promise<Seen> {
  const seen = { compiled: 0, withErrors: 0, whole: 0 };
  for (const document of documents) {
    const { schema, calls } = subgraph;
    const operation = getOperationAST(document);
    if (operation == null) throw new Error(`no operation in ${print(document)}`);
    const variableValues = randomVariables(schema, operation, random);
    const run = async (executor: typeof executeQuery) => {
      calls.length = 0;
      const result = await executor({ schema, document, variableValues, contextValue: {} });
      const text = textOf(result);
      // Work inside a field that was already answered with null ends later.
      await setImmediate();
      return { result, text, calls: [...calls] };
    };
    const expected = await run(execute as typeof executeQuery);
    // The second run uses the cached plan.
    for (let time = 0; time < 2; time += 1) {
      const actual = await run(executeQuery);
      const place = `seed ${seed}\n${print(document)}\n${JSON.stringify(variableValues)}`;
      expect({ place, text: actual.text, calls: actual.calls }).toEqual({
        place,
        text: expected.text,
        calls: expected.calls,
      });
      // graphql-js creates objects with another prototype.
      if (time === 0 && actual.result.data != null && Object.getPrototypeOf(actual.result.data) !== null)
        seen.compiled += 1;
    }
    if (expected.result.errors !== undefined) seen.withErrors += 1;
    if (expected.result.data != null) seen.whole += 1;
  }
  return seen;
}

/**
 * The errors as callers see them. The messages for an object without a fitting type and for an odd value are left out, because their wording
 * differs.
 */
function textOf({ data, errors }: ExecutionResult): string {
  const shown = errors?.map(({ message, path, extensions, nodes, originalError }) => ({
    message: /^(Abstract type|Runtime Object type|The object of)/.test(message) ? 'wrong type' : message,
    ...{ path, extensions, original: originalError?.message === message, nodes: nodes?.map(print) },
  }));
  return JSON.stringify({ errors: shown, data });
}

test(`random queries (seed ${seed})`, async () => {
  const random = seededRandom(seed);
  for (const [name, sdl] of graph) {
    const subgraph = randomSubgraph(sdl, random.integer(0, 2 ** 30));
    const documents: DocumentNode[] = [];
    while (documents.length < 40) {
      const document = parse(randomQuery(subgraph.schema, random), { noLocation: true });
      if (validate(subgraph.schema, document).length === 0) documents.push(document);
    }
    const { compiled, withErrors, whole } = await compare(subgraph, documents, random);
    expect({ name, compiled, withErrors: withErrors > 10 }).toEqual({ name, compiled: whole, withErrors: true });
    expect(whole).toBeGreaterThan(10);
  }
}, 60_000);

test(`the planner's requests to subgraphs for the project's documents (seed ${seed})`, async () => {
  const requests = await plannedRequests();
  const random = seededRandom(seed);
  let [compiled, whole] = [0, 0];
  for (const [name, sdl] of graph) {
    const subgraph = randomSubgraph(sdl, random.integer(0, 2 ** 30));
    const queries = [...(requests.get(name) ?? [])].map((text) => parse(text, { noLocation: true }));
    expect({ name, queries: queries.length > 5 }).toEqual({ name, queries: true });
    for (const document of queries) expect(validate(subgraph.schema, document)).toEqual([]);
    const seen = await compare(subgraph, queries, random);
    compiled += seen.compiled;
    whole += seen.whole;
  }
  expect(compiled).toBe(whole);
  expect(whole).toBeGreaterThan(100);
}, 120_000);

/** The operations for each subgraph. */
async function plannedRequests(): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
  const supergraph = new Supergraph(readSupergraph());
  const inner = new ProcessPlanner({ supergraphSdl: supergraph.sdl, log });
  const requests = new Map<string, Set<string>>();
  const note = (node: PlanNode): void => {
    if ('nodes' in node) node.nodes.forEach(note);
    else if (node.kind === 'Flatten') note(node.node);
    else if (node.kind === 'Fetch' || node.kind === 'BatchFetch')
      requests.set(node.serviceName, (requests.get(node.serviceName) ?? new Set()).add(node.operation));
  };
  const planner = {
    async plan(text: string) {
      const plan = await inner.plan(text);
      if (plan !== undefined) note(plan);
      return plan;
    },
  };
  try {
    const links = new Map(supergraph.subgraphNames.map((name) => [name, { name } as SubgraphLink]));
    const executor = new CompiledExecutor({ supergraph, planner, links, log });
    const files = (await readdir(screens)).filter((name) => name.endsWith('.graphql'));
    const texts = [
      ...Object.entries({ ...commandLine, ...dashboard }).flatMap(([name, text]) =>
        name.endsWith('Document') ? String(text) : [],
      ),
      ...(await Promise.all(files.map((name) => readFile(join(screens, name), 'utf8')))),
    ];
    for (const text of texts) {
      const document = parse(text, { noLocation: true });
      const [operation] = document.definitions.filter((each) => each.kind === Kind.OPERATION_DEFINITION);
      if (operation?.operation !== 'query') continue;
      await executor.prepare({ key: text, document, operationName: operation.name?.value });
    }
  } finally {
    inner.close();
  }
  return requests;
}
