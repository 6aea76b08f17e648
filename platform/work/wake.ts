// Wake-ups between processes over Redis publish/subscribe. They only shorten a wait: listeners also poll, rarely while wake-ups
// arrive, and often while they do not. A lost Redis costs milliseconds, a lost message at most a second, and neither an event.

import type { Redis } from 'ioredis';
import type { Logger } from '../log/log.ts';
import { newToken } from '../values/ids.ts';
import { createRedis, type RedisLocation } from './redis.ts';

/** Topics: `status`, `sequenced`, `owed`, `backend/<uuid>` (calls wait), `backend/<uuid>/changed`. */
export interface Wake {
  /** Wakes the listeners of this process at once, and the listeners of other processes soon. Never throws. */
  notify(topic: string): void;
  /** Calls `listener` at each wake-up, also when one may have been missed. Returns a function that removes it. */
  on(topic: string, listener: () => void): () => void;
  /** Whether wake-ups of other processes arrive. All listeners are called when they no longer do, and when they do again. */
  readonly isLive: boolean;
  close(): Promise<void>;
}

/** The pause of a loop that listens: `alone` while wake-ups may be missed, `woken` while they arrive. */
export function pauseOf(wake: Pick<Wake, 'isLive'>, ms: { readonly alone: number; readonly woken: number }): number {
  return wake.isLive ? ms.woken : ms.alone;
}

/**
 * How long topics are collected before they are published: the commits of one short call are then one message, and the committing
 * process continues first with its device call or its answer.
 */
const gatherMs = 1;
/** Each process sends itself a message this often. One that does not arrive by the next shows that wake-ups are missed. */
const usualBeatMs = 2_000;
/** Topics that Redis did not take are sent again after this time. */
const sendAgainMs = 100;

/** Further topics in the queue are dropped: polling finds their changes. */
const mostPendingTopics = 10_000;

class Listeners {
  readonly #byTopic = new Map<string, Set<() => void>>();

  add(topic: string, listener: () => void): () => void {
    // A new function for each registration, so that one listener may be registered twice.
    const entry = () => listener();
    const entries = this.#byTopic.get(topic) ?? new Set();
    this.#byTopic.set(topic, entries.add(entry));
    return () => {
      entries.delete(entry);
      if (entries.size === 0 && this.#byTopic.get(topic) === entries) this.#byTopic.delete(topic);
    };
  }

  call(topic: string): void {
    for (const listener of [...(this.#byTopic.get(topic) ?? [])]) listener();
  }

  callAll(): void {
    for (const topic of [...this.#byTopic.keys()]) this.call(topic);
  }

  clear(): void {
    this.#byTopic.clear();
  }
}

/**
 * Within this process only: for tests, and for a single process without Redis. `isLive`: whether it is the only process. Default
 * false, so that all listeners poll for changes of others.
 */
export function createLocalWake({ isLive = false } = {}): Wake {
  const listeners = new Listeners();
  return {
    isLive,
    notify: (topic) => listeners.call(topic),
    on: (topic, listener) => listeners.add(topic, listener),
    close: async () => listeners.clear(),
  };
}

interface RedisWakeOptions {
  /** Prefix of the channel's name: separates two systems on one Redis. */
  readonly prefix: string;
  readonly log: Logger;
  /** Default 2000. */
  readonly beatMs?: number;
}

/** Over Redis. Opens two connections, which `close` closes. */
export function createRedisWake(location: RedisLocation, options: RedisWakeOptions): Wake {
  return new RedisWake(location, options);
}

class RedisWake implements Wake {
  readonly #self = newToken();
  readonly #channel: string;
  /** Of the beats. */
  readonly #ownChannel: string;
  readonly #listeners = new Listeners();
  readonly #pending = new Set<string>();
  readonly #sender: Redis;
  readonly #receiver: Redis;
  readonly #beats: NodeJS.Timeout;
  #sending = false;
  #closed = false;
  #isLive = false;
  /** A beat was sent and has not arrived. */
  #isAwaited = false;
  /** The listeners were called since the last message that they may have missed. */
  #isCaughtUp = false;

  constructor(location: RedisLocation, { prefix, log, beatMs = usualBeatMs }: RedisWakeOptions) {
    this.#channel = `${prefix}:wake`;
    this.#ownChannel = `${this.#channel}:${this.#self}`;
    this.#sender = createRedis(location, { log, connectionName: 'wake-send' });
    this.#receiver = createRedis(location, { log, connectionName: 'wake-receive' });
    this.#receiver.on('message', (channel: string, text: string) => this.#take(channel, text));
    this.#receiver.on('close', () => this.#setLive(false));
    this.#receiver.on('ready', () => this.#subscribe());
    this.#sender.on('ready', () => this.#beat());
    this.#beats = setInterval(() => {
      if (this.#isAwaited) this.#setLive(false);
      this.#beat();
    }, beatMs).unref();
  }

  get isLive(): boolean {
    return this.#isLive;
  }

  notify(topic: string): void {
    this.#listeners.call(topic);
    if (this.#closed || this.#pending.size >= mostPendingTopics) return;
    this.#pending.add(topic);
    this.#sendSoon(gatherMs);
  }

  on(topic: string, listener: () => void): () => void {
    return this.#listeners.add(topic, listener);
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#beats);
    this.#listeners.clear();
    this.#sender.disconnect();
    this.#receiver.disconnect();
  }

  #sendSoon(inMs: number): void {
    if (this.#sending || this.#closed) return;
    this.#sending = true;
    const timer = setTimeout(() => void this.#send(), inMs);
    // Nothing else may be left to do while Redis is lost.
    if (inMs > gatherMs) timer.unref();
  }

  /** One message carries all topics of a turn: a burst of commits is one wake-up. */
  async #send(): Promise<void> {
    let topics: string[] = [];
    try {
      while (this.#pending.size > 0 && !this.#closed && this.#sender.status === 'ready') {
        topics = [...this.#pending];
        this.#pending.clear();
        await this.#sender.publish(this.#channel, JSON.stringify([this.#self, ...topics]));
      }
    } catch {
      // The connection has logged it. The other processes poll more often if they also miss their beats.
      for (const topic of topics) this.#pending.add(topic);
    } finally {
      this.#sending = false;
    }
    if (this.#pending.size > 0) this.#sendSoon(sendAgainMs);
  }

  #subscribe(): void {
    this.#receiver.subscribe(this.#channel, this.#ownChannel).then(
      () => {
        // Messages sent while the subscription was down are lost.
        this.#isCaughtUp = true;
        this.#listeners.callAll();
        this.#beat();
      },
      () => undefined,
    );
  }

  #beat(): void {
    if (this.#closed) return;
    this.#isAwaited = true;
    if (this.#sender.status === 'ready') this.#sender.publish(this.#ownChannel, '').catch(() => undefined);
  }

  #take(channel: string, text: string): void {
    if (channel === this.#ownChannel) {
      this.#isAwaited = false;
      this.#setLive(true);
      return;
    }
    const [from, ...topics] = JSON.parse(text) as string[];
    if (from !== this.#self) for (const topic of topics) this.#listeners.call(topic);
  }

  /** Listeners are called: their pauses become shorter, or they have missed messages. */
  #setLive(isLive: boolean): void {
    if (this.#isLive === isLive || this.#closed) return;
    this.#isLive = isLive;
    if (!isLive || !this.#isCaughtUp) this.#listeners.callAll();
    this.#isCaughtUp = isLive;
  }
}
