// Sends two kinds of requests at fixed rates, whether or not earlier ones were answered: requests that need the late subgraph, and requests
// that do not. It measures the latencies of the latter and checks their answers.
import { setTimeout as sleep } from 'node:timers/promises';
import { Pool } from 'undici';
import { answerParent } from '../../measure/child.ts';
import { percentile } from '../../measure/statistics.ts';
import { workloadNamed } from '../gateway/graphs.ts';

export interface LateLoadOrder {
  readonly url: string;
  readonly token: string;
  readonly seconds: number;
  /** Requests per second. */
  readonly measured: number;
  readonly needing: number;
}

export interface LateLoadFigures {
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** The requests that need the subgraph. */
  readonly partial: number;
  readonly whole: number;
}

const requestDeadlineMs = 20_000;
/** Whether it needs the late subgraph. */
const needingWorkload = workloadNamed('devices', 'fanout');
const measuredQuery = `query Devices($from: Int!) {
  devices(first: 50, from: $from) { id name model address site { name city } health { status latencyMs checkedAt } }
}`;

/** Ends when all are answered. */
async function atRate(perSecond: number, seconds: number, send: () => Promise<void>): Promise<void> {
  const startMs = performance.now();
  const sent: Promise<void>[] = [];
  for (let count = 0; count < perSecond * seconds; count += 1) {
    const waitMs = startMs + (count * 1000) / perSecond - performance.now();
    if (waitMs > 0) await sleep(waitMs);
    sent.push(send());
  }
  await Promise.all(sent);
}

answerParent(async ({ url, token, seconds, measured, needing }: LateLoadOrder): Promise<LateLoadFigures> => {
  const { origin, pathname } = new URL(url);
  const pool = new Pool(origin, { connections: 500 });
  const ask = async (query: string, variables: object): Promise<string> => {
    const response = await pool.request({
      path: pathname,
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json', authorization: `Bearer ${token}` },
      body: JSON.stringify({ query, variables }),
      signal: AbortSignal.timeout(requestDeadlineMs),
    });
    const text = await response.body.text();
    if (response.statusCode !== 200) throw new Error(`HTTP ${response.statusCode}: ${text.slice(0, 500)}`);
    return text;
  };
  const latenciesMs: number[] = [];
  const answers = { partial: 0, whole: 0 };
  try {
    await Promise.all([
      atRate(measured, seconds, async () => {
        const { from } = needingWorkload.variables() as { readonly from: number };
        const askedMs = performance.now();
        const text = await ask(measuredQuery, { from });
        if (text.includes('"errors":[') || !text.includes(`"device-${from + 49}"`))
          throw new Error(`not whole: ${text.slice(0, 500)}`);
        latenciesMs.push(performance.now() - askedMs);
      }),
      atRate(needing, seconds, async () => {
        const text = await ask(needingWorkload.query, needingWorkload.variables());
        if (!text.includes('"checkedAt"')) throw new Error(`the rest is missing: ${text.slice(0, 500)}`);
        answers[text.includes('"errors":[') ? 'partial' : 'whole'] += 1;
      }),
    ]);
    return { p50Ms: percentile(latenciesMs, 0.5), p99Ms: percentile(latenciesMs, 0.99), ...answers };
  } finally {
    await pool.destroy();
  }
});
