// Without the database, the graph reports that a part is unavailable, that nothing was done, and that a retry can help.
import { expect, test } from '@jest/globals';
import type { Identity } from '../../../platform/caller/identity.ts';
import { encodeId, newUuid } from '../../../platform/values/ids.ts';
import { forFile } from '../../support/jest/shared.ts';
import { systemBench } from './support/system-bench.ts';

const bench = forFile(() => systemBench({ lost: true }));
const project = newUuid();
const admin: Identity = {
  kind: 'user',
  id: newUuid(),
  name: 'admin',
  admin: true,
  projects: {},
  credentialId: newUuid(),
};

test.each([
  ['through Prisma', '{ projects { nodes { name } } }'],
  ['by entity', `{ node(id: "${encodeId('Project', project)}") { id } }`],
  ['in SQL', '{ statusHistory { nodes { kind } } }'],
])('a query %s is UNAVAILABLE', async (_, document) => {
  expect((await bench.ask(admin, document)).codes).toEqual(['UNAVAILABLE']);
});

test.each([
  ['login', 'mutation { login(input: { name: "a", password: "b" }) { userErrors { code retry } } }'],
  ['projectCreate', 'mutation { projectCreate(input: { name: "a" }) { userErrors { code retry } } }'],
  ['logout', 'mutation { logout { userErrors { code retry } } }'],
])('%s is refused, with a hint to retry', async (name, document) => {
  const { data, codes } = await bench.ask(admin, document);
  expect(codes).toEqual([]);
  expect(data).toEqual({ [name]: { userErrors: [{ code: 'UNAVAILABLE', retry: 'SAME_KEY' }] } });
});
