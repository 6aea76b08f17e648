// A POSTed query without errors bypasses Apollo Server, and a GET request goes through it. Status, headers and bytes are the same.
// needs: processes
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { request } from 'undici';
import { TestGateway } from '../support/gateway.ts';

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await new TestGateway('in-process').start({ limits: { maxAnswerLength: 20_000 } });
  gateway.world.prices.set('1', 10);
});
afterAll(() => gateway.stop());

const names = (count: number) => Array.from({ length: count }, (_, index) => `n${index}: name`).join(' ');
const queries: readonly (readonly [query: string, variables?: object, operationName?: string])[] = [
  ['{ caller }'],
  ['{ a: caller b: caller __typename }'],
  ['query ($id: ID!) { thing(id: $id) { id name price } }', { id: '1' }],
  ['query One { caller } query Two { caller __typename }', {}, 'Two'],
  ['{ things(first: 3) { nodes { id price } } }'],
  ['query ($id: ID!) { thing(id: $id) { name } }', { id: 'ä "quoted" 漢' }],
  ['{ caller @skip(if: true) __typename }'],
  ['{ __schema { queryType { name } } caller }'],
  // This answer is written in parts.
  [`query ($id: ID!) { things(first: 100) { nodes { ${names(11)} } } thing(id: $id) { name } }`, { id: 'ä漢' }],
  [`{ things(first: 100) { nodes { ${names(11)} } } }`],
  // This answer is longer than the limit.
  [`{ things(first: 100) { nodes { ${names(14)} } } }`],
];
const accepts = [
  undefined,
  '*/*',
  'application/json',
  'application/graphql-response+json',
  'application/graphql-response+json, application/json;q=0.9',
  'application/json;q=0.1, application/graphql-response+json;q=0.2',
  'text/html, application/*',
  'text/event-stream;q=0.1, */*',
  'application/json; charset=utf-8',
  'application/graphql-response+json;charset=UTF-8, application/json; charset="utf-8"; q=0.9',
];

async function answerTo(
  way: 'GET' | 'POST',
  accept: string | undefined,
  [query, variables, operationName]: (typeof queries)[number],
) {
  const url = new URL(`${gateway.gateway.url}/graphql`);
  const sent = { query, ...(variables && { variables }), ...(operationName && { operationName }) };
  if (way === 'GET')
    for (const [name, value] of Object.entries(sent))
      url.searchParams.set(name, typeof value === 'string' ? value : JSON.stringify(value));
  const { statusCode, headers, body } = await request(url, {
    method: way,
    headers: {
      authorization: 'Bearer token-ann',
      ...(accept === undefined ? {} : { accept }),
      ...(way === 'GET' ? {} : { 'content-type': 'application/json' }),
    },
    ...(way === 'GET' ? {} : { body: JSON.stringify(sent) }),
  });
  const { 'x-request-id': id, date, ...others } = headers;
  return { statusCode, headers: others, text: (await body.text()).replaceAll(String(id), 'ID') };
}

describe.each(accepts)('Accept: %s', (accept) => {
  test.each(queries)('query %#', async (...query) => {
    const [posted, got] = [await answerTo('POST', accept, query), await answerTo('GET', accept, query)];
    expect(posted).toEqual(got);
    expect(posted.statusCode).toBe(200);
    expect(posted.text).toContain('"requestId":"ID"');
    expect(posted.text.includes('LIMIT_EXCEEDED')).toBe(query[0].includes('n13'));
    expect(posted.text.length > 16 * 1024).toBe(query[0].includes('n10') && !query[0].includes('n13'));
  });
});
