// A list with all of its links makes as many statements for many rows as for few.
import { beforeAll, expect, test } from '@jest/globals';
import type { Identity } from '../../../platform/caller/identity.ts';
import { encodeId } from '../../../platform/values/ids.ts';
import { forFile } from '../../support/jest/shared.ts';
import { statementsOf } from '../../support/stores/count-statements.ts';
import { makeUser, systemBench } from './support/system-bench.ts';

const [few, many] = [4, 40];
/** Answers may join or split their batches, depending on whether they arrive at the same time. */
const split = 2;
const bench = forFile(() => systemBench());
let admin: Identity;

beforeAll(async () => {
  admin = await makeUser(bench, 'root', { admin: true });
  for (let at = 0; at < many; at += 1) {
    const project = await bench.system.firstStart.ensureProject(`p${String(at).padStart(2, '0')}`);
    for (const role of ['VIEWER', 'OPERATOR'] as const)
      await makeUser(bench, `${role.toLowerCase()}-${at}`, { projects: { [project]: role } });
    const input = { projectId: encodeId('Project', project), name: `token-${at}`, role: 'VIEWER' };
    const { data } = await bench.ask(
      admin,
      'mutation ($input: ApiTokenCreateInput!) { apiTokenCreate(input: $input) { userErrors { code } } }',
      { input },
    );
    expect(data.apiTokenCreate?.userErrors).toEqual([]);
  }
  await bench.sequence();
}, 120_000);

const page = 'totalCount pageInfo { hasNextPage }';
const lists: Readonly<Record<string, string>> = {
  projects: `id name viewerRole members(first: 1) { ${page} nodes { role user { name memberships(first: 1) { ${page} nodes { project { name } } } } } }`,
  users: `id memberships(first: 1) { ${page} nodes { role project { name members(first: 1) { ${page} nodes { user { name } } } } user { name } } }`,
  apiTokens:
    'id project { name members(first: 1) { nodes { role } } } createdBy { name user { name } apiToken { name } } parent { name }',
  auditEntries: 'id actor { name user { name } apiToken { name } } project { name } subject { id }',
  statusHistory: 'id project { name } subject { id } cmpObject { id }',
};

test.each(Object.entries(lists))('%s', async (list, fields) => {
  const cost = async (first: number) => {
    const text = `query ($first: Int!) { ${list}(first: $first) { totalCount nodes { ${fields} } } }`;
    const [statements, { data, errors }] = await statementsOf(() => bench.ask(admin, text, { first }));
    expect(errors).toBeUndefined();
    expect((data as unknown as Record<string, { nodes: unknown[] }>)[list]?.nodes).toHaveLength(first);
    return statements;
  };
  const [ofFew, ofMany] = [await cost(few), await cost(many)];
  expect(ofFew.length).toBeGreaterThan(1);
  expect(ofMany.length).toBeLessThanOrEqual(ofFew.length + split);
  expect(ofMany.length).toBeLessThanOrEqual(15);
});
