// Every document that the dashboard sends matches the schema: those of the .graphql files, and those built from a page's entity kinds.
// GraphiQL's tabs are checked with the other examples (tests/docs/examples.test.ts).
import { readdir } from 'node:fs/promises';
import { describe, expect, test } from '@jest/globals';
import { buildSchema, parse, validate } from 'graphql';
import { linkTo } from '../../../dashboard/src/links.ts';
import { changesSubscription, historyQuery } from '../../../dashboard/src/live/graphql-documents.ts';
import { ownDocuments, subjectsOfPages } from '../../../dashboard/src/own-documents.ts';
import { kinds, subjects } from '../../../dashboard/src/pages/relay/kinds.ts';
import * as generated from '../../../generated/dashboard/graphql.ts';
import { readSupergraph } from '../../../platform/graph/generated-schema.ts';
import { allEventKinds } from '../../../platform/process/subgraph-row.ts';
import { subgraphRows } from '../../../subgraphs/rows.ts';

const declared = allEventKinds(subgraphRows);
const schema = buildSchema(readSupergraph(), { assumeValid: true });

describe('documents', () => {
  const written = Object.entries(generated).filter(([name]) => name.endsWith('Document'));
  const composed = Object.entries(subjectsOfPages).flatMap(([name, variants]) =>
    variants.flatMap((each) => [changesSubscription(name, each), historyQuery(name, each)]),
  );

  test.each(written)('%s', (_, text) => {
    expect(validate(schema, parse(String(text))).map((error) => error.message)).toEqual([]);
  });

  test.each(composed.map((text) => [/\w+ (\w+)/.exec(String(text))?.[1], text]))('%s', (_, text) => {
    expect(validate(schema, parse(String(text))).map((error) => error.message)).toEqual([]);
  });

  test('a page has one subscription, with the fragments of its own kinds only', () => {
    const [mapping] = kinds.filter(({ typename }) => typename === 'Mapping');
    if (mapping === undefined) throw new Error('the relay has mappings');
    const text = changesSubscription('small', { kinds: [mapping] }).toString();
    expect(text).toContain('subscription SmallChanges(');
    expect(text).toContain('subjectTypes: ["Mapping"]');
    expect(text).toContain('subject { __typename ...MappingFields }');
    expect(text).not.toContain('BackendFields');
    expect(validate(schema, parse(text)).map((error) => error.message)).toEqual([]);
  });
});

describe('the filter of the stream', () => {
  test.each(Object.entries(subjectsOfPages))('of %s names only declared kinds and subjects', (_, variants) => {
    const types = new Set(Object.values(declared).map(({ subject }) => subject));
    for (const { kinds: own, others = [], eventKinds = [] } of variants) {
      expect([...own, ...others].filter(({ typename }) => !types.has(typename))).toEqual([]);
      expect(eventKinds.filter((kind) => !Object.hasOwn(declared, kind))).toEqual([]);
    }
  });
});

describe('links between pages', () => {
  test("open an entity by its kind's parameter", () => {
    for (const [name, variants] of Object.entries(subjectsOfPages))
      for (const { typename, openParameter } of variants.flatMap((each) => each.kinds))
        expect(linkTo(typename, 'a/b')).toBe(`/${name}?${openParameter}=a%2Fb`);
  });
});

describe('the list of own documents', () => {
  test('has every page, with the kinds that its module gives to the shell', async () => {
    const folder = new URL('../../../dashboard/src/pages/', import.meta.url);
    const names = (await readdir(folder, { withFileTypes: true })).filter((each) => each.isDirectory());
    expect(Object.keys(subjectsOfPages).sort()).toEqual(names.map(({ name }) => name).sort());
    for (const { name } of names) {
      const own = (await readdir(new URL(`${name}/`, folder))).includes('kinds.ts');
      expect([name, subjectsOfPages[name] !== undefined]).toEqual([name, own]);
    }
  });

  test('has everything that the pages send, including documents made from their kinds', () => {
    expect(ownDocuments()).toContain(changesSubscription('relay', subjects).toString());
    expect(ownDocuments()).toContain(generated.DashboardStartDocument.toString());
  });
});
