// Introspection is measured like any other query, with the real sizes of the schema as list lengths. A small document must not cost seconds
// of CPU or gigabytes of memory.
import { expect, test } from '@jest/globals';
import { execute, getIntrospectionQuery, parse } from 'graphql';
import { defaultLimits, type OperationLimits } from '../../../gateway/access/limits.ts';
import { Operations } from '../../../gateway/access/operations.ts';
import { Supergraph } from '../../../gateway/supergraph/supergraph.ts';
import { readSupergraph } from '../../../platform/graph/generated-schema.ts';
import { testIdentity } from '../support/gateway.ts';
import { inProcessJudge } from '../support/in-process-judge.ts';

const supergraph = new Supergraph(readSupergraph());
const operations = (given: Partial<OperationLimits> = {}) => {
  const limits = { ...defaultLimits, ...given };
  return new Operations(supergraph, limits, inProcessJudge(supergraph, limits));
};
const ann = testIdentity('ann');

const each = (count: number, one: (index: number) => string) =>
  Array.from({ length: count }, (_, index) => one(index)).join(' ');
const product = (types: number, fields: number, names: number) => `
  { __schema { ${each(types, (index) => `a${index}: types { ...T }`)} } }
  fragment T on __Type { ${each(fields, (index) => `b${index}: fields { ...F }`)} }
  fragment F on __Field { ${each(names, (index) => `c${index}: name`)} }`;

const attacks: Readonly<Record<string, string>> = {
  '2 x 10 x 20 aliases': product(2, 10, 20),
  '10 x 20 x 50 aliases': product(10, 20, 50),
  '20 x 20 x 100 aliases': product(20, 20, 100),
  '60 x 60 x 100 aliases': product(60, 60, 100),
  'types by the fields of types':
    '{ __schema { types { fields { type { fields { type { name fields { name } } } } } } } }',
  'one type by its fields': `{ ${each(20, (index) => `t${index}: __type(name: "Mutation") { fields { type { fields { name args { name } } } } }`)} }`,
};

test.each(Object.keys(attacks))('%s is refused in less than 50 ms of CPU', async (name) => {
  // The minimum of three runs, because other work of the process, such as garbage collection, is counted too.
  const tookMs: number[] = [];
  for (let turn = 0; turn < 3; turn += 1) {
    const gate = operations({
      anonymousIntrospection: true,
      maxAliases: 1e9,
      maxTokens: 100_000,
      maxAnonymousTokens: 100_000,
    });
    const before = process.cpuUsage();
    await expect(gate.admit({ query: attacks[name] ?? '' }, null)).rejects.toThrow('introspection cost');
    const { user, system } = process.cpuUsage(before);
    tookMs.push((user + system) / 1000);
  }
  expect(Math.min(...tookMs)).toBeLessThan(50);
});

test('aliases inside introspection count like aliases elsewhere', async () => {
  const query = `{ __schema { types { ${each(31, (index) => `a${index}: name`)} } } }`;
  await expect(operations().admit({ query }, ann)).rejects.toThrow('aliases');
});

test('the queries of common tools are admitted, and cost less than the limit', async () => {
  const whole = { descriptions: true, specifiedByUrl: true, directiveIsRepeatable: true, schemaDescription: true };
  for (const options of [{}, whole, { ...whole, inputValueDeprecation: true, oneOf: true }]) {
    const query = getIntrospectionQuery(options);
    expect((await operations().admit({ query }, ann)).document).toBeDefined();
    expect(execute({ schema: supergraph.schema, document: parse(query) })).toMatchObject({ data: expect.anything() });
  }
});

test('without login the schema is hidden unless configured, but __typename is allowed', async () => {
  const query = '{ __schema { queryType { name } } }';
  await expect(operations().admit({ query }, null)).rejects.toThrow('__schema requires a login');
  await expect(operations().admit({ query: '{ __type(name: "Query") { kind } }' }, null)).rejects.toThrow(
    '__type requires a login',
  );
  await expect(
    operations().admit({ query: '{ ...F } fragment F on Query { __schema { queryType { name } } }' }, null),
  ).rejects.toThrow('login');
  expect((await operations({ anonymousIntrospection: true }).admit({ query }, null)).hash).toHaveLength(64);
  expect((await operations().admit({ query: '{ __typename }' }, null)).hash).toHaveLength(64);
});
