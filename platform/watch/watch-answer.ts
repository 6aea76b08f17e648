// What watches a process may read of it: /health/live, /health/ready and /metrics.
import type { Registry } from 'prom-client';
import { HttpError } from '../graph/http-body.ts';
import type { Health, PartHealth } from '../health.ts';

/** Whether a part works, for /health/ready. */
export interface PartReadiness {
  readonly name: string;
  readonly ready: boolean;
  /** False: the process is ready without it. Default true. */
  readonly required?: boolean;
  readonly detail?: string | undefined;
}

export interface Watched {
  readonly readiness: () => Promise<readonly PartReadiness[]>;
  readonly registry: Registry;
  /** Who may read /metrics. */
  readonly metricsFor: 'loopback' | 'everyone';
}

export interface WatchAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly text: string;
}

export const watchPaths = ['/health/live', '/health/ready', '/metrics'] as const;

export function isWatchPath(path: string): path is (typeof watchPaths)[number] {
  return (watchPaths as readonly string[]).includes(path);
}

/** Of the parts that do not work. */
export async function readinessOf(health: Health): Promise<readonly PartReadiness[]> {
  const { missing, impaired } = await health.readiness();
  const shown = (parts: readonly PartHealth[], required: boolean) =>
    parts.map(({ name, ready, detail }) => ({ name, ready, required, detail: detail ?? undefined }));
  return [...shown(missing, true), ...shown(impaired, false)];
}

/** Throws HttpError. */
export async function watchAnswer(
  path: (typeof watchPaths)[number],
  { readiness, registry, metricsFor }: Watched,
  isThisHost: boolean,
): Promise<WatchAnswer> {
  switch (path) {
    case '/health/live':
      return jsonAnswer(200, { live: true });
    case '/health/ready': {
      const parts = await readiness();
      const ready = parts.every((part) => part.ready || part.required === false);
      // Failures contain addresses and names: they are shown to this host only. Logged-in users read them as `health` in the graph.
      const shown = isThisHost
        ? parts
        : parts.map(({ name, ready: works, required }) => ({ name, ready: works, required }));
      return jsonAnswer(ready ? 200 : 503, { ready, notReady: shown.filter((part) => !part.ready), parts: shown });
    }
    case '/metrics':
      if (metricsFor === 'loopback' && !isThisHost)
        throw new HttpError(403, 'Metrics are served to this host only, at a loopback address or localhost.');
      return { status: 200, contentType: registry.contentType, text: await registry.metrics() };
  }
}

function jsonAnswer(status: number, value: unknown): WatchAnswer {
  return { status, contentType: 'application/json; charset=utf-8', text: `${JSON.stringify(value)}\n` };
}
