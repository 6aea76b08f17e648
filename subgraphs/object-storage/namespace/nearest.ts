// NEAREST reads: what one replica that votes has of an object, without a majority, and as of when that is. They go on where nobody else can be
// reached. Both names are read so, the container's and the object's; the older of the two moments is that of the answer.
import type { Version } from '../../../platform/registers/version.ts';
import type { RegisterKey, StoredValue } from '../store/register.ts';
import type { Blobs } from './blobs.ts';
import { mustAllowRead } from './conditions.ts';
import { type Container, containerKey, containerOf, noContainer, statOfContainer } from './containers.ts';
import { bytesOf } from './content.ts';
import { noObject, ObjectError } from './errors.ts';
import type { Caller, NearestGot, NearestOptions } from './namespace.ts';
import type { Topology } from './topology.ts';
import { readObject, statOf } from './values.ts';

export interface NearestAnswer {
  /** The container is deleted. */
  readonly isClosed: boolean;
  readonly version: Version;
  /** Undefined: nothing, or a deletion. */
  readonly value: StoredValue | undefined;
  /** All that was acknowledged before this moment of `performance.now()` is in it; undefined: of no moment that can be said. */
  readonly asOfMs: number | undefined;
}

export interface NearestReads {
  /** @throws NoQuorumError: no replica that votes can be reached */
  read(key: RegisterKey): Promise<NearestAnswer>;
}

export interface NearestObjectsOptions {
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
    // What is known from earlier requests may be older than the replica.
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
      `the option ${option?.name ?? ring} of the container ${name} allows no NEAREST reads: read without asking for one, or let an administrator allow them`,
    );
  }
}

/** Undefined is of no moment at all. */
function earlier(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined ? undefined : Math.min(one, other);
}
