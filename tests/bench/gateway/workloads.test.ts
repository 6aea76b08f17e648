// The workloads of the gateway's benchmark, on this project's executor. Only a complete answer counts as whole.
// needs: processes
import { expect, test } from '@jest/globals';
import { parse } from 'graphql';
import { pino } from 'pino';
import { createSubgraphs, graphNamed, graphNames } from '../../../bench/gateway/graphs.ts';
import { CompiledExecutor } from '../../../gateway/execution/compiled-executor.ts';
import { ProcessPlanner } from '../../../gateway/execution/process-planner.ts';
import { InProcessLink } from '../../../gateway/supergraph/in-process-link.ts';
import { Supergraph } from '../../../gateway/supergraph/supergraph.ts';
import { composeSupergraph } from '../../../schema/compose.ts';

const log = pino({ level: 'silent' });

test.each(graphNames)('graph %s', async (name) => {
  const { services, workloads, small } = graphNamed(name);
  const supergraph = new Supergraph(composeSupergraph(new Map(services.map(({ name, sdl }) => [name, sdl]))));
  const planner = new ProcessPlanner({ supergraphSdl: supergraph.sdl, log });
  try {
    const links = new Map(createSubgraphs(name).map((each) => [each.name, new InProcessLink(each, log, 60_000)]));
    const executor = new CompiledExecutor({ supergraph, planner, links, log });
    const ask = async (query: string, variables: Readonly<Record<string, unknown>>): Promise<string> => {
      const document = parse(query, { noLocation: true });
      const context = { identity: null, requestId: 'r', loaders: new Map() };
      const operation = { key: query, document, variables: { ...variables }, operationName: undefined, context };
      return JSON.stringify(await executor.execute(operation));
    };
    for (const { query, variables: drawVariables, isWhole } of Object.values(workloads)) {
      const variables = drawVariables();
      const answer = await ask(query, variables);
      expect(isWhole(answer, variables)).toBe(true);
      expect(isWhole(answer.slice(0, answer.length / 2), variables)).toBe(false);
      expect(isWhole(answer.replace('{"data"', '{"errors":[{"message":"m"}],"data"'), variables)).toBe(false);
    }
    expect(JSON.parse(await ask(small.of(`a: ${small.leaf}`), {}))).toEqual({ data: expect.any(Object) });
  } finally {
    planner.close();
  }
});
