// Wake-ups between processes over Redis publish/subscribe. They only shorten a wait: listeners also poll, so that a lost Redis,
// or a lost message, costs milliseconds and never an event.

import type { Logger } from '../log/log.ts';
import { newToken } from '../values/ids.ts';
import { createRedis, type RedisLocation } from './redis.ts';

/** Topics: `status`, `sequenced`, `owed`, `backend/<uuid>` (calls wait), `backend/<uuid>/changed`. */
export interface Wake {
  /** Wakes the listeners of this process at once, and the listeners of other processes soon. Never throws. */
  notify(topic: string): void;
  /** Calls `listener` at each wake-up, also when one may have been missed. Returns a function that removes it. */
  on(topic: string, listener: () => void): () => void;
  close(): Promise<void>;
}

/**
 * How long topics are collected before they are published: the commits of one short call are then one message, and the committing
 * process continues first with its device call or its answer.
 */
const gatherMs = 1;

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

/** Within this process only: for tests, and for a single process without Redis. */
export function createLocalWake(): Wake {
  const listeners = new Listeners();
  return {
    notify: (topic) => listeners.call(topic),
    on: (topic, listener) => listeners.add(topic, listener),
    close: async () => listeners.clear(),
  };
}

interface RedisWakeOptions {
  /** Prefix of the channel's name: separates two systems on one Redis. */
  readonly prefix: string;
  readonly log: Logger;
}

/** Over Redis. Opens two connections, which `close` closes. */
export function createRedisWake(location: RedisLocation, options: RedisWakeOptions): Wake {
  const { prefix, log } = options;
  const channel = `${prefix}:wake`;
  const self = newToken();
  const listeners = new Listeners();
  const pending = new Set<string>();
  const sender = createRedis(location, { log, connectionName: 'wake-send' });
  const receiver = createRedis(location, { log, connectionName: 'wake-receive' });
  let sending = false;
  let closed = false;

  // One message carries all topics of a turn: a burst of commits is one wake-up.
  const send = async (): Promise<void> => {
    try {
      while (pending.size > 0 && !closed) {
        const topics = [...pending];
        pending.clear();
        await sender.publish(channel, JSON.stringify([self, ...topics]));
      }
    } catch {
      // Redis is not available, and the connection has logged it: the other processes poll.
      pending.clear();
    } finally {
      sending = false;
    }
  };

  receiver.on('message', (_channel: string, text: string) => {
    const [from, ...topics] = JSON.parse(text) as string[];
    if (from !== self) for (const topic of topics) listeners.call(topic);
  });
  receiver.on('ready', () => {
    receiver.subscribe(channel).then(
      // Messages sent while the subscription was down are lost.
      () => listeners.callAll(),
      () => undefined,
    );
  });

  return {
    notify(topic) {
      listeners.call(topic);
      if (closed || pending.size >= mostPendingTopics) return;
      pending.add(topic);
      if (sending) return;
      sending = true;
      setTimeout(() => void send(), gatherMs);
    },
    on: (topic, listener) => listeners.add(topic, listener),
    async close() {
      closed = true;
      listeners.clear();
      sender.disconnect();
      receiver.disconnect();
    },
  };
}
