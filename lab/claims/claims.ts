// Resources of a process that the kernel keeps when the process is killed: network namespaces, interfaces, mounts. The process claims them in a file
// of its own before it makes them. Any process that finds the claims of an ended process removes the resources. A guard does so at once (guard.sh),
// and otherwise the next start, or `tidegate lab clean`.
import { lstatSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Guard, startGuard } from './guard.ts';
import { hasEnded, ownerOf, ownName } from './owner.ts';

const kinds = ['namespaces', 'interfaces', 'mounts', 'path', 'processes', 'firewall'] as const;

/** A line of a file, for example `namespaces tg-1a2b3c-`. */
export interface Claim {
  /**
   * `namespaces`, `interfaces`: by name. A final hyphen makes it a prefix. `mounts`: a folder, with everything mounted in it. `path`: a file or
   * folder. `processes`: those that were started with a path in that folder. `firewall`: the lab's firewall of a folder, which keeps its rules.
   */
  readonly kind: (typeof kinds)[number];
  readonly what: string;
}

/** Claims of one process. */
export interface ClaimsFile {
  readonly path: string;
  /** Name of its process. */
  readonly owner: string;
  /** The process that removes the things. Undefined if none does. */
  readonly remover: string | undefined;
}

const waitMs = 60_000;
const pauseMs = 50;

/** Folder of this user, because only root may claim what root's processes remove. */
export function claimsFolder(uid = process.getuid?.() ?? 0): string {
  return uid === 0 ? '/run/tidegate-claims' : `/tmp/tidegate-claims-${uid}`;
}

/** Claims of this process, in one folder. */
export class Claims {
  readonly #folder: string;
  readonly #isGuarded: boolean;
  #guard: Guard | undefined;

  constructor({ folder = claimsFolder(), isGuarded = true } = {}) {
    this.#folder = folder;
    this.#isGuarded = isGuarded;
  }

  /** Resolves when no process removes remains of earlier processes under these claims. Throws if the folder belongs to another user. */
  async claim(...added: readonly Claim[]): Promise<void> {
    makeFolder(this.#folder);
    // Claims first and checks afterwards, because a remover does it in the reverse order.
    this.#write([...this.#own().filter((each) => !added.some(isSame(each))), ...added]);
    if (this.#isGuarded) this.#guard ??= startGuard(this.#path);
    const endsAtMs = performance.now() + waitMs;
    while (performance.now() < endsAtMs && this.#isBeingRemoved(added)) await sleep(pauseMs);
  }

  /** Removes claims whose resources are gone. */
  release(...gone: readonly Claim[]): void {
    const before = this.#own();
    const left = before.filter((each) => !gone.some(isSame(each)));
    if (left.length < before.length) this.#write(left);
    if (left.length > 0) return;
    this.#guard?.end();
    this.#guard = undefined;
  }

  #isBeingRemoved(added: readonly Claim[]): boolean {
    const removed = claimsFiles(this.#folder).filter(({ remover }) => isAlive(remover));
    return removed.some(({ path }) => readClaims(path).some((each) => added.some(isSame(each))));
  }

  #own(): readonly Claim[] {
    return readClaims(this.#path);
  }

  #write(claims: readonly Claim[]): void {
    if (claims.length === 0) {
      rmSync(this.#path, { force: true });
      return;
    }
    const temporary = `${this.#path}.new`;
    writeFileSync(temporary, claims.map(({ kind, what }) => `${kind} ${what}\n`).join(''), { mode: 0o600 });
    renameSync(temporary, this.#path);
  }

  get #path(): string {
    return join(this.#folder, ownName());
  }
}

/** Claims of this process, as this user. */
export const ownClaims = new Claims();

/** Ignores files with other names. */
export function claimsFiles(folder: string, uid = process.getuid?.()): readonly ClaimsFile[] {
  if (!isOwn(folder, uid)) return [];
  return readdirSync(folder).flatMap((name) => {
    const [owner = '', remover, ...more] = name.split('.');
    if (ownerOf(owner) === undefined || more.length > 0) return [];
    if (remover !== undefined && ownerOf(remover) === undefined) return [];
    return [{ path: join(folder, name), owner, remover }];
  });
}

/** Empty if it has just been removed. Ignores other lines. */
export function readClaims(path: string): readonly Claim[] {
  let text = '';
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    return [];
  }
  return text.split('\n').flatMap((line) => {
    const at = line.indexOf(' ');
    const kind = kinds.find((each) => each === line.slice(0, at));
    const what = line.slice(at + 1);
    return kind === undefined || what === '' ? [] : [{ kind, what }];
  });
}

/** Whether processes of a user have ended and have claims left. */
export function hasOwnerless(uid = process.getuid?.() ?? 0): boolean {
  return claimsFiles(claimsFolder(uid), uid).some(({ owner }) => !isAlive(owner));
}

export function isSame(one: Claim): (other: Claim) => boolean {
  return (other) => one.kind === other.kind && one.what === other.what;
}

export function isAlive(owner: string | undefined): boolean {
  const known = owner === undefined ? undefined : ownerOf(owner);
  return known !== undefined && !hasEnded(known);
}

/** Another user may have made it in /tmp. */
function makeFolder(folder: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  if (!isOwn(folder)) throw new Error(`${folder} belongs to another user, or others can write there: remove it`);
}

function isOwn(folder: string, uid = process.getuid?.()): boolean {
  const found = lstatSync(folder, { throwIfNoEntry: false });
  return found?.isDirectory() === true && found.uid === uid && (found.mode & 0o022) === 0;
}
