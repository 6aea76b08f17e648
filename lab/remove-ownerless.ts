// Removes what processes that have ended had claimed, and nothing else. Only one process at a time removes the claims of an owner: it has
// renamed their file.
import { renameSync, rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemErrorCode } from '../embedded/setup-error.ts';
import { type ClaimsFile, claimsFiles, claimsFolder, isAlive, isSame, readClaims } from './claims/claims.ts';
import { ownerOf, ownName } from './claims/owner.ts';
import { type Remains, removeClaimed } from './remove-claimed.ts';

/** A removed resource. */
export interface Removed extends Remains {
  /** Id of its process, which has ended. */
  readonly pid: number;
}

export interface Removal {
  readonly removed: readonly Removed[];
  /** Why some things are still there. The next removal tries again. */
  readonly failures: readonly string[];
}

const waitMs = 60_000;
const pauseMs = 100;

/** Waits for other processes that remove claims now. */
export async function removeOwnerless(folder = claimsFolder()): Promise<Removal> {
  const removed: Removed[] = [];
  const failures: string[] = [];
  for (const file of claimsFiles(folder).filter(({ owner }) => !isAlive(owner))) {
    const own = take(file);
    if (own === undefined) await whenGone(folder, file.owner);
    else
      try {
        const claims = readClaims(own);
        const kept = claimsFiles(folder).filter(({ owner }) => isAlive(owner));
        const living = kept.flatMap(({ path }) => readClaims(path));
        const pid = ownerOf(file.owner)?.pid ?? 0;
        const gone = await removeClaimed(claims.filter((each) => !living.some(isSame(each))));
        removed.push(...gone.map((each) => ({ ...each, pid })));
        rmSync(own);
      } catch (error) {
        failures.push(error instanceof Error ? error.message : String(error));
        giveBack(own, file);
      }
  }
  return { removed, failures };
}

/** The new path. Undefined if another process removes them. */
function take({ path, owner, remover }: ClaimsFile): string | undefined {
  if (isAlive(remover)) return undefined;
  const own = path.replace(/[^/]*$/, `${owner}.${ownName()}`);
  try {
    renameSync(path, own);
    return own;
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function giveBack(own: string, { owner }: ClaimsFile): void {
  renameSync(own, own.replace(/[^/]*$/, owner));
}

async function whenGone(folder: string, owner: string): Promise<void> {
  const endsAtMs = performance.now() + waitMs;
  const isThere = () => claimsFiles(folder).some((each) => each.owner === owner && isAlive(each.remover));
  while (performance.now() < endsAtMs && isThere()) await sleep(pauseMs);
}
