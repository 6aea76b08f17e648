// Clusters in memory, for tests of the layers above the replicas: they can be unplugged, lose messages and answer late.
import { setTimeout as sleep } from 'node:timers/promises';
import { NotSentError } from '../../../platform/registers/errors.ts';
import type { Placement } from '../../../platform/registers/placement.ts';
import { VersionClock } from '../../../platform/registers/version.ts';
import type { BlobLimit, Blobs } from '../../../subgraphs/object-storage/engine/namespace/blobs.ts';
import { Names } from '../../../subgraphs/object-storage/engine/namespace/names.ts';
import { Objects } from '../../../subgraphs/object-storage/engine/namespace/objects.ts';
import type { Topology } from '../../../subgraphs/object-storage/engine/namespace/topology.ts';
import type { ListRequest, Replica } from '../../../subgraphs/object-storage/engine/store/register.ts';
import { MemoryReplica } from './memory-replica.ts';

class MemoryBlobs implements Blobs {
  readonly kept = new Map<string, Buffer>();

  async write(
    _owner: unknown,
    body: AsyncIterable<Buffer>,
    { newest = 'f'.repeat(32) }: BlobLimit = {},
  ): Promise<{ id: string; sizeBytes: number; newest: string }> {
    const chunks: Buffer[] = [];
    for await (const chunk of body) chunks.push(chunk);
    const bytes = Buffer.concat(chunks);
    const id = (this.kept.size + 1).toString(16).padStart(32, '0');
    this.kept.set(id, bytes);
    return { id, sizeBytes: bytes.length, newest };
  }

  async *read(
    { id }: { id: string },
    { firstByte, lastByte }: { firstByte: number; lastByte: number },
  ): AsyncGenerator<Buffer, void> {
    const bytes = this.kept.get(id);
    if (bytes === undefined) throw new Error(`no blob ${id}`);
    yield bytes.subarray(firstByte, lastByte + 1);
  }
}

interface Weather {
  /** Share of lost requests and of lost answers, from 0 to 1. */
  readonly loss: number;
  readonly mostDelayMs: number;
  readonly random: () => number;
}

const calm: Weather = { loss: 0, mostDelayMs: 0, random: Math.random };

/** This number of clusters, each with all rings. */
export class MemoryClusters {
  readonly replicas: readonly MemoryReplica[];
  readonly blobs = new MemoryBlobs();
  readonly unplugged = new Set<number>();
  weather: Weather = calm;
  /** Awaited between a listing and its answer. */
  listed: (request: ListRequest) => Promise<void> = async () => undefined;

  constructor(count = 3, looksAtGates = true) {
    this.replicas = Array.from({ length: count }, () => new MemoryReplica(looksAtGates));
  }

  /**
   * The work of one server of this cluster. `isDead` becomes true when it dies, and from then on none of its requests
   * is carried out.
   */
  objects(self: number, isDead: () => boolean = () => false): Objects {
    const topology = this.topology(self, isDead);
    const chance = () =>
      Math.floor(this.weather.random() * 2 ** 48)
        .toString(16)
        .padStart(12, '0');
    const clock = new VersionClock({ cluster: self, nowMs: Date.now, chance });
    return new Objects({ names: new Names({ topology, clock }), topology, blobs: this.blobs, clock });
  }

  topology(self: number, isDead: () => boolean): Topology {
    const placement: Placement = { epoch: 1, groups: [this.replicas.map((_, index) => index)] };
    const options = [
      { number: 1, name: 'standard', isDefault: true, nearestReads: false },
      { number: 2, name: 'other', isDefault: false, nearestReads: false },
    ];
    return {
      self,
      placement: async () => placement,
      isEnding: () => false,
      awaits: () => false,
      optionByName: (name) => options.find((each) => each.name === name),
      optionByNumber: (number) => options.find((each) => each.number === number),
      defaultOption: () => options[0],
      replica: (cluster) => this.#reached(self, cluster, isDead),
    };
  }

  #reached(self: number, cluster: number, isDead: () => boolean): Replica | undefined {
    const replica = this.replicas[cluster];
    if (replica === undefined) return undefined;
    const send = async <Answer>(ask: () => Promise<Answer>): Promise<Answer> => {
      const { loss, mostDelayMs, random } = this.weather;
      if (mostDelayMs > 0) await sleep(random() * mostDelayMs);
      if (isDead()) return new Promise(() => undefined);
      if (this.unplugged.has(cluster) && cluster !== self) throw new NotSentError('unplugged');
      if (cluster !== self && random() < loss) throw new Error('lost on its way');
      const answer = await ask();
      if (mostDelayMs > 0) await sleep(random() * mostDelayMs);
      if (isDead()) return new Promise(() => undefined);
      if (cluster !== self && random() < loss) throw new Error('the answer was lost');
      return answer;
    };
    return {
      ask: (request) => send(() => replica.ask(request)),
      list: (request) =>
        send(async () => {
          const answer = await replica.list(request);
          await this.listed(request);
          return answer;
        }),
    };
  }
}
