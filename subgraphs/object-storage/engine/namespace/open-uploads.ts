// Limits the unfinished multipart uploads in a container. They are counted by a listing, which is slow after many uploads have ended. So a
// count is cached for a while, and this process adjusts it for uploads that it begins and ends. Uploads that other processes begin in that
// time are not counted.
import { LRUCache } from 'lru-cache';
import type { VersionClock } from '../../../../platform/registers/version.ts';
import { ObjectError } from '../../wire/object-error.ts';
import type { Container } from './containers.ts';
import type { Names } from './names.ts';
import { readJson, type UploadValue, uploadNames } from './values.ts';

interface OpenUploadsOptions {
  readonly names: Pick<Names, 'page'>;
  readonly clock: VersionClock;
  /** Limit for one container. */
  readonly most: number;
  /** Monotonic clock. */
  readonly nowMs?: () => number;
}

interface Counted {
  readonly atMs: number;
  open: number;
}

type Place = Pick<Container, 'name' | 'id' | 'ring'>;

const keptMs = 60_000;
/** When the limit is reached, count again after this time: others may have ended some. */
const fullKeptMs = 1_000;
const mostContainers = 10_000;

export class OpenUploads {
  readonly #options: OpenUploadsOptions;
  readonly #counted = new LRUCache<string, Counted>({ max: mostContainers });
  readonly #counting = new Map<string, Promise<Counted>>();

  constructor(options: OpenUploadsOptions) {
    this.#options = options;
  }

  /** Counts one more upload. @throws ObjectError TOO_MANY_UPLOADS */
  async begin(container: Place): Promise<void> {
    const { most } = this.#options;
    const counted = await this.#countedOf(container);
    if (counted.open >= most)
      throw new ObjectError(
        'TOO_MANY_UPLOADS',
        `${container.name} has ${most} unfinished multipart uploads, the highest number allowed: complete or abort some of them`,
      );
    counted.open += 1;
  }

  ended({ id }: Place): void {
    const counted = this.#counted.get(id);
    if (counted !== undefined) counted.open = Math.max(0, counted.open - 1);
  }

  async #countedOf(container: Place): Promise<Counted> {
    const { most, nowMs = () => performance.now() } = this.#options;
    const { id } = container;
    const known = this.#counted.get(id);
    if (known !== undefined && nowMs() - known.atMs < (known.open < most ? keptMs : fullKeptMs)) return known;
    const counting = this.#counting.get(id) ?? this.#count(container).finally(() => this.#counting.delete(id));
    this.#counting.set(id, counting);
    return counting;
  }

  async #count({ id, ring }: Place): Promise<Counted> {
    const { names, clock, most, nowMs = () => performance.now() } = this.#options;
    const now = clock.next();
    const counted = { atMs: nowMs(), open: 0 };
    for (let after = ''; ; ) {
      const page = await names.page({ ring, scope: id, prefix: uploadNames, after, limit: 1000 });
      // Expired uploads can be neither completed nor aborted.
      counted.open += page.rows.filter((row) => readJson<UploadValue>(row).latest >= now).length;
      if (page.next === undefined || counted.open >= most) break;
      after = page.next;
    }
    this.#counted.set(id, counted);
    return counted;
  }
}
