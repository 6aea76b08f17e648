// The executor over subgraphs in this process. Each subgraph can give answers that no well-behaved one would.
import { buildSubgraphSchema } from '@apollo/subgraph';
import { afterAll } from '@jest/globals';
import { type ExecutionResult, type FormattedExecutionResult, parse, validate } from 'graphql';
import { pino } from 'pino';
import { CompiledExecutor } from '../../../../gateway/execution/compiled-executor.ts';
import { ProcessPlanner } from '../../../../gateway/execution/process-planner.ts';
import { InProcessLink } from '../../../../gateway/supergraph/in-process-link.ts';
import type { LinkRequest, SubgraphLink } from '../../../../gateway/supergraph/subgraph-link.ts';
import { Supergraph } from '../../../../gateway/supergraph/supergraph.ts';
import { composeSupergraph } from '../../../../schema/compose.ts';

export const head = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@shareable", "@external",
  "@requires", "@provides", "@override", "@inaccessible", "@interfaceObject"])\n`;
const log = pino({ level: process.env.TEST_LOG ?? 'silent' });
/** Planners by supergraph. */
const planners = new Map<string, ProcessPlanner>();

/** Call this before the tests of a file. The planner processes end after the tests. */
export function usePlanners(): void {
  afterAll(() => {
    for (const planner of planners.values()) planner.close();
    planners.clear();
  });
}

function plannerOf(supergraphSdl: string): ProcessPlanner {
  const planner = planners.get(supergraphSdl) ?? new ProcessPlanner({ supergraphSdl, log });
  planners.set(supergraphSdl, planner);
  return planner;
}

export interface TestSubgraph {
  readonly sdl: string;
  readonly resolvers?: object;
  readonly isOutside?: boolean;
  /** Replaces the resolvers' answer, unless it returns undefined. */
  readonly answer?: (request: LinkRequest) => unknown;
}

export interface Federation {
  /** `NAME text` of each request since the last `ask`. */
  readonly asked: string[];
  readonly sent: LinkRequest[];
  readonly executor: CompiledExecutor;
  ask(text: string, variables?: Record<string, unknown>, operationName?: string): Promise<ExecutionResult>;
}

export function federate(subgraphs: Readonly<Record<string, TestSubgraph>>): Federation {
  const entries = Object.entries(subgraphs);
  const supergraph = new Supergraph(composeSupergraph(new Map(entries.map(([name, { sdl }]) => [name, head + sdl]))));
  const asked: string[] = [];
  const sent: LinkRequest[] = [];
  const links = new Map<string, SubgraphLink>(
    entries.map(([name, { sdl, resolvers = {}, isOutside = false, answer }]) => {
      const schema = buildSubgraphSchema([{ typeDefs: parse(head + sdl), resolvers: resolvers as never }]);
      const inner = new InProcessLink({ name, schema } as never, log, 60_000);
      const execute = async (request: LinkRequest): Promise<FormattedExecutionResult> => {
        asked.push(`${name} ${request.text}`);
        sent.push(request);
        const given = answer?.(request);
        // A copy, as over HTTP, so that nothing is shared with the executor.
        if (given !== undefined) return JSON.parse(JSON.stringify(given));
        const faults = validate(schema, request.document);
        if (faults.length > 0) throw new Error(`${name} refuses ${request.text}: ${faults.join()}`);
        return JSON.parse(JSON.stringify(await inner.execute(request)));
      };
      const link = { name, isOutside, execute, subscribe: inner.subscribe.bind(inner), ready: async () => true };
      return [name, { ...link, close: async () => {} }];
    }),
  );
  const planner = plannerOf(supergraph.sdl);
  const executor = new CompiledExecutor({ supergraph, planner, links, log });
  return {
    ...{ asked, sent, executor },
    async ask(text, variables = {}, operationName) {
      asked.length = 0;
      sent.length = 0;
      const document = parse(text, { noLocation: true });
      const faults = validate(supergraph.schema, document);
      if (faults.length > 0) throw faults[0];
      const context = { identity: null, requestId: 'r', loaders: new Map() };
      const key = `${text}/${operationName ?? ''}`;
      const result = await executor.execute({ key, document, variables, operationName, context });
      return JSON.parse(JSON.stringify(result));
    },
  };
}

/** The places of nulls in an answer, and the places of its errors, as `a.0.b`. */
export function nullsAndErrors({ data, errors = [] }: ExecutionResult) {
  const nulls: string[] = [];
  const look = (value: unknown, path: readonly (string | number)[]): void => {
    if (value === null) nulls.push(path.join('.'));
    else if (typeof value === 'object')
      for (const [key, each] of Object.entries(value as object)) look(each, [...path, key]);
  };
  look(data, []);
  return { nulls, errors: errors.map(({ path }) => path?.join('.') ?? '-').sort() };
}
