// The user ids of a host's nodes. Each node has its own id, also for its group. The id has no entry in any account database and owns no
// files. It is derived from the node's place, so that two installations on a machine rarely choose the same one. It is recorded in the
// node's folder before it is used, and freed with the folder, which is deleted after the node's last process has ended.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { readText, writePrivate } from '../node-files.ts';

const run = promisify(execFile);
const lookUpMs = 10_000;
/** Number of ids, starting with the first. */
const uidCount = 65_536;

export class NodeUids {
  readonly #nodes: string;
  readonly #first: number;
  /** Names of nodes by id. */
  readonly #taken = new Map<number, string>();

  private constructor(nodes: string, first: number) {
    this.#nodes = nodes;
    this.#first = first;
  }

  /** `nodes`: folder with a folder for each node. */
  static async open(nodes: string, first: number): Promise<NodeUids> {
    const uids = new NodeUids(nodes, first);
    for (const name of (await readdir(nodes)).sort()) {
      const uid = Number(await readText(join(nodes, name, 'uid')));
      // If two nodes have the same recorded id, the second one gets a new one.
      if (uids.#isInRange(uid) && !uids.#taken.has(uid)) uids.#taken.set(uid, name);
    }
    return uids;
  }

  /** The node's own id. Chosen and recorded if it has none. Rejects if accounts can't be looked up. */
  async of(name: string): Promise<number> {
    for (const [uid, owner] of this.#taken) if (owner === name) return uid;
    const start = createHash('sha256').update(join(this.#nodes, name)).digest().readUInt16BE();
    for (let step = 0; step < uidCount; step += 1) {
      const uid = this.#first + ((start + step) % uidCount);
      if (this.#taken.has(uid)) continue;
      this.#taken.set(uid, name);
      try {
        if (!(await isKnown(uid))) {
          await writePrivate(join(this.#nodes, name, 'uid'), String(uid));
          return uid;
        }
      } catch (error) {
        this.#taken.delete(uid);
        throw error;
      }
      // Id of an account of the machine: not used for nodes while this process runs.
      this.#taken.set(uid, '');
    }
    throw new Error(`no user id from ${this.#first} on is free (lbhost.firstUid)`);
  }

  /** Call it when the node's folder is gone. */
  free(name: string): void {
    for (const [uid, owner] of this.#taken) if (owner === name) this.#taken.delete(uid);
  }

  #isInRange(uid: number): boolean {
    return Number.isInteger(uid) && uid >= this.#first && uid < this.#first + uidCount;
  }
}

/** Whether any of the machine's databases has a user or group with this id. getent(1) ends with 2 if not. */
async function isKnown(id: number): Promise<boolean> {
  for (const database of ['passwd', 'group'])
    try {
      await run('getent', [database, String(id)], { timeout: lookUpMs });
      return true;
    } catch (error) {
      if ((error as { readonly code?: unknown }).code !== 2) throw error;
    }
  return false;
}
