// A command fails with the server's message if a part of the answer is missing.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { exitCodes } from '../../cli/failures.ts';
import { GraphClient } from '../../cli/graph-client.ts';
import { TypedDocumentString } from '../../generated/cli/graphql.ts';

type Payload = { readonly userErrors: readonly [] };
const query = new TypedDocumentString<{ backends: object }, object>('{ backends { nodes { id } } me { name } }');
const mutation = new TypedDocumentString<{ made: Payload }, { input: object }>('mutation { made: backendCreate }');

let server: Server;
let client: GraphClient;
let answer: object;
beforeEach(async () => {
  server = createServer((_request, response) => response.end(JSON.stringify(answer)));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`);
  client = new GraphClient({ url, credential: undefined, signal: new AbortController().signal });
});
afterEach(async () => {
  await client.close();
  server.close();
});

const message = 'Subgraph relay is not available; try again.';
const errors = [{ message, path: ['backends'], extensions: { code: 'SUBGRAPH_UNAVAILABLE', subgraph: 'relay' } }];

test('a query without one of its parts fails with the reason', async () => {
  answer = { data: { backends: null, me: { name: 'ann' } }, errors };
  await expect(client.query(query, {})).rejects.toMatchObject({
    message: `SUBGRAPH_UNAVAILABLE: ${message}`,
    exitCode: exitCodes.failed,
  });
});

test('a mutation without a payload fails, with an error or without', async () => {
  answer = { data: { made: null }, errors };
  await expect(client.mutate(mutation, {})).rejects.toMatchObject({ message: `SUBGRAPH_UNAVAILABLE: ${message}` });
  answer = { data: { made: null } };
  await expect(client.mutate(mutation, {})).rejects.toMatchObject({
    message: 'the server gave no answer to the mutation',
    exitCode: exitCodes.failed,
  });
});

test.each([
  [
    413,
    exitCodes.failed,
    /^a proxy in front of Tidegate allows no request of this size: raise its limit .* \(HTTP 413\)$/,
  ],
  [502, exitCodes.unreachable, /^a proxy in front of Tidegate can't reach it: try again later \(HTTP 502\)$/],
  [503, exitCodes.unreachable, /^a proxy in front of Tidegate can't reach it/],
  [504, exitCodes.unreachable, /got no answer in time: .* The request may have been carried out \(HTTP 504\)$/],
  [404, exitCodes.unreachable, /^the answer \(HTTP 404\) is not GraphQL: check the address$/],
])('HTTP %s with a page of a proxy', async (status, exitCode, message) => {
  server.removeAllListeners('request');
  server.on('request', (_, response) => response.writeHead(status, { 'content-type': 'text/html' }).end('<html>'));
  await expect(client.query(query, {})).rejects.toMatchObject({ exitCode, message: expect.stringMatching(message) });
});

test('a server that is silent for long is reported once', async () => {
  const said: string[] = [];
  const [url, signal] = [client.url, new AbortController().signal];
  const slow = new GraphClient({ url, credential: undefined, signal, onSlow: (text) => said.push(text), slowMs: 20 });
  answer = { data: { backends: {} } };
  server.removeAllListeners('request');
  server.on('request', (_, response) => {
    setTimeout(() => response.end(JSON.stringify(answer)), 200);
  });
  await slow.query(query, {});
  await slow.query(query, {});
  await slow.close();
  expect(said).toEqual([`still waiting for ${url.origin}`]);
});
