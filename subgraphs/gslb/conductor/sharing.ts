// Which of a vantage point's checkers has a target: rendezvous hashing. One that comes or goes moves only its own share.
import { hashOf } from '../../../dns/policy/client.ts';

/** Undefined: there is no checker. All who ask with the same checkers get the same one. */
export function checkerOf(targetId: string, checkerIds: readonly string[]): string | undefined {
  return sharing(checkerIds)(targetId);
}

/** `checkerOf` for many targets. */
export function sharing(checkerIds: readonly string[]): (targetId: string) => string | undefined {
  const checkers = checkerIds.map((id) => ({ id, hash: Math.imul(hashOf(Buffer.from(id)), 0x9e3779b1) }));
  return (targetId) => {
    const target = hashOf(Buffer.from(targetId));
    let [best, highest]: [string | undefined, number] = [undefined, -1];
    for (const { id, hash } of checkers) {
      const key = mixed(target ^ hash);
      // Equal keys: the order in which they come says nothing.
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
