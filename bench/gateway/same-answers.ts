// Checked before the measurement: all gateways give the same answers, and refuse the same requests.
import { isDeepStrictEqual } from 'node:util';
import { request } from 'undici';
import type { OperationLimits } from '../../gateway/access/limits.ts';
import { query, randomVariables } from './graph.ts';

export interface MeasuredGateway {
  readonly name: string;
  readonly url: string;
  readonly pid: number;
}

interface Reply {
  readonly data?: unknown;
  readonly errors?: readonly unknown[];
}

const deadlineMs = 10_000;
const samples = 5;

export async function checkSameAnswers(
  gateways: readonly MeasuredGateway[],
  token: string,
  limits: OperationLimits,
): Promise<void> {
  for (let sample = 0; sample < samples; sample += 1) {
    const variables = randomVariables();
    const answers = await Promise.all(gateways.map((gateway) => post(gateway, { query, variables }, token)));
    const [first] = answers;
    if (first?.data == null) throw new Error(`${gateways[0]?.name} has no answer: ${JSON.stringify(first)}`);
    const other = answers.findIndex((answer) => !isDeepStrictEqual(answer, first));
    if (other > 0)
      throw new Error(`${gateways[other]?.name} answers otherwise: ${JSON.stringify(answers[other]).slice(0, 500)}`);
  }
  const aliases = Array.from({ length: limits.maxAliases + 1 }, (_, index) => `a${index}: id`).join(' ');
  const tokens = 'id '.repeat(limits.maxTokens + 1);
  const devices = (fields: string) => ({ query: `{ devices(first: 1, from: 1) { ${fields} } }` });
  for (const gateway of gateways) {
    await mustRefuse(gateway, 'a request without a token', devices('id'), '');
    await mustRefuse(gateway, 'a forged token', devices('id'), `${token.slice(0, -4)}AAAA`);
    await mustRefuse(gateway, `${limits.maxAliases + 1} aliases`, devices(aliases), token);
    await mustRefuse(gateway, `more than ${limits.maxTokens} tokens`, devices(tokens), token);
    const allowed = await post(gateway, devices('id'), token);
    if (allowed.data == null) throw new Error(`${gateway.name} refuses everything: ${JSON.stringify(allowed)}`);
  }
}

async function mustRefuse(gateway: MeasuredGateway, what: string, body: object, token: string): Promise<void> {
  const { data, errors = [] } = await post(gateway, body, token);
  if (data != null || errors.length === 0) throw new Error(`${gateway.name} does not refuse ${what}`);
}

async function post(gateway: MeasuredGateway, body: object, token: string): Promise<Reply> {
  const response = await request(gateway.url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json',
      ...(token === '' ? {} : { authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(deadlineMs),
  });
  // Ours has its cost and the request's id beside it.
  const { data, errors } = (await response.body.json()) as Reply;
  return { ...(data === undefined ? {} : { data }), ...(errors === undefined ? {} : { errors }) };
}
