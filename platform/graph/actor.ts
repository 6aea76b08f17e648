// Who did something, from the identity that was stored with it.
import type { Identity } from '../caller/identity.ts';
import { encodeId } from '../values/ids.ts';

/** As stored. `host`: asked for on a host of the database, not in the graph. `id`: UUID, or null if it was not stored. */
interface StoredActor {
  readonly kind: Identity['kind'] | 'host' | 'anonymous';
  readonly id: string | null;
  readonly name: string;
}

/** The source of the graph's Actor. The objects are stubs, which the system subgraph resolves. */
export interface ActorView {
  readonly name: string;
  readonly kind: 'USER' | 'API_TOKEN' | 'MACHINE' | 'SYSTEM';
  readonly user: { readonly id: string } | null;
  readonly apiToken: { readonly id: string } | null;
}

const kinds = {
  user: 'USER',
  token: 'API_TOKEN',
  machine: 'MACHINE',
  host: 'MACHINE',
  service: 'SYSTEM',
  anonymous: 'SYSTEM',
} as const;

export function actorOf({ kind, id, name }: StoredActor): ActorView {
  return {
    name,
    kind: kinds[kind],
    user: kind === 'user' && id !== null ? { id: encodeId('User', id) } : null,
    apiToken: kind === 'token' && id !== null ? { id: encodeId('ApiToken', id) } : null,
  };
}
