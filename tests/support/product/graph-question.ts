// A stand-in for the graph that refuses a query that does not fit its schema, as the graph would.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildSchema, type GraphQLSchema, parse, validate } from 'graphql';
import type { AskGraph } from '../../../platform/graph/ask-graph.ts';

let schema: GraphQLSchema | undefined;

function graph(): GraphQLSchema {
  schema ??= buildSchema(readFileSync(join(import.meta.dirname, '../../../schema/api.graphql'), 'utf8'), {
    assumeValidSDL: true,
  });
  return schema;
}

/** `answer` gets the queries that fit the schema. Others are refused with the gateway's message. */
export function asTheGraph(answer: AskGraph): AskGraph {
  return async (question) => {
    const [fault] = validate(graph(), parse(question.query));
    if (fault !== undefined) throw new Error(`the graph does not answer: ${fault.message}`);
    return answer(question);
  };
}
