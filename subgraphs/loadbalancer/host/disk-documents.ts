// The documents of this host's nodes, on disk and in memory: what the host knows when it starts without its control plane. They contain
// private keys, so that only their owner reads them.
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { JsonValue } from '../../../platform/json.ts';
import type { LinkDocuments } from '../../../platform/link/link-client.ts';
import type { Logger } from '../../../platform/log.ts';
import { applyChange, type WantedChange, type WantedNode } from '../wanted/wanted-node.ts';
import { readWantedChange, readWantedNode } from '../wanted/wanted-schema.ts';

export class DiskDocuments implements LinkDocuments {
  readonly #folder: string;
  readonly #log: Logger;
  readonly #nodes = new Map<string, WantedNode>();
  readonly #listeners = new Set<(id: string) => void>();

  private constructor(folder: string, log: Logger) {
    this.#folder = folder;
    this.#log = log;
  }

  /** Reads what is there. A file that can't be read is left out: the control plane sends it again. */
  static async open(folder: string, log: Logger): Promise<DiskDocuments> {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const documents = new DiskDocuments(folder, log);
    for (const name of await readdir(folder)) {
      if (!name.endsWith('.json')) continue;
      const text = await readFile(join(folder, name), 'utf8').catch(() => '');
      const node = readWantedNode(parsed(text));
      if (node === undefined) log.warn({ file: name }, 'the document of a node is damaged: it is asked for again');
      else documents.#nodes.set(node.id, node);
    }
    return documents;
  }

  /** Calls with the UUID of each node whose document was put, changed or removed. */
  onChange(listener: (id: string) => void): void {
    this.#listeners.add(listener);
  }

  nodes(): ReadonlyMap<string, WantedNode> {
    return this.#nodes;
  }

  held(): ReadonlyMap<string, number> {
    return new Map([...this.#nodes].map(([id, { generation }]) => [id, generation]));
  }

  /** An older generation than the present one is refused: it comes from a process that has been overtaken. */
  async put(key: string, generation: number, document: JsonValue): Promise<void> {
    const node = readWantedNode(document);
    if (node === undefined || node.id !== key || node.generation !== generation)
      throw new Error(`the document of node ${key} is not what a node must do`);
    const before = this.#nodes.get(key);
    if (before !== undefined && before.generation > generation)
      this.#log.warn({ node: key, generation, held: before.generation }, 'an older document is refused');
    else await this.#keep(node);
  }

  async change(key: string, change: Readonly<Record<string, JsonValue>>): Promise<boolean> {
    const before = this.#nodes.get(key);
    const read: WantedChange | undefined = readWantedChange(change);
    if (before === undefined || read === undefined) return false;
    const after = applyChange(before, read);
    if (after === undefined) return false;
    await this.#keep(after);
    return true;
  }

  async remove(key: string): Promise<void> {
    await rm(this.#path(key), { force: true });
    if (this.#nodes.delete(key)) this.#tell(key);
  }

  async #keep(node: WantedNode): Promise<void> {
    const path = this.#path(node.id);
    await writeFile(`${path}.new`, JSON.stringify(node), { mode: 0o600, flush: true });
    await rename(`${path}.new`, path);
    this.#nodes.set(node.id, node);
    this.#tell(node.id);
  }

  #path(id: string): string {
    return join(this.#folder, `${id}.json`);
  }

  #tell(id: string): void {
    for (const listener of this.#listeners) listener(id);
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
