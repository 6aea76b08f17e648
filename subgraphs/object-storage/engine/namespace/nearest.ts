// NEAREST reads: the value that one voting replica has of an object, without a majority, and the time that the value reflects. They work
// even when no other cluster can be reached. Both the container's and the object's name are read this way; the older of the two times is
// the time of the result.
import type { Version } from '../../../../platform/registers/version.ts';
import { noObject, ObjectError } from '../../wire/object-error.ts';
import type { RegisterKey, StoredValue } from '../store/register.ts';
import type { Blobs } from './blobs.ts';
import { mustAllowRead } from './conditions.ts';
import { type Container, containerKey, containerOf, noContainer, statOfContainer } from './containers.ts';
import { bytesOf } from './content.ts';
import type { Caller, NearestGot, NearestOptions } from './namespace.ts';
import type { Topology } from './topology.ts';
import { readObject, statOf } from './values.ts';

export interface NearestAnswer {
  /** The container is deleted. */
  readonly isClosed: boolean;
  readonly version: Version;
  /** Undefined if there is no value, or a deletion. */
  readonly value: StoredValue | undefined;
  /** Everything acknowledged before this value of `performance.now()` is in it. Undefined if no such time is known. */
  readonly asOfMs: number | undefined;
}

export interface NearestReads {
  /** @throws NoQuorumError if no voting replica can be reached */
  read(key: RegisterKey): Promise<NearestAnswer>;
}

interface NearestObjectsOptions {
  readonly reads: NearestReads;
  readonly topology: Topology;
  readonly blobs: Blobs;
}

export class NearestObjects {
  readonly #options: NearestObjectsOptions;

  constructor(options: NearestObjectsOptions) {
    this.#options = options;
  }

  async get(
    caller: Caller,
    containerName: string,
    name: string,
    { told, conditions, range: rangeOf }: NearestOptions,
  ): Promise<NearestGot> {
    const { reads, topology, blobs } = this.#options;
    // The cache of earlier requests may be older than the replica.
    const named = await reads.read(containerKey(caller, containerName));
    if (named.value === undefined) {
      told(named.asOfMs);
      throw noContainer(containerName);
    }
    const container = containerOf(caller, containerName, named.value);
    this.#mustBeAllowed(container);
    const { ring, id: scope } = container;
    const found = await reads.read({ ring, scope, name });
    const asOfMs = earlier(named.asOfMs, found.asOfMs);
    told(asOfMs);
    if (found.isClosed) throw noContainer(containerName);
    if (found.value === undefined) throw noObject(name);
    const object = readObject(found.value);
    if (conditions !== undefined) mustAllowRead(conditions, object);
    const range = rangeOf?.(object.sizeBytes);
    return {
      ...{ stat: statOf(name, found.version, found.value), range, asOfMs },
      container: statOfContainer(topology, container),
      body: bytesOf(blobs, name, object, range),
    };
  }

  #mustBeAllowed({ ring, name }: Container): void {
    const option = this.#options.topology.optionByNumber(ring);
    if (option?.nearestReads === true) return;
    throw new ObjectError(
      'NEAREST_NOT_ALLOWED',
      `the option ${option?.name ?? ring} of the container ${name} allows no NEAREST reads: send a normal read, or ask an administrator to allow them`,
    );
  }
}

/** Undefined if either is undefined. */
function earlier(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined ? undefined : Math.min(one, other);
}
