// The documents of docs/examples are valid for the graph, and so are the variables beside them. GraphiQL shows them as tabs.
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { buildSchema, getVariableValues, Kind, parse, validate } from 'graphql';
import { exampleFiles } from '../../dashboard/example-files.ts';
import { blocksOf } from './tutorials/support/blocks.ts';

const root = join(import.meta.dirname, '../..');
const schema = buildSchema(await readFile(join(root, 'schema/api.graphql'), 'utf8'), { assumeValid: true });
/** A subgraph of another team: SDL, no documents. */
const subgraph = 'inventory-subgraph/';
const found = await readdir(join(root, 'docs/examples'), { recursive: true });
const documents = found.filter((path) => path.endsWith('.graphql') && !path.startsWith(subgraph)).sort();
const tabs = exampleFiles();

test('there are documents, and GraphiQL has those of the folder itself, the main job first', () => {
  expect(documents.length).toBeGreaterThan(20);
  expect(tabs.map(({ name }) => `${name}.graphql`).sort()).toEqual(documents.filter((path) => !path.includes('/')));
  expect(tabs[0]?.name).toBe('firewall-block');
});

test.each(documents)('%s', async (path) => {
  const text = await readFile(join(root, 'docs/examples', path), 'utf8');
  expect(validate(schema, parse(text)).map(({ message }) => message)).toEqual([]);
});

const clientsPage = await readFile(join(root, 'docs/clients.md'), 'utf8');

describe('the documents in clients.md', () => {
  const blocks = blocksOf(clientsPage);
  const documents = blocks.filter(({ language }) => language === 'graphql').map(({ text }) => text);

  test('are all there', () => expect(documents).toHaveLength(6));

  test.each(documents)('%s', (text) => {
    expect(validate(schema, parse(text)).map(({ message }) => message)).toEqual([]);
  });

  test('take the variables beside them', () => {
    const mutation = documents.find((text) => text.includes('mutation Block')) ?? '';
    const variables = blocks.find(({ text }) => text.includes('idempotencyKey') && text.startsWith('{'))?.text ?? '';
    const [operation] = parse(mutation).definitions;
    if (operation?.kind !== Kind.OPERATION_DEFINITION) throw new Error('the mutation is missing');
    expect(
      getVariableValues(schema, operation.variableDefinitions ?? [], JSON.parse(variables)).errors,
    ).toBeUndefined();
  });
});

describe.each(tabs.map((each) => [each.name, each] as const))('%s', (_, { query, variables }) => {
  const operations = parse(query).definitions.flatMap((each) =>
    each.kind === Kind.OPERATION_DEFINITION ? [each] : [],
  );

  test('says what it shows, and each operation has a unique name', () => {
    expect(query).toMatch(/^# [A-Z]/);
    const names = operations.map(({ name }) => name?.value);
    expect(names).not.toContain(undefined);
    expect(
      tabs.filter((each) => each.query.includes(` ${names[0]}(`) || each.query.includes(` ${names[0]} `)),
    ).toHaveLength(1);
  });

  test('its variables fit every operation, and each is used', () => {
    const given = JSON.parse(variables ?? '{}') as Record<string, unknown>;
    const declared = operations.flatMap(({ variableDefinitions = [] }) => variableDefinitions);
    for (const { variableDefinitions = [] } of operations)
      expect(getVariableValues(schema, variableDefinitions, given).errors).toBeUndefined();
    const names = new Set(declared.map(({ variable }) => variable.name.value));
    expect(Object.keys(given).filter((name) => !names.has(name))).toEqual([]);
  });
});
