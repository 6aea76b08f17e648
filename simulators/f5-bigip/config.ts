// The running configuration: objects by kind and full path, each with the generation of its last change.

import type { ObjectName } from './names.ts';
import { type JsonObject, mcpRefusal } from './rest.ts';

export interface StoredObject extends ObjectName {
  /** Its collection, for example `ltm/pool`, or `ltm/pool/~Common~web/members`. */
  readonly collection: string;
  generation: number;
  values: JsonObject;
}

/** More are refused, as by a device without memory. */
export const mostObjects = 10_000;

export class Config {
  readonly partitions = new Set(['Common']);
  #objects = new Map<string, StoredObject>();
  #generation = 100;
  /** Whether a restart would lose changes since the last save. */
  unsaved = false;

  get state(): unknown {
    return { objects: this.#objects, generation: this.#generation, unsaved: this.unsaved };
  }

  restore(state: unknown): void {
    const kept = state as { objects: Map<string, StoredObject>; generation: number; unsaved: boolean };
    this.#objects = kept.objects;
    this.#generation = kept.generation;
    this.unsaved = kept.unsaved;
  }

  /** The generation of the next change. */
  nextGeneration(): number {
    this.#generation += 1;
    this.unsaved = true;
    return this.#generation;
  }

  find(collection: string, fullPath: string): StoredObject | undefined {
    return this.#objects.get(`${collection} ${fullPath}`);
  }

  /** Refuses like mcpd; `noun`: mcpd's name of the kind, `called`: its name of the object. */
  get(collection: string, fullPath: string, noun: string, called = fullPath): StoredObject {
    const found = this.find(collection, fullPath);
    if (!found) throw mcpRefusal(404, `01020036:3: The requested ${noun} (${called}) was not found.`);
    return found;
  }

  /** Sorted by path. */
  list(collection: string): readonly StoredObject[] {
    return [...this.#objects.values()]
      .filter((object) => object.collection === collection)
      .sort((a, b) => (a.fullPath < b.fullPath ? -1 : 1));
  }

  /** Objects of every collection with this prefix, for example members of all pools. */
  within(collectionPrefix: string): readonly StoredObject[] {
    return [...this.#objects.values()].filter((object) => object.collection.startsWith(collectionPrefix));
  }

  add(collection: string, name: ObjectName, values: JsonObject): StoredObject {
    if (this.#objects.size >= mostObjects) throw mcpRefusal(400, '01070711:3: There is no memory for more objects.');
    const object = { ...name, collection, generation: this.nextGeneration(), values };
    this.#objects.set(`${collection} ${name.fullPath}`, object);
    return object;
  }

  change(object: StoredObject, values: JsonObject): void {
    object.values = values;
    object.generation = this.nextGeneration();
  }

  remove(object: StoredObject): void {
    this.#objects.delete(`${object.collection} ${object.fullPath}`);
    this.nextGeneration();
  }
}
