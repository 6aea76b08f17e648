// Administrative requests made on a host, kept in etcd for the audit trail, with the user of the machine, the host and the time.

import { randomUUID } from 'node:crypto';
import { userInfo } from 'node:os';
import { type Act, type HaKeys, keptActs } from './agent/keys.ts';
import type { Change, EtcdClient } from './etcd.ts';

export interface Asker {
  readonly user: string;
  readonly host: string;
}

/** The number is limited, because a transaction allows only a limited number of changes. */
const mostRemoved = 20;

/** A user who became root through sudo is recorded under their original name. */
export function askerAt(host: string, env: NodeJS.ProcessEnv): Asker {
  return { user: (env.SUDO_USER ?? userInfo().username).slice(0, 64), host };
}

export function newAct({ user, host }: Asker, action: string, details: Act['details']): Act {
  return { id: randomUUID(), action, user, host, at: new Date().toISOString(), details };
}

/** Deletes the oldest acts beyond the limit. */
export async function recordOf(etcd: EtcdClient, keys: HaKeys, act: Act): Promise<Change[]> {
  const { entries } = await etcd.get(keys.acts, 2 * keptActs);
  const old = entries.slice(0, Math.max(0, entries.length + 1 - keptActs)).slice(0, mostRemoved);
  return [{ put: keys.act(act), value: JSON.stringify(act) }, ...old.map(({ key }) => ({ delete: key }))];
}
