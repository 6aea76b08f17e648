// The unprivileged user for everything that needs no root: the process that listens, MariaDB and Redis.

import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';

export interface ServiceUser {
  readonly uid: number;
  readonly gid: number;
}

/**
 * Numeric, so that no account has to be created; the number is in a range that Debian and systemd leave unassigned (systemd,
 * "Users, Groups, UIDs and GIDs on systemd Systems": 60578–61183).
 */
export const serviceAccount: ServiceUser = { uid: 60_873, gid: 60_873 };

/** The only privilege that listening may need: ports below 1024. */
const capability = 'net_bind_service';

/** setpriv(1) flags, beside those of another user. */
export const lowPortFlags = ['--inh-caps', `-all,+${capability}`, '--ambient-caps', `-all,+${capability}`] as const;

/** setpriv(1) flags for a process of the account: only its own group, and no way to gain privileges. */
export function accountFlags(options: { readonly mayUseLowPorts: boolean }): string[] {
  const kept = options.mayUseLowPorts ? `,+${capability}` : '';
  return [
    ...['--reuid', String(serviceAccount.uid), '--regid', String(serviceAccount.gid), '--clear-groups'],
    ...['--no-new-privs', '--bounding-set', `-all${kept}`, '--inh-caps', `-all${kept}`],
    ...(options.mayUseLowPorts ? ['--ambient-caps', `-all${kept}`] : []),
  ];
}

/** The topmost parent of a path that the account can't pass, by owner and mode; undefined: it can pass all. */
export async function closedParent(path: string): Promise<string | undefined> {
  const parents: string[] = [];
  for (let parent = dirname(path); parent !== '/'; parent = dirname(parent)) parents.unshift(parent);
  for (const parent of parents) {
    const { mode, uid, gid } = await stat(parent);
    const execute = uid === serviceAccount.uid ? 0o100 : gid === serviceAccount.gid ? 0o010 : 0o001;
    if ((mode & execute) === 0) return parent;
  }
  return undefined;
}
