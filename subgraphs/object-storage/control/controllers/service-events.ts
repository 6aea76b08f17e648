// Emits events of a cluster when one of its services serves, stops serving, is drained or is gone. A cluster may report changes every
// second, so the number of events is bounded: of several changes between two polls only the last is published.
import type { Database, Transaction } from '../../../../platform/database/database.ts';
import { appendStatus } from '../../../../platform/events/append.ts';
import type { Wake } from '../../../../platform/work/wake.ts';
import type { ControllerState } from '../../wire/controller-wire.ts';
import { objectEvents, type ServiceEventState } from '../events.ts';
import { controllersOf } from '../stores/controller-store.ts';

type Services = ControllerState['services'];
/** By role and name, as published by the last events. */
type Told = Readonly<Record<string, ServiceEventState>>;

/** For one cluster in one poll. */
const mostAtOnce = 20;

interface Row {
  readonly id: string;
  /** JSON. Null if nothing has been published yet. */
  readonly services: string | null;
}

/** Does nothing if another process has already done so. */
export async function tellServices(db: Database, wake: Wake): Promise<void> {
  const rows = await db.query<Row>('SELECT id, services FROM object_cluster WHERE live_name IS NOT NULL');
  const controllers = await controllersOf(
    db,
    rows.map(({ id }) => id),
  );
  for (const row of rows) {
    // All controllers of a cluster report the same. Nothing is known about a silent cluster.
    const state = controllers.get(row.id)?.find(({ present }) => present)?.state;
    if (state == null || changesIn(toldIn(row), state.services).length === 0) continue;
    await db.transaction((tx) => tell(tx, wake, row.id, state.services));
  }
}

async function tell(tx: Transaction, wake: Wake, id: string, services: Services): Promise<void> {
  const [row] = await tx.query<Row & { readonly version: number }>(
    'SELECT id, services, version FROM object_cluster WHERE id = ? AND live_name IS NOT NULL FOR UPDATE',
    [id],
  );
  if (row === undefined) return;
  const told: Record<string, ServiceEventState> = { ...toldIn(row) };
  const changes = changesIn(told, services).slice(0, mostAtOnce);
  if (changes.length === 0) return;
  for (const { key, to } of changes) {
    if (to === 'GONE') delete told[key];
    else told[key] = to;
  }
  await tx.execute('UPDATE object_cluster SET services = ? WHERE id = ?', [JSON.stringify(told), id]);
  const subject = { projectId: null, subjectId: id, subjectVersion: row.version, requestId: null } as const;
  const events = changes.map(({ from, to, reason }) => {
    return { ...subject, kind: 'objectCluster.service', from, to, reason } as const;
  });
  await appendStatus(tx, objectEvents, events, wake);
}

function changesIn(told: Told, services: Services) {
  const seen = new Map(services.map((service) => [`${service.role} ${service.name}`, service]));
  const gone = Object.keys(told).filter((key) => !seen.has(key));
  return [
    ...gone.map((key) => ({ key, from: told[key] ?? null, to: 'GONE' as const, reason: key })),
    ...[...seen].flatMap(([key, service]) => {
      const [from, to] = [told[key] ?? null, stateOf(service)];
      const why = service.message === null ? '' : `: ${service.message}`;
      return from === to ? [] : [{ key, from, to, reason: `${key}${why}` }];
    }),
  ];
}

function stateOf({ isReady, isDrained }: Services[number]): ServiceEventState {
  if (isDrained === true) return 'DRAINED';
  return isReady ? 'READY' : 'NOT_READY';
}

function toldIn({ services }: Row): Told {
  return services === null ? {} : (JSON.parse(services) as Told);
}
