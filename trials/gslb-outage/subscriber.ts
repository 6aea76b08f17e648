// A client of the graph that follows the verdicts of members through the gateway, and resumes when its connection or stream ends.
import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, createClient } from 'graphql-ws';
import { WebSocket } from 'ws';
import { decodeId } from '../../platform/values/ids.ts';

interface SubscriberOptions {
  /** Of the gateway. */
  readonly url: string;
  readonly token: string;
}

interface Item {
  readonly cursor: string;
  readonly change: { readonly subjectId: string; readonly subjectVersion: number } | null;
}

const pauseMs = 200;
const query = `subscription ($after: String) {
  statusChanges(kinds: ["gslbPoolMember.verdict"], after: $after) { cursor change { subjectId subjectVersion } }
}`;

export class Subscriber {
  /** MEMBER/VERSION of each change, in order of arrival. */
  readonly seen: string[] = [];
  readonly #client: Client;
  readonly #stopping = new AbortController();
  #after: string | null = null;
  #following: Promise<void> | undefined;

  constructor({ url, token }: SubscriberOptions) {
    this.#client = createClient({
      url: `${url.replace(/^http/, 'ws')}/graphql`,
      webSocketImpl: WebSocket,
      connectionParams: { authorization: `Bearer ${token}` },
      // Whatever ends a stream, the client starts again with the last cursor.
      retryAttempts: 0,
    });
  }

  /** Resolves with its first item. Later changes are included. */
  start(): Promise<void> {
    return new Promise((resolve) => {
      this.#following = this.#follow(resolve);
    });
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await Promise.resolve(this.#client.dispose()).catch(() => undefined);
    await this.#following;
  }

  async #follow(begun: () => void): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      await this.#stream(begun).catch(() => undefined);
      await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
    }
  }

  async #stream(begun: () => void): Promise<void> {
    const items = this.#client.iterate<{ statusChanges: Item }>({ query, variables: { after: this.#after } });
    for await (const { data } of items) {
      if (data == null) return;
      const { cursor, change } = data.statusChanges;
      this.#after = cursor;
      if (change !== null) this.seen.push(`${decodeId(change.subjectId)?.key}/${change.subjectVersion}`);
      begun();
    }
  }
}
