// Checked before the measurement: all gateways must give the same answers and refuse the same requests.
import { isDeepStrictEqual } from 'node:util';
import { request } from 'undici';
import type { OperationLimits } from '../../gateway/access/limits.ts';
import type { BenchGraph } from './workload.ts';

export interface MeasuredGateway {
  readonly name: string;
  readonly url: string;
  readonly pid: number;
  /** Whether it checks the JWT. */
  readonly checksJwt: boolean;
}

interface Reply {
  readonly data?: unknown;
  readonly errors?: readonly unknown[];
}

const deadlineMs = 10_000;
const samples = 5;

export async function checkSameAnswers(
  gateways: readonly MeasuredGateway[],
  { workloads, small }: BenchGraph,
  token: string,
  limits: OperationLimits,
): Promise<void> {
  for (const { query, variables: drawVariables } of Object.values(workloads).flatMap((each) =>
    Array(samples).fill(each),
  )) {
    const variables = drawVariables();
    const answers = await Promise.all(gateways.map((gateway) => post(gateway, { query, variables }, token)));
    const [first] = answers;
    if (first?.data == null) throw new Error(`${gateways[0]?.name} has no answer: ${JSON.stringify(first)}`);
    const other = answers.findIndex((answer) => !isDeepStrictEqual(answer, first));
    if (other > 0)
      throw new Error(`${gateways[other]?.name} answers otherwise: ${JSON.stringify(answers[other]).slice(0, 500)}`);
  }
  const { leaf } = small;
  const aliases = Array.from({ length: limits.maxAliases + 1 }, (_, index) => `a${index}: ${leaf}`).join(' ');
  const tokens = `${leaf} `.repeat(limits.maxTokens + 1);
  const asking = (fields: string) => ({ query: small.of(fields) });
  for (const gateway of gateways) {
    if (gateway.checksJwt) {
      await mustRefuse(gateway, 'a request without a token', asking(leaf), '');
      await mustRefuse(gateway, 'a forged token', asking(leaf), `${token.slice(0, -4)}AAAA`);
    }
    await mustRefuse(gateway, `${limits.maxAliases + 1} aliases`, asking(aliases), token);
    await mustRefuse(gateway, `more than ${limits.maxTokens} tokens`, asking(tokens), token);
    const allowed = await post(gateway, asking(leaf), token);
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
  // Our gateway's answer also has its cost and the request's id.
  const { data, errors } = (await response.body.json()) as Reply;
  return { ...(data === undefined ? {} : { data }), ...(errors === undefined ? {} : { errors }) };
}
