// Paths of the files of a node's programs, in the node's own folder.
import { join } from 'node:path';

export type Role = 'HAPROXY' | 'KEEPALIVED';

interface NodeRoot {
  readonly root: string;
  /** Lists of mounts (fstab(5)). */
  readonly mounts: Readonly<Record<Role, string>>;
  /** Root folder of HAProxy's workers. */
  readonly empty: string;
  /** Configuration of keepalived. */
  readonly keepalived: string;
}

/** Paths in a node's folder. */
export function rootOf(folder: string): NodeRoot {
  return {
    root: join(folder, 'root'),
    mounts: { HAPROXY: join(folder, 'mounts.haproxy'), KEEPALIVED: join(folder, 'mounts.keepalived') },
    empty: join(folder, 'empty'),
    keepalived: join(folder, 'keepalived'),
  };
}
