// The client asks a gateway whether a write is replicated, also after requests without an answer.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { ask } from '../../../clients/typescript/graph-request.ts';
import { untilReplicated } from '../../../clients/typescript/replication.ts';
import { type RunningSystem, runningSystem } from '../../support/product/running-system.ts';

let system: RunningSystem;

beforeAll(async () => {
  system = await runningSystem();
});
afterAll(() => system.stop());

const place = () => ({ url: system.url, token: system.token });

test('for a single server: NOT_REPLICATED, once it answers', async () => {
  const me = await ask(place(), '{ root: apiTokens { nodes { project { id } } } }', {}, AbortSignal.timeout(30_000));
  const { nodes } = (me as unknown as { value: { nodes: { project: { id: string } }[] } }).value;
  const input = { projectId: nodes[0]?.project.id, name: 'further', role: 'VIEWER' };
  const document =
    'mutation ($input: ApiTokenCreateInput!) { root: apiTokenCreate(input: $input) { commit { token } userErrors { code } } }';
  const made = await ask(place(), document, { input }, AbortSignal.timeout(30_000));
  expect(made).toMatchObject({ kind: 'answer', value: { userErrors: [] } });
  const { token } = (made as unknown as { value: { commit: { token: string } } }).value.commit;
  let lost = 2;
  const cut: typeof fetch = (...request) => {
    lost -= 1;
    return lost < 0 ? fetch(...request) : Promise.reject(new Error('cut'));
  };
  expect(await untilReplicated({ ...place(), fetch: cut }, token, { pauseMs: 10 })).toMatchObject({
    ...{ state: 'NOT_REPLICATED', copies: 1 },
  });
  expect(lost).toBeLessThan(0);
});

test('a foreign token stays UNKNOWN until the deadline; a missing login is reported at once', async () => {
  expect(await untilReplicated(place(), 'x.y', { deadlineMs: 200, pauseMs: 10 })).toMatchObject({ state: 'UNKNOWN' });
  const nobody = { ...place(), token: 'wrong' };
  expect(await untilReplicated(nobody, 'x.y')).toMatchObject({
    ...{ state: 'UNKNOWN', reason: expect.stringMatching(/^UNAUTHENTICATED/) },
  });
});
