// Which checker of a vantage point gets a target: rendezvous hashing among the checkers that have its plugin. A checker that
// joins or leaves moves only its own share.
import { hashOf } from '../../../../dns/policy/client.ts';

/** A checker that shares the targets of its vantage point. */
export interface Sharer {
  readonly id: string;
  /** Names of its check plugins. Undefined if it named none, and is taken to have all. */
  readonly plugins?: ReadonlySet<string> | undefined;
}

export function hasPlugin({ plugins }: Sharer, type: string): boolean {
  return plugins === undefined || plugins.has(type);
}

/** Returns the checker of a target by plugin (`type`). Undefined if no checker has the plugin. */
export function sharingByPlugin(sharers: readonly Sharer[]): (targetId: string, type: string) => string | undefined {
  const byType = new Map<string, ReturnType<typeof sharing>>();
  return (targetId, type) => {
    let owner = byType.get(type);
    if (owner === undefined) {
      owner = sharing(sharers.filter((each) => hasPlugin(each, type)).map(({ id }) => id));
      byType.set(type, owner);
    }
    return owner(targetId);
  };
}

/** Undefined if there is no checker. All who ask with the same checkers get the same one. */
export function sharing(checkerIds: readonly string[]): (targetId: string) => string | undefined {
  const checkers = checkerIds.map((id) => ({ id, hash: Math.imul(hashOf(Buffer.from(id)), 0x9e3779b1) }));
  return (targetId) => {
    const target = hashOf(Buffer.from(targetId));
    let [best, highest]: [string | undefined, number] = [undefined, -1];
    for (const { id, hash } of checkers) {
      const key = mixed(target ^ hash);
      // For equal keys, the result must not depend on the order of the checkers.
      if (key < highest || (key === highest && best !== undefined && id > best)) continue;
      [best, highest] = [id, key];
    }
    return best;
  };
}

/** The finalizer of MurmurHash3: every bit of the input changes half of the output's. */
function mixed(value: number): number {
  let hash = value;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
