// Makes load with a few clients. Each sends its next request as soon as it has its answer. Every answer is checked.
import { Pool } from 'undici';
import { answerParent } from '../../measure/child.ts';
import { percentile } from '../../measure/statistics.ts';
import { type GraphName, workloadNamed } from './graphs.ts';

export interface LoadOrder {
  readonly graph: GraphName;
  readonly workload: string;
  readonly url: string;
  readonly token: string;
  readonly clients: number;
  readonly seconds: number;
}

export interface LoadFigures {
  readonly requests: number;
  readonly elapsedMs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

const requestDeadlineMs = 10_000;

answerParent(async ({ graph, workload, url, token, clients, seconds }: LoadOrder): Promise<LoadFigures> => {
  const { query, variables: drawVariables, isWhole } = workloadNamed(graph, workload);
  const { origin, pathname } = new URL(url);
  const pool = new Pool(origin, { connections: clients });
  const latenciesMs: number[] = [];
  const startMs = performance.now();
  const endMs = startMs + seconds * 1000;
  const client = async (): Promise<void> => {
    while (performance.now() < endMs) {
      const variables = drawVariables();
      const askedMs = performance.now();
      const response = await pool.request({
        path: pathname,
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: 'application/json', authorization: `Bearer ${token}` },
        body: JSON.stringify({ query, variables }),
        signal: AbortSignal.timeout(requestDeadlineMs),
      });
      const text = await response.body.text();
      if (response.statusCode !== 200 || !isWhole(text, variables))
        throw new Error(`${url} answered HTTP ${response.statusCode}: ${text.slice(0, 500)}`);
      latenciesMs.push(performance.now() - askedMs);
    }
  };
  try {
    await Promise.all(Array.from({ length: clients }, client));
    const elapsedMs = performance.now() - startMs;
    return {
      requests: latenciesMs.length,
      elapsedMs,
      p50Ms: percentile(latenciesMs, 0.5),
      p99Ms: percentile(latenciesMs, 0.99),
    };
  } finally {
    await pool.destroy();
  }
});
