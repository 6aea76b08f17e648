// The documents of this host's nodes, on disk and in memory: what the host knows when it starts without its control plane. They contain
// private keys, so that only their owner reads them.
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type JsonValue, jsonIn } from '../../../platform/json.ts';
import type { LinkDocuments } from '../../../platform/link/link-client.ts';
import type { Logger } from '../../../platform/log.ts';
import { applyChange, type WantedNode } from '../wanted/wanted-node.ts';
import { readWantedChange, readWantedNode, wantedNodeFault } from '../wanted/wanted-schema.ts';

const uuidPattern = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export class DiskDocuments implements LinkDocuments {
  readonly #folder: string;
  readonly #log: Logger;
  readonly #nodes = new Map<string, WantedNode>();
  /** Removed documents whose nodes may still be here, with the node's name; undefined: it is not known. */
  readonly #leaving = new Map<string, string | undefined>();
  /** Why the last document of a node was refused. */
  readonly #faults = new Map<string, string>();
  /** Documents that the disk did not take. */
  readonly #unsaved = new Set<string>();
  readonly #listeners = new Set<(id: string) => void>();

  private constructor(folder: string, log: Logger) {
    this.#folder = folder;
    this.#log = log;
  }

  /** Reads what is there. A damaged file is put aside: the control plane sends the document again. */
  static async open(folder: string, log: Logger): Promise<DiskDocuments> {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const documents = new DiskDocuments(folder, log);
    for (const name of await readdir(folder)) await documents.#read(name);
    return documents;
  }

  /** Calls with the UUID of each node whose document was changed, removed, or refused. */
  onChange(listener: (id: string) => void): void {
    this.#listeners.add(listener);
  }

  nodes(): ReadonlyMap<string, WantedNode> {
    return this.#nodes;
  }

  /** Nodes that must go, by UUID, until `forget`. */
  leaving(): ReadonlyMap<string, string | undefined> {
    return this.#leaving;
  }

  /** Why the control plane's last word for the node was not taken; undefined: it was. */
  faultOf(id: string): string | undefined {
    return this.#faults.get(id);
  }

  /** Number of documents in effect that are not on disk. */
  get unsaved(): number {
    return this.#unsaved.size;
  }

  held(): ReadonlyMap<string, number> {
    return new Map([...this.#nodes].map(([id, { generation }]) => [id, generation]));
  }

  /**
   * An older generation than the present one is refused: it comes from a process that has been overtaken. What is not the document of
   * the node is refused too, and the node goes on as before.
   */
  async put(key: string, generation: number, document: JsonValue): Promise<void> {
    const node = readWantedNode(document);
    if (node === undefined || node.id !== key || node.generation !== generation) {
      this.#refuse(key, generation, wantedNodeFault(document) ?? 'it is for another node or generation');
      return;
    }
    const before = this.#nodes.get(key);
    if (before !== undefined && before.generation > generation)
      this.#log.warn({ node: key, generation, held: before.generation }, 'an older document is refused');
    else await this.#take(node);
  }

  async change(key: string, change: Readonly<Record<string, JsonValue>>): Promise<boolean> {
    const before = this.#nodes.get(key);
    const read = readWantedChange(change);
    if (before === undefined || read === undefined) return false;
    const after = applyChange(before, read);
    if (after === undefined) return false;
    await this.#take(after);
    return true;
  }

  /** The file stays, under another name, until the node is gone: a crash between the two must not leave the node behind. */
  async remove(key: string): Promise<void> {
    if (!uuidPattern.test(key)) return;
    const node = this.#nodes.get(key);
    if (node !== undefined)
      await rename(this.#path(key), this.#pathOfLeaving(key)).catch((error: unknown) =>
        this.#log.error({ err: error, node: key }, 'the file of a removed node was not renamed'),
      );
    this.#nodes.delete(key);
    this.#faults.delete(key);
    this.#unsaved.delete(key);
    this.#leaving.set(key, node?.name ?? this.#leaving.get(key));
    this.#tell(key);
  }

  /** The node that had to go is gone. */
  async forget(key: string): Promise<void> {
    await rm(this.#pathOfLeaving(key), { force: true });
    this.#leaving.delete(key);
  }

  /** Writes what the disk did not take before. */
  async saveAgain(): Promise<void> {
    for (const id of this.#unsaved) {
      const node = this.#nodes.get(id);
      if (node !== undefined) await this.#save(node);
    }
  }

  async #read(name: string): Promise<void> {
    const [id = '', kind] = name.split(/\.(?=[a-z]+$)/);
    const path = join(this.#folder, name);
    // What was being written when the process ended.
    if (kind === 'new') await rm(path, { force: true });
    if (!uuidPattern.test(id) || (kind !== 'json' && kind !== 'gone')) return;
    const node = readWantedNode(jsonIn(await readFile(path, 'utf8').catch(() => '')));
    if (kind === 'gone') this.#leaving.set(id, node?.name);
    else if (node?.id === id) this.#nodes.set(id, node);
    else {
      this.#log.error({ file: name }, 'the document of a node is damaged: it is put aside and asked for again');
      await rename(path, `${path}.damaged`).catch(() => undefined);
    }
  }

  /** A node's files and interfaces have its name: it keeps it, and has it alone. */
  async #take(node: WantedNode): Promise<void> {
    const { id, name, generation } = node;
    const before = this.#nodes.get(id);
    const other = [...this.#nodes.values()].find((each) => each.name === name && each.id !== id);
    if (other !== undefined) this.#refuse(id, generation, `another node has the name ${name}`);
    else if (before !== undefined && before.name !== name) this.#refuse(id, generation, 'the name of a node stays');
    else await this.#keep(node);
  }

  #refuse(id: string, generation: number, reason: string): void {
    if (!uuidPattern.test(id)) return;
    this.#log.error({ node: id, generation, reason }, 'a document is refused');
    this.#faults.set(id, `the document of generation ${generation} is refused: ${reason}`);
    this.#tell(id);
  }

  /** What the disk does not take is in effect all the same: after a crash the control plane sends it again. */
  async #keep(node: WantedNode): Promise<void> {
    await this.#save(node);
    this.#faults.delete(node.id);
    this.#nodes.set(node.id, node);
    this.#tell(node.id);
  }

  async #save(node: WantedNode): Promise<void> {
    const path = this.#path(node.id);
    try {
      await writeFile(`${path}.new`, JSON.stringify(node), { mode: 0o600, flush: true });
      await rename(`${path}.new`, path);
      this.#unsaved.delete(node.id);
    } catch (error) {
      if (!this.#unsaved.has(node.id)) this.#log.error({ err: error, node: node.id }, 'a document was not saved');
      this.#unsaved.add(node.id);
      await rm(`${path}.new`, { force: true }).catch(() => undefined);
    }
  }

  #path(id: string): string {
    return join(this.#folder, `${id}.json`);
  }

  #pathOfLeaving(id: string): string {
    return join(this.#folder, `${id}.gone`);
  }

  #tell(id: string): void {
    for (const listener of this.#listeners) listener(id);
  }
}
