// A client that was away: how fast it receives the events since its cursor, once with their projects and once with ids alone.
import { rounded } from '../../measure/statistics.ts';
import type { BareClients } from './bare-clients.ts';
import type { Project } from './gateway-process.ts';
import type { Writer } from './writer.ts';

const selections = { withProjects: 'id project { name }', idsAlone: 'id' };
const rounds = 3;
const batch = 100;

const queryOf = (fields: string): string =>
  `subscription ($after: String) { statusChanges(after: $after) { cursor change { ${fields} } } }`;

export async function catchUp({
  clients,
  socketUrl,
  project: { id, token },
  writer,
  events,
}: {
  readonly clients: BareClients;
  readonly socketUrl: string;
  readonly project: Project;
  readonly writer: Writer;
  readonly events: number;
}) {
  await clients.start({ url: socketUrl, query: queryOf('id'), sockets: [{ token, subscriptions: [{}] }] });
  const { cursor: after } = await clients.tell();
  await clients.stop();
  for (let written = 0; written < events; written += batch)
    await writer.write(id, Math.min(batch, events - written), 'an event to catch up with');
  await writer.account();
  const perSecond = async (fields: string): Promise<number> => {
    const startMs = performance.now();
    const sockets = [{ token, subscriptions: [{ after }] }];
    await clients.start({ url: socketUrl, query: queryOf(fields), sockets, isPast: true });
    await clients.all(events);
    const elapsedMs = performance.now() - startMs;
    const { changes } = await clients.tell();
    if (changes !== events) throw new Error(`${changes} events came instead of ${events}`);
    await clients.stop();
    return (events * 1000) / elapsedMs;
  };
  const best = { withProjects: 0, idsAlone: 0 };
  for (let round = 0; round < rounds; round += 1)
    for (const name of round % 2 === 0
      ? (['withProjects', 'idsAlone'] as const)
      : (['idsAlone', 'withProjects'] as const))
      best[name] = Math.max(best[name], await perSecond(selections[name]));
  return {
    catchupToIds: rounded(best.withProjects / best.idsAlone, 2),
    catchupPerSecond: rounded(best.withProjects, 0),
    catchupIdsPerSecond: rounded(best.idsAlone, 0),
  };
}
