// The endpoint decides the status of an answer. An error of a subgraph does not set it, and an operation that could not be executed is not
// the client's fault.
// needs: processes
import { buildSubgraphSchema } from '@apollo/subgraph';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type ExecutionResult, GraphQLError, parse } from 'graphql';
import { pino } from 'pino';
import { CredentialCache } from '../../../gateway/access/credential-cache.ts';
import { defaultLimits } from '../../../gateway/access/limits.ts';
import { Operations } from '../../../gateway/access/operations.ts';
import { PublishedOperations } from '../../../gateway/access/published-operations.ts';
import { GraphqlEndpoint } from '../../../gateway/http/graphql-endpoint.ts';
import type { Executor } from '../../../gateway/supergraph/executor.ts';
import { Supergraph } from '../../../gateway/supergraph/supergraph.ts';
import { composeSupergraph } from '../../../schema/compose.ts';
import { FakeAuthenticator, TestGateway, testIdentity } from '../support/gateway.ts';
import { inProcessJudge } from '../support/in-process-judge.ts';

const sdl = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])
  type Query { odd(status: Int!): String fine: String }`;

const supergraphSdl = composeSupergraph(new Map([['other', sdl]]));

let gateway: TestGateway;
beforeAll(async () => {
  const odd = (_: unknown, { status }: { status: number }) => {
    throw new GraphQLError('It is odd.', { extensions: { code: 'ODD', http: { status }, more: 'kept' } });
  };
  const schema = buildSubgraphSchema([{ typeDefs: parse(sdl), resolvers: { Query: { odd, fine: () => 'fine' } } }]);
  gateway = await new TestGateway('in-process').start({
    supergraphSdl,
    subgraphs: [{ subgraph: { name: 'other', schema } }],
  });
});
afterAll(() => gateway.stop());

test.each([99, 204, 302, 304, 401, 500, 1000])('a subgraph asks for status %i', async (status) => {
  for (const accept of ['application/json', 'application/graphql-response+json']) {
    const query = 'query ($status: Int!) { odd(status: $status) fine }';
    const answer = await gateway.post({ query, variables: { status } }, 'token-ann', { accept });
    expect([answer.status, answer.body.data]).toEqual([200, { odd: null, fine: 'fine' }]);
    expect(answer.body.errors).toEqual([
      { message: 'It is odd.', path: ['odd'], extensions: { code: 'ODD', more: 'kept' } },
    ]);
  }
});

/** An endpoint whose executor returns this result. */
async function endpointWith(result: ExecutionResult): Promise<GraphqlEndpoint> {
  const supergraph = new Supergraph(supergraphSdl);
  const authenticator = new FakeAuthenticator();
  authenticator.identities.set('token-ann', testIdentity('ann'));
  const endpoint = new GraphqlEndpoint({
    supergraph,
    executor: { execute: async () => result } as unknown as Executor,
    operations: new Operations(supergraph, defaultLimits, inProcessJudge(supergraph, defaultLimits)),
    published: new PublishedOperations(),
    credentials: new CredentialCache(authenticator),
    limits: defaultLimits,
    log: pino({ level: 'silent' }),
  });
  await endpoint.start();
  return endpoint;
}

test.each([
  ['BUSY', 503],
  ['UNAVAILABLE', 503],
  ['INTERNAL', 500],
  ['NOT_PLANNED', 400],
  ['INVALID_INPUT', 400],
])('an operation that could not be executed: %s is %i', async (code, status) => {
  const extensions = { code, ...(status === 503 ? { retryAfterMs: 1_500 } : {}) };
  const endpoint = await endpointWith({ errors: [new GraphQLError('It was not executed.', { extensions })] });
  const body = { query: '{ fine }' };
  const json = ['content-type', 'application/json'] as const;
  for (const method of ['GET', 'POST'])
    for (const accept of ['application/json', 'application/graphql-response+json']) {
      const answer = await endpoint.handle({
        ...{ method, body, search: '?query={fine}', requestId: 'r' },
        headers: new Map([json, ['authorization', 'Bearer token-ann'], ['accept', accept]]),
        ...{ callerRequestId: undefined, clientAddress: undefined, signal: new AbortController().signal },
      });
      // With plain JSON, the status is that of HTTP alone.
      expect(answer.status).toBe(status === 400 && accept === 'application/json' ? 200 : status);
      expect(answer.headers.get('retry-after')).toBe(status === 503 ? '2' : undefined);
      expect(JSON.parse(answer.text).errors).toEqual([{ message: 'It was not executed.', extensions }]);
    }
  await endpoint.stop();
});
