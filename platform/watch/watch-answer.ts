// Answers the requests of monitoring to a process: /health/live, /health/ready and /metrics.
import type { Registry } from 'prom-client';
import { HttpError } from '../graph/http-body.ts';
import type { Health } from '../process/health.ts';
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

/** The process as a whole, which is ready once all of its parts have started, and each part. */
export async function readinessOf(health: Health, phase: string): Promise<readonly ComponentReadiness[]> {
  const { parts } = await health.readiness();
  return [
    { name: 'process', ready: phase === 'ready', required: true, detail: phase },
    ...parts.map((part) => ({ ...part, detail: part.detail ?? undefined })),
  ];
}

/** By process and name: whether the part worked, and since when that has been so. */
const states = new WeakMap<Registry, Map<string, { readonly ready: boolean; readonly since: string }>>();

/** RFC 3339: when this process first saw the part in its present state. */
function sinceOf(registry: Registry, { name, ready }: Pick<ComponentReadiness, 'name' | 'ready'>): string {
  const known = states.get(registry) ?? new Map<string, { readonly ready: boolean; readonly since: string }>();
  states.set(registry, known);
  const last = known.get(name);
  const state = last?.ready === ready ? last : { ready, since: new Date().toISOString() };
  known.set(name, state);
  return state.since;
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
      const parts = shown.map((component) => ({ ...component, since: sinceOf(registry, component) }));
      const version = isThisHost ? shownVersion(program) : {};
      return jsonAnswer(ready ? 200 : 503, { ready, ...version, notReady, parts });
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
