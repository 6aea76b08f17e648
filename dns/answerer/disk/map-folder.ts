// Client maps on disk, one file each, named for the digest of its content. They are written before the zones that refer to them, and removed after
// these.
import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isMissing, writeWhole } from '../../../platform/secrets/key-file.ts';
import { mapIdOfText, textOfBlocks } from '../../policy/client-blocks.ts';
import type { ClientBlocks } from '../../policy/plan.ts';

const ending = '.json';

export class MapFolder {
  readonly #path: string;
  /** Maps to write, by id. */
  readonly #owed = new Map<string, string>();
  readonly #gone = new Set<string>();

  constructor(path: string) {
    this.#path = path;
  }

  get isOwed(): boolean {
    return this.#owed.size > 0 || this.#gone.size > 0;
  }

  keep(mapId: string, blocks: ClientBlocks): void {
    this.#gone.delete(mapId);
    this.#owed.set(mapId, textOfBlocks(blocks));
  }

  keepGone(mapId: string): void {
    this.#owed.delete(mapId);
    this.#gone.add(mapId);
  }

  /** `damaged`: damaged files. They are removed, and their maps are sent again with the zones that lack them. */
  async load(): Promise<{ maps: ReadonlyMap<string, ClientBlocks>; damaged: readonly string[] }> {
    const maps = new Map<string, ClientBlocks>();
    const damaged: string[] = [];
    const files = await readdir(this.#path).catch((error: unknown) => {
      if (isMissing(error)) return [];
      throw error;
    });
    for (const file of files) {
      const path = join(this.#path, file);
      const mapId = file.slice(0, -ending.length);
      const text = file.endsWith(ending) ? await readFile(path, 'utf8').catch(() => '') : undefined;
      if (text !== undefined && mapIdOfText(text) === mapId) maps.set(mapId, JSON.parse(text));
      else {
        if (text !== undefined) damaged.push(file);
        // It may also be left from a process that was killed during a write.
        await rm(path, { recursive: true, force: true });
      }
    }
    return { maps, damaged };
  }

  /** Throws when the disk accepts no more. The next call tries again. */
  async write(): Promise<void> {
    if (this.#owed.size > 0) await mkdir(this.#path, { recursive: true, mode: 0o700 });
    for (const [mapId, text] of this.#owed) {
      await writeWhole(this.#fileOf(mapId), text);
      if (this.#owed.get(mapId) === text) this.#owed.delete(mapId);
    }
  }

  /** Removes maps that no zone on disk refers to. Throws if one can't be removed. It then stays until the next start. */
  async removeGone(): Promise<void> {
    for (const mapId of this.#gone) {
      this.#gone.delete(mapId);
      await rm(this.#fileOf(mapId), { force: true });
    }
  }

  #fileOf(mapId: string): string {
    return join(this.#path, `${mapId}${ending}`);
  }
}
