// The relay's metrics for Prometheus, read at each scrape.
import { Gauge, type Registry } from 'prom-client';
import type { BackendManager } from './holding/backend-manager.ts';
import type { VerdictRecorder } from './journal/verdict-recorder.ts';

export function addRelayMetrics(
  registry: Registry,
  parts: { readonly manager: BackendManager; readonly recorder: VerdictRecorder },
): void {
  const gauge = (name: string, help: string, read: () => number) =>
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(read());
      },
    });
  gauge('tidegate_relay_backends_held', 'Backends this process holds', () => parts.manager.figures().held);
  gauge('tidegate_relay_sessions', 'Open sessions to backends', () => parts.manager.figures().sessions);
  gauge('tidegate_relay_unrecorded_outcomes', 'Outcomes that wait for the database', () => parts.recorder.waiting);
}
