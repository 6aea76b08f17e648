// Requests to a subgraph over HTTP: at which process.
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { parse } from 'graphql';
import { pino } from 'pino';
import { HttpLink } from '../../../gateway/supergraph/http-link.ts';
import type { GatewayContext, LinkRequest } from '../../../gateway/supergraph/subgraph-link.ts';
import type { Identity } from '../../../platform/edge/identity.ts';
import { testPair } from '../../support/signing-keys.ts';
import { until } from '../support/gateway.ts';
import { HeldSubgraph } from '../support/held-subgraph.ts';

const { signingKeys } = testPair('gateway');
const log = pino({ level: 'silent' });
const lost = { errors: [{ extensions: { code: 'SUBGRAPH_UNAVAILABLE', subgraph: 'test' } }] };

let subgraphs: HeldSubgraph[];
let urls: string[];
let links: HttpLink[];
beforeEach(async () => {
  subgraphs = [new HeldSubgraph(), new HeldSubgraph()];
  urls = await Promise.all(subgraphs.map((each) => each.listen()));
  links = [];
});
afterEach(async () => {
  await Promise.all(links.map((link) => link.close()));
  await Promise.all(subgraphs.map((each) => each.stop()));
});

function linkTo(count: 1 | 2, queryDeadlineMs = 60_000): HttpLink {
  const [first = '', ...others] = urls.slice(0, count);
  const link = new HttpLink({
    ...{ name: 'test', urls: [first, ...others], signingKeys, log, queryDeadlineMs },
    mutationDeadlineMs: 60_000,
  });
  links.push(link);
  return link;
}

function requestOf(text: string, identity: Identity | null, more: Partial<GatewayContext & LinkRequest> = {}) {
  const { variables = {}, operationName, ...context } = more;
  return {
    ...{ text, document: parse(text), variables, operationName },
    context: { identity, requestId: 'r', loaders: new Map(), ...context },
  };
}

describe('two processes', () => {
  test('the one with fewer requests under way gets the next ones', async () => {
    const link = linkTo(2);
    const [one, other] = subgraphs as [HeldSubgraph, HeldSubgraph];
    let answered = 0;
    for (let count = 0; count < 6; count += 1)
      void link.execute(requestOf(`{ x${count} }`, null)).then(() => {
        answered += 1;
      });
    await until(() => one.requests.length + other.requests.length === 6);
    expect([one.requests.length, other.requests.length]).toEqual([3, 3]);
    for (const request of one.requests) request.answer({});
    await until(() => answered === 3);
    for (let count = 0; count < 3; count += 1) void link.execute(requestOf(`{ y${count} }`, null));
    await one.until(6);
    expect(other.requests).toHaveLength(3);
  });

  test('a slow query, given up at its deadline, is no reason to leave a process that answers', async () => {
    const link = linkTo(2, 200);
    const [one, other] = subgraphs as [HeldSubgraph, HeldSubgraph];
    expect(await link.execute(requestOf('{ slow }', null))).toMatchObject(lost);
    const asked = ['{ a }', '{ b }', '{ c }', '{ d }'].map((text) => link.execute(requestOf(text, null)));
    await until(() => one.requests.length + other.requests.length === 5);
    expect([one.requests.length, other.requests.length].toSorted()).toEqual([2, 3]);
    for (const request of [...one.requests, ...other.requests]) request.answer({});
    for (const result of await Promise.all(asked)) expect(result).toEqual({ data: {} });
  });
});
