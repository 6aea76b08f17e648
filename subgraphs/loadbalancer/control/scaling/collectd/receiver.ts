// Receives values from collectds over UDP, and keeps those that autoscaling policies use in Redis for a while. Everything else is ignored.
// A sender of garbage costs a bounded time and one log line per minute.
import type { Redis } from 'ioredis';
import { Counter, type Registry } from 'prom-client';
import type { Database } from '../../../../../platform/database/database.ts';
import { TokenBuckets } from '../../../../../platform/edge/token-buckets.ts';
import type { Logger } from '../../../../../platform/log/log.ts';
import { type DatagramReceiver, receiveDatagrams } from '../../../../../platform/net/receive-datagrams.ts';
import { Loop } from '../../../../../platform/work/loop.ts';
import { readPacket, type SecurityLevel } from './packet.ts';
import { CollectdPasswords } from './passwords.ts';
import { type NodeValue, WantedValues } from './wanted-values.ts';

export interface CollectdReceiverOptions {
  readonly db: Database;
  readonly redis: Redis;
  readonly redisPrefix: string;
  readonly log: Logger;
  readonly registry: Registry;
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly level: SecurityLevel;
  /** Path of the file with users and passwords. */
  readonly authFile?: string;
  /** How often the wanted values are read from the tables; default 5000. */
  readonly refreshMs?: number;
}

const mostPacketsPerSecond = 5_000;
/** Log lines. */
const refusalsPerMinute = 1;

export class CollectdReceiver {
  readonly #options: CollectdReceiverOptions;
  readonly #passwords: CollectdPasswords;
  readonly #values = new WantedValues();
  readonly #refresh: Loop;
  readonly #packets: Counter<'outcome'>;
  readonly #rate = new TokenBuckets({ burst: mostPacketsPerSecond, perSecond: mostPacketsPerSecond });
  readonly #told = new TokenBuckets({ burst: refusalsPerMinute, perSecond: refusalsPerMinute / 60 });
  #datagrams: DatagramReceiver | undefined;

  private constructor(options: CollectdReceiverOptions) {
    this.#options = options;
    const { db, log, registry, authFile, refreshMs = 5_000 } = options;
    this.#passwords = new CollectdPasswords(authFile, log);
    this.#packets = new Counter({
      name: 'tidegate_collectd_packets_total',
      help: 'Packets of collectd: taken, refused (malformed, or not protected enough), dropped (too many at once).',
      labelNames: ['outcome'],
      registers: [registry],
    });
    this.#refresh = new Loop({
      name: 'values of collectd',
      log,
      pauseMs: () => refreshMs,
      run: async () => {
        await this.#passwords.refresh();
        await this.#values.refresh(db);
        return false;
      },
    });
  }

  /** Throws if the address is in use, or if the file of users can't be used. */
  static async listen(options: CollectdReceiverOptions): Promise<CollectdReceiver> {
    const receiver = new CollectdReceiver(options);
    await receiver.#passwords.open();
    const { host, port, log } = options;
    receiver.#datagrams = await receiveDatagrams({
      ...{ host, port, take: (packet, from) => receiver.#take(packet, from) },
      failed: (error) => log.warn({ err: error }, 'collectd: the socket failed'),
    });
    receiver.#refresh.start();
    return receiver;
  }

  get port(): number {
    return this.#datagrams?.port ?? 0;
  }

  /** Number of wanted values. */
  get wanted(): number {
    return this.#values.size;
  }

  async stop(): Promise<void> {
    await this.#refresh.stop();
    await this.#datagrams?.stop();
  }

  #take(packet: Buffer, from: string): void {
    if (this.#rate.take('packets') === undefined) {
      this.#packets.inc({ outcome: 'dropped' });
      return;
    }
    const { level } = this.#options;
    const { readings, refused } = readPacket(packet, { level, passwordOf: (user) => this.#passwords.of(user) });
    this.#packets.inc({ outcome: refused === undefined ? 'taken' : 'refused' });
    if (refused !== undefined) this.#tellRefused(from, refused);
    const now = Date.now();
    const values = readings.flatMap((reading) => this.#values.take(reading, now));
    if (values.length > 0) this.#keep(values);
  }

  #keep(values: readonly NodeValue[]): void {
    const { redis, redisPrefix, log } = this.#options;
    const pipeline = redis.pipeline();
    for (const { nodeId, value, percent, atMs, validMs } of values) {
      const text = JSON.stringify({ percent, at: new Date(atMs).toISOString() });
      pipeline.set(collectdKey(redisPrefix, nodeId, value), text, 'PX', Math.ceil(validMs));
    }
    // Without Redis the value is missing; the next one comes soon.
    pipeline.exec().catch((error: unknown) => log.debug({ err: error }, 'could not store a value of collectd'));
  }

  #tellRefused(from: string, reason: string): void {
    const untold = this.#told.take('refusals');
    if (untold !== undefined) this.#options.log.warn({ from, reason, before: untold }, 'refused a packet of collectd');
  }
}

/** Key of a node's value (JSON: percent, at), which expires when it is too old. */
export function collectdKey(redisPrefix: string, nodeId: string, value: string): string {
  return `${redisPrefix}:lb-collectd:${nodeId}:${value}`;
}
