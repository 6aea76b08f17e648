// One id per request, through gateway, subgraph, job, event and device call. A caller's own is taken when it is sane.
import { randomUUID } from 'node:crypto';

export function requestIdOf(header: string | string[] | undefined): string {
  return typeof header === 'string' && /^[A-Za-z0-9._-]{1,64}$/.test(header) ? header : randomUUID();
}
