// The documents of this host's nodes, on disk and in memory. With them the host can start without its control plane. They contain private
// keys, so only their owner may read them.
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { LinkDocuments } from '../../../../platform/link/link-client.ts';
import type { Logger } from '../../../../platform/log/log.ts';
import { type JsonValue, jsonIn } from '../../../../platform/values/json.ts';
import { comparePositions, type Position } from '../../../../platform/values/positions.ts';
import { applyChange, positionOf, type WantedNode } from '../../wire/wanted-node.ts';
import { readWantedChange, readWantedNode, wantedNodeFault } from '../../wire/wanted-schema.ts';

const uuidPattern = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export class DiskDocuments implements LinkDocuments {
  readonly #folder: string;
  readonly #log: Logger;
  readonly #nodes = new Map<string, WantedNode>();
  /** Removed documents whose nodes may still exist, with the node's name. Undefined if the name is unknown. */
  readonly #leaving = new Map<string, string | undefined>();
  /** Why the last document of a node was refused. */
  readonly #faults = new Map<string, string>();
  /** Documents that could not be written to disk. */
  readonly #unsaved = new Set<string>();
  readonly #listeners = new Set<(id: string) => void>();

  private constructor(folder: string, log: Logger) {
    this.#folder = folder;
    this.#log = log;
  }

  /** Reads the stored documents. A damaged file is put aside: the control plane sends the document again. */
  static async open(folder: string, log: Logger): Promise<DiskDocuments> {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const documents = new DiskDocuments(folder, log);
    for (const name of await readdir(folder)) await documents.#read(name);
    return documents;
  }

  /** Calls back with the UUID of each node whose document was changed, removed or refused. */
  onChange(listener: (id: string) => void): void {
    this.#listeners.add(listener);
  }

  nodes(): ReadonlyMap<string, WantedNode> {
    return this.#nodes;
  }

  /** Nodes to remove, by UUID, until `forget`. */
  leaving(): ReadonlyMap<string, string | undefined> {
    return this.#leaving;
  }

  /** Why the control plane's last document for the node was refused. Undefined if it was accepted. */
  faultOf(id: string): string | undefined {
    return this.#faults.get(id);
  }

  /** Number of documents in effect that are not on disk. */
  get unsaved(): number {
    return this.#unsaved.size;
  }

  held(): ReadonlyMap<string, Position> {
    return new Map([...this.#nodes].map(([id, node]) => [id, positionOf(node)]));
  }

  /**
   * Refuses an older generation than the current one of the same history: it comes from a superseded process. Also refuses a document that
   * is not the node's. The node then continues as before.
   */
  async put(key: string, position: Position, document: JsonValue): Promise<void> {
    const node = readWantedNode(document);
    if (node === undefined || node.id !== key || comparePositions(positionOf(node), position) !== 'SAME') {
      this.#refuse(key, position.number, wantedNodeFault(document) ?? 'it belongs to another node or position');
      return;
    }
    const before = this.#nodes.get(key);
    const compared = before && comparePositions(positionOf(before), position);
    if (compared === 'AHEAD') this.#refuse(key, position.number, 'a newer generation of the same history is in effect');
    else {
      if (compared === 'OTHER_HISTORY')
        this.#log.warn({ node: key, position }, "a node's document of another history replaces the whole document");
      await this.#take(node);
    }
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

  /** The file stays, renamed, until the node is gone: a crash in between must not leave the node behind. */
  async remove(key: string): Promise<void> {
    if (!uuidPattern.test(key)) return;
    const node = this.#nodes.get(key);
    if (node !== undefined)
      await rename(this.#path(key), this.#pathOfLeaving(key)).catch((error: unknown) =>
        this.#log.error({ err: error, node: key }, 'could not rename the file of a removed node'),
      );
    this.#nodes.delete(key);
    this.#faults.delete(key);
    this.#unsaved.delete(key);
    this.#leaving.set(key, node?.name ?? this.#leaving.get(key));
    this.#tell(key);
  }

  /** The removed node is gone. */
  async forget(key: string): Promise<void> {
    await rm(this.#pathOfLeaving(key), { force: true });
    this.#leaving.delete(key);
  }

  /** Writes documents that could not be written before. */
  async saveAgain(): Promise<void> {
    for (const id of this.#unsaved) {
      const node = this.#nodes.get(id);
      if (node !== undefined) await this.#save(node);
    }
  }

  async #read(name: string): Promise<void> {
    const [id = '', kind] = name.split(/\.(?=[a-z]+$)/);
    const path = join(this.#folder, name);
    // Left by a write that the end of the process interrupted.
    if (kind === 'new') await rm(path, { force: true });
    if (!uuidPattern.test(id) || (kind !== 'json' && kind !== 'gone')) return;
    const node = readWantedNode(jsonIn(await readFile(path, 'utf8').catch(() => '')));
    if (kind === 'gone') this.#leaving.set(id, node?.name);
    else if (node?.id === id) this.#nodes.set(id, node);
    else {
      this.#log.error({ file: name }, 'the document of a node is damaged: it is put aside and requested again');
      await rename(path, `${path}.damaged`).catch(() => undefined);
    }
  }

  /** A node's files and interfaces are named after it: the name never changes and is unique. */
  async #take(node: WantedNode): Promise<void> {
    const { id, name, generation } = node;
    const before = this.#nodes.get(id);
    const other = [...this.#nodes.values()].find((each) => each.name === name && each.id !== id);
    if (other !== undefined) this.#refuse(id, generation, `another node has the name ${name}`);
    else if (before !== undefined && before.name !== name)
      this.#refuse(id, generation, 'the name of a node cannot change');
    else await this.#keep(node);
  }

  #refuse(id: string, generation: number, reason: string): void {
    if (!uuidPattern.test(id)) return;
    this.#log.error({ node: id, generation, reason }, 'a document was refused');
    this.#faults.set(id, `the document of generation ${generation} is refused: ${reason}`);
    this.#tell(id);
  }

  /** A document that could not be saved is in effect all the same: after a crash the control plane sends it again. */
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
      if (!this.#unsaved.has(node.id)) this.#log.error({ err: error, node: node.id }, 'could not save a document');
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
