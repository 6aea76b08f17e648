// Answers the requests of monitoring to a process: /health/live, /health/ready and /metrics.
import type { Registry } from 'prom-client';
import { HttpError } from '../graph/http-body.ts';
import type { ComponentHealth, Health } from '../process/health.ts';
import { type ProgramVersion, shownVersion } from '../process/program-version.ts';

/** Whether a component works, for /health/ready. */
export interface ComponentReadiness {
  readonly name: string;
  readonly ready: boolean;
  /** If false, the process is ready without this component. Default: true. */
  readonly required?: boolean;
  readonly detail?: string | undefined;
}

export interface Watched {
  readonly program: ProgramVersion;
  readonly readiness: () => Promise<readonly ComponentReadiness[]>;
  readonly registry: Registry;
  /** Which clients may read /metrics. */
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

/** Faults of the components that do not work. */
export async function readinessOf(health: Health): Promise<readonly ComponentReadiness[]> {
  const { missing, impaired } = await health.readiness();
  const shown = (components: readonly ComponentHealth[], required: boolean) =>
    components.map(({ name, ready, detail }) => ({ name, ready, required, detail: detail ?? undefined }));
  return [...shown(missing, true), ...shown(impaired, false)];
}

/** Throws HttpError. */
export async function watchAnswer(
  path: (typeof watchPaths)[number],
  { program, readiness, registry, metricsFor }: Watched,
  isThisHost: boolean,
): Promise<WatchAnswer> {
  switch (path) {
    case '/health/live':
      return jsonAnswer(200, { live: true });
    case '/health/ready': {
      const components = await readiness();
      const ready = components.every((component) => component.ready || component.required === false);
      // Failures contain addresses and names, and a version helps an attacker to find known faults: both are shown to this host only.
      // Logged-in users read the failures as `health` in the graph.
      const shown = isThisHost
        ? components
        : components.map(({ name, ready: works, required }) => ({ name, ready: works, required }));
      const notReady = shown.filter((component) => !component.ready);
      const version = isThisHost ? shownVersion(program) : {};
      return jsonAnswer(ready ? 200 : 503, { ready, ...version, notReady, parts: shown });
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
