// Every document that the dashboard and GraphiQL's example tabs send fits the schema.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { buildSchema, parse, validate } from 'graphql';
import * as documents from '../../../dashboard/src/graph/documents.ts';
import { exampleTabs } from '../../../dashboard/src/graphiql/example-tabs.ts';

const supergraph = readFileSync(join(import.meta.dirname, '../../../schema/supergraph.graphql'), 'utf8');
const schema = buildSchema(supergraph, { assumeValid: true });

describe('documents', () => {
  test.each(Object.entries(documents))('%s', (_, text) => {
    expect(validate(schema, parse(text)).map((error) => error.message)).toEqual([]);
  });

  test.each(exampleTabs.map((tab, index) => [index, tab.query ?? ''] as const))('example tab %d', (_, text) => {
    expect(validate(schema, parse(text)).map((error) => error.message)).toEqual([]);
  });

  test('the variables of the example tabs are JSON and name what the operations ask for', () => {
    const [mainJob] = exampleTabs;
    const variables: Record<string, unknown> = JSON.parse(mainJob?.variables ?? '');
    const asked = [...(mainJob?.query ?? '').matchAll(/\$(\w+):/g)].map((match) => match[1]);
    expect(Object.keys(variables).sort()).toEqual([...new Set(asked)].sort());
  });
});
