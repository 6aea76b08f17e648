// Two open loops at one gateway: good requests, whose answers are all checked, and abusive requests, which are all different and come from
// many users.
import { Pool } from 'undici';
import { answerParent } from '../../measure/child.ts';
import { seededRandom } from '../../trials/random.ts';
import { openLoop } from '../support/open-loop.ts';
import { abusiveRequest } from './abusive-documents.ts';
import { workloadNamed } from './graphs.ts';

export interface AbuseOrder {
  readonly url: string;
  readonly token: string;
  /** The users that abuse the gateway take turns. */
  readonly abusers: readonly string[];
  /** Good requests. */
  readonly perSecond: number;
  /** The share of abusive requests. */
  readonly abusiveShare: number;
  readonly seconds: number;
  readonly seed: number;
}

export interface AbuseFigures {
  readonly latenciesMs: readonly number[];
  /** Answers to abusive requests by kind and outcome. */
  readonly outcomes: Readonly<Record<string, number>>;
  readonly abusiveLatenciesMs: readonly number[];
}

const deadlineMs = 10_000;
const mostUnderWay = 500;
let abusiveSoFar = 0;

answerParent(async (order: AbuseOrder): Promise<AbuseFigures> => {
  const { origin, pathname } = new URL(order.url);
  const pool = new Pool(origin, { connections: 64 });
  const post = async (token: string, body: object) => {
    const response = await pool.request({
      path: pathname,
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json', authorization: `Bearer ${token}` },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(deadlineMs),
    });
    return { status: response.statusCode, text: await response.body.text() };
  };
  const fanout = workloadNamed('devices', 'fanout');
  const outcomes: Record<string, number> = {};
  const good = async (): Promise<void> => {
    const variables = fanout.variables();
    const { status, text } = await post(order.token, { query: fanout.query, variables });
    if (status !== 200 || !fanout.isWhole(text, variables)) throw new Error(`HTTP ${status}: ${text.slice(0, 500)}`);
  };
  const abusive = async (): Promise<void> => {
    abusiveSoFar += 1;
    const { kind, ...body } = abusiveRequest(abusiveSoFar);
    const abuser = order.abusers[abusiveSoFar % order.abusers.length] ?? '';
    const { status, text } = await post(abuser, body).catch((cause: unknown) => {
      throw new Error(`${kind}: ${cause}`, { cause });
    });
    const code = /"code":"(\w+)"/.exec(text)?.[1] ?? 'answered';
    const outcome = `${kind}: ${status} ${code}`;
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
  };
  const [random, other] = [seededRandom(order.seed), seededRandom(order.seed + 1)];
  const forMs = order.seconds * 1000;
  const abusivePerSecond = (order.perSecond * order.abusiveShare) / (1 - order.abusiveShare);
  try {
    const [goods, abuses] = await Promise.all([
      openLoop({ perSecond: order.perSecond, forMs, random, mostUnderWay }, good),
      abusivePerSecond === 0
        ? undefined
        : openLoop({ perSecond: abusivePerSecond, forMs, random: other, mostUnderWay }, abusive),
    ]);
    const failed = goods.firstFailure ?? abuses?.firstFailure;
    if (failed !== undefined) throw new Error(`a request failed: ${failed}`);
    return { latenciesMs: goods.latenciesMs, outcomes, abusiveLatenciesMs: abuses?.latenciesMs ?? [] };
  } finally {
    await pool.destroy();
  }
});
