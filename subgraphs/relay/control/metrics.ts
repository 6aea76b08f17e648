// The relay's metrics for Prometheus, read at each scrape. Calls are counted in holding/call-metrics.ts.
import { Gauge, type Registry } from 'prom-client';
import type { Database } from '../../../platform/database/database.ts';
import { type BackendCount, countBackends } from './backends/backend-store.ts';
import type { BackendManager } from './holding/backend-manager.ts';
import { countUnended } from './journal/operation-store.ts';
import type { VerdictRecorder } from './journal/verdict-recorder.ts';

export function addRelayMetrics(
  registry: Registry,
  dependencies: { readonly db: Database; readonly manager: BackendManager; readonly recorder: VerdictRecorder },
): void {
  const { db, manager, recorder } = dependencies;
  const gauge = (name: string, help: string, read: () => number) =>
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(read());
      },
    });
  gauge('tidegate_relay_backends_held', 'Backends this process holds', () => manager.figures().held);
  gauge('tidegate_relay_sessions', 'Open sessions to backends', () => manager.figures().sessions);
  gauge('tidegate_relay_unrecorded_outcomes', 'Outcomes that wait for the database', () => recorder.waiting);

  /** Counts for the whole installation. Every relay process reports the same. Missing while the database is not available. */
  const counts = <Label extends string>(
    name: string,
    help: string,
    labelNames: Label[],
    read: () => Promise<readonly (readonly [Record<Label, string>, number])[]>,
  ) =>
    new Gauge({
      name,
      help,
      labelNames,
      registers: [registry],
      async collect() {
        const found = await read().catch(() => []);
        this.reset();
        for (const [labels, count] of found) this.set(labels, count);
      },
    });
  counts('tidegate_relay_operations', 'Calls of the installation that have not ended, by state', ['state'], async () =>
    (await countUnended(db)).map(({ state, count }) => [{ state }, count]),
  );
  counts('tidegate_relay_backends', 'Enabled backends of the installation', ['driver', 'status'], async () =>
    withZeros(await countBackends(db), 'operatingStatus', ['ONLINE', 'OFFLINE', 'UNKNOWN']).map(
      ([driver, status, count]) => [{ driver, status }, count],
    ),
  );
  counts('tidegate_relay_circuits', 'Circuits of enabled backends of the installation', ['driver', 'state'], async () =>
    withZeros(await countBackends(db), 'circuitState', ['CLOSED', 'OPEN', 'HALF_OPEN']).map(
      ([driver, state, count]) => [{ driver, state }, count],
    ),
  );
}

/** Driver, word and sum, for each driver that has backends: a word that no backend has is 0, not missing. */
function withZeros<By extends 'operatingStatus' | 'circuitState'>(
  found: readonly BackendCount[],
  by: By,
  words: readonly BackendCount[By][],
): [string, BackendCount[By], number][] {
  return [...new Set(found.map(({ driver }) => driver))].flatMap((driver) =>
    words.map((word): [string, BackendCount[By], number] => {
      const these = found.filter((each) => each.driver === driver && each[by] === word);
      return [driver, word, these.reduce((sum, { count }) => sum + count, 0)];
    }),
  );
}
