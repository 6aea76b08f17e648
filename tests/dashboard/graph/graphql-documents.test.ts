// Every document that the dashboard sends matches the schema: those of the .graphql files, and those built from a page's entity kinds.
// GraphiQL's tabs are checked with the other examples (tests/docs/examples.test.ts).
import { readdir } from 'node:fs/promises';
import { describe, expect, test } from '@jest/globals';
import { buildSchema, parse, validate } from 'graphql';
import { changesSubscription, historyQuery } from '../../../dashboard/src/live/graphql-documents.ts';
import { kindsOfPages, ownDocuments } from '../../../dashboard/src/own-documents.ts';
import { kinds as balancerKinds } from '../../../dashboard/src/pages/loadbalancer/kinds.ts';
import { kinds } from '../../../dashboard/src/pages/relay/kinds.ts';
import * as generated from '../../../generated/dashboard/graphql.ts';
import { readSupergraph } from '../../../platform/graph/generated-schema.ts';

const schema = buildSchema(readSupergraph(), { assumeValid: true });

describe('documents', () => {
  const written = Object.entries(generated).filter(([name]) => name.endsWith('Document'));
  const composed = [
    changesSubscription('relay', kinds),
    historyQuery('relay', kinds),
    changesSubscription('loadbalancer', balancerKinds),
    historyQuery('loadbalancer', balancerKinds),
  ];

  test.each(written)('%s', (_, text) => {
    expect(validate(schema, parse(String(text))).map((error) => error.message)).toEqual([]);
  });

  test.each(composed.map((text) => [/\w+ (\w+)/.exec(String(text))?.[1], text]))('%s', (_, text) => {
    expect(validate(schema, parse(String(text))).map((error) => error.message)).toEqual([]);
  });

  test('a page has one subscription, with the fragments of its own kinds only', () => {
    const [mapping] = kinds.filter(({ typename }) => typename === 'Mapping');
    if (mapping === undefined) throw new Error('the relay has mappings');
    const text = changesSubscription('small', [mapping]).toString();
    expect(text).toContain('subscription SmallChanges(');
    expect(text).toContain('subject { __typename ...MappingFields }');
    expect(text).not.toContain('BackendFields');
    expect(validate(schema, parse(text)).map((error) => error.message)).toEqual([]);
  });
});

describe('the list of own documents', () => {
  test('has every page, with the kinds that its module gives to the shell', async () => {
    const folder = new URL('../../../dashboard/src/pages/', import.meta.url);
    const names = (await readdir(folder, { withFileTypes: true })).filter((each) => each.isDirectory());
    expect(Object.keys(kindsOfPages).sort()).toEqual(names.map(({ name }) => name).sort());
    for (const { name } of names) {
      const own = (await readdir(new URL(`${name}/`, folder))).includes('kinds.ts');
      expect([name, (kindsOfPages[name]?.length ?? 0) > 0]).toEqual([name, own]);
    }
  });

  test('has what the pages send, also what is made of their kinds', () => {
    expect(ownDocuments()).toContain(changesSubscription('relay', kinds).toString());
    expect(ownDocuments()).toContain(generated.DashboardStartDocument.toString());
  });
});
