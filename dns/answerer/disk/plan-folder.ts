// All plans on disk, so that a name server that starts without its feed answers as before, and knows the age of its answers.
// Writes wait in memory, with one writer per folder: changes in quick succession become one write.
import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isMissing, writeWhole } from '../../../platform/secrets/key-file.ts';
import type { Sealer } from '../../../platform/secrets/seal.ts';
import type { ClientBlocks, ZoneChange, ZonePlan } from '../../policy/plan.ts';
import { MapFolder } from './map-folder.ts';
import { ZoneFile } from './zone-file.ts';

interface PlanFolderOptions {
  readonly path: string;
  readonly sealer: Sealer;
  /** The whole plan, at the time of writing. */
  readonly planOf: (zone: string) => ZonePlan | undefined;
  readonly failed: (error: unknown) => void;
}

/** Time of the last message of the feed, by both clocks. */
export interface Heard {
  readonly wallMs: number;
  readonly upMs: number;
  readonly bootId?: string | undefined;
}

interface Owed {
  /** GONE: the file is removed too. */
  what: 'PLAN' | 'CHANGES' | 'GONE';
  changes: ZoneChange[];
}

const heardFile = 'heard';
/** A folder. A zone's file has an ending. */
const mapsFolder = 'maps';
/** A change within this time is lost only with the machine. The feed then sends it again. */
const pauseMs = 100;
/** Pause after a failure, such as a full disk. */
const againMs = 2_000;
const mostWaitingChanges = 10_000;

export class PlanFolder {
  readonly #options: PlanFolderOptions;
  readonly #files = new Map<string, ZoneFile>();
  readonly #owed = new Map<string, Owed>();
  readonly #maps: MapFolder;
  #heard: Heard | undefined;
  /** Zones whose last write failed, and `mapsFolder` if that of a map failed. */
  readonly #unsaved = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  #closed = false;
  #writing: Promise<void> = Promise.resolve();

  constructor(options: PlanFolderOptions) {
    this.#options = options;
    this.#maps = new MapFolder(join(options.path, mapsFolder));
  }

  /** `unreadable`: files of zones and maps, which are not answered until they are sent again. */
  async load(): Promise<{
    plans: ZonePlan[];
    maps: ReadonlyMap<string, ClientBlocks>;
    unreadable: string[];
    heard: Heard | undefined;
  }> {
    const { path } = this.#options;
    await mkdir(path, { recursive: true, mode: 0o700 });
    const plans: ZonePlan[] = [];
    const { maps, damaged } = await this.#maps.load();
    const unreadable = damaged.map((file) => `${mapsFolder}/${file}`);
    for (const file of await readdir(path)) {
      // Left by a process that was killed during a write. In a container, the next process has the same ID and would use the same
      // file name.
      if (file.endsWith('.new')) await rm(join(path, file), { force: true });
      if (!file.endsWith('.json')) continue;
      try {
        const plan = await this.#fileOf(file.slice(0, -'.json'.length)).read();
        if (plan !== undefined) plans.push(plan);
      } catch (error) {
        unreadable.push(`${file}: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
    const heard = await readFile(join(path, heardFile), 'utf8').catch((error: unknown) => {
      if (isMissing(error)) return undefined;
      throw error;
    });
    return { plans, maps, unreadable, heard: heard === undefined ? undefined : heardOf(heard) };
  }

  /** Zones whose latest state could not be written to disk. */
  get unsaved(): number {
    return this.#unsaved.size;
  }

  keepPlan(zone: string): void {
    this.#owed.set(zone, { what: 'PLAN', changes: [] });
    this.#later();
  }

  keepGone(zone: string): void {
    this.#owed.set(zone, { what: 'GONE', changes: [] });
    this.#later();
  }

  keepChange(change: ZoneChange): void {
    const owed = this.#owed.get(change.zone) ?? { what: 'CHANGES', changes: [] };
    if (owed.changes.length >= mostWaitingChanges) {
      this.keepPlan(change.zone);
      return;
    }
    if (owed.what === 'CHANGES') owed.changes.push(change);
    this.#owed.set(change.zone, owed);
    this.#later();
  }

  /** Call it before `keep` for the zones that refer to the map. */
  keepMap(mapId: string, blocks: ClientBlocks): void {
    this.#maps.keep(mapId, blocks);
    this.#later();
  }

  /** Called when no zone refers to the map. */
  keepMapGone(mapId: string): void {
    this.#maps.keepGone(mapId);
    this.#later();
  }

  keepHeard(heard: Heard): void {
    this.#heard = heard;
    this.#later();
  }

  /** Writes pending changes. Call it before the end. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    await this.#writing;
    await this.#write();
    for (const file of this.#files.values()) await file.close();
  }

  #later(): void {
    if (this.#closed) return;
    const waitMs = this.#unsaved.size > 0 ? againMs : pauseMs;
    this.#timer ??= setTimeout(() => {
      this.#writing = this.#write().finally(() => {
        this.#timer = undefined;
        if (this.#owed.size > 0 || this.#maps.isOwed) this.#later();
      });
    }, waitMs).unref();
  }

  async #write(): Promise<void> {
    const { path, planOf, failed } = this.#options;
    if (!(await this.#writeMaps())) return;
    for (const [zone, owed] of [...this.#owed]) {
      // Writes later maps too: no zone on disk may refer to a missing map.
      if (!(await this.#writeMaps())) return;
      this.#owed.delete(zone);
      const file = this.#fileOf(zone.slice(0, -1));
      const plan = owed.what === 'PLAN' || file.wantsPlan ? planOf(zone) : undefined;
      try {
        if (owed.what === 'GONE') await file.remove();
        else if (plan !== undefined) await file.writePlan(plan);
        else if (owed.what === 'CHANGES') await file.appendChanges(owed.changes);
        this.#unsaved.delete(zone);
      } catch (error) {
        if (!this.#unsaved.has(zone)) failed(error);
        this.#unsaved.add(zone);
        // Tries again, unless something newer is pending. Later changes are part of the plan, because without the failed ones they would follow
        // nothing on disk.
        const newer = this.#owed.get(zone)?.what ?? 'CHANGES';
        const what = newer === 'CHANGES' ? (owed.what === 'GONE' ? 'GONE' : 'PLAN') : newer;
        this.#owed.set(zone, { what, changes: [] });
      }
    }
    // The plan on disk is older, or refers to missing maps.
    if (this.#unsaved.size > 0) return;
    if (this.#owed.size === 0) await this.#maps.removeGone().catch(failed);
    if (this.#heard === undefined) return;
    const text = JSON.stringify(this.#heard);
    this.#heard = undefined;
    await writeWhole(join(path, heardFile), text).catch(failed);
  }

  /** False if the disk does not accept one. */
  async #writeMaps(): Promise<boolean> {
    try {
      await this.#maps.write();
      this.#unsaved.delete(mapsFolder);
      return true;
    } catch (error) {
      if (!this.#unsaved.has(mapsFolder)) this.#options.failed(error);
      this.#unsaved.add(mapsFolder);
      return false;
    }
  }

  /** `name`: the zone's, without the final dot: lower-case letters, digits, hyphens, dots and underscores. */
  #fileOf(name: string): ZoneFile {
    const file = this.#files.get(name) ?? new ZoneFile(join(this.#options.path, name), this.#options.sealer);
    this.#files.set(name, file);
    return file;
  }
}

/** Undefined if it can't be read. Releases before this one wrote the time of day alone. */
function heardOf(text: string): Heard | undefined {
  try {
    const read = JSON.parse(text) as number | Partial<Heard> | null;
    const { wallMs, upMs, bootId } = typeof read === 'number' ? { wallMs: read, upMs: 0 } : (read ?? {});
    if (!Number.isFinite(wallMs) || !Number.isFinite(upMs)) return undefined;
    return { wallMs: Number(wallMs), upMs: Number(upMs), bootId: typeof bootId === 'string' ? bootId : undefined };
  } catch {
    return undefined;
  }
}
