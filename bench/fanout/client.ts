// One graphql-ws client: it keeps its cursor, resumes from it when its socket is lost, and can be slow.
import { createClient, type Client as WsClient } from 'graphql-ws';
import { WebSocket } from 'ws';
import { openCursor } from '../../platform/events/cursor.ts';
import type { CursorSealer } from '../../platform/secrets/cursor-sealer.ts';
import { ClientLog } from './client-log.ts';
import { monotonicMs } from './clock.ts';
import type { Operation } from './operations.ts';

export interface ClientPlan {
  readonly url: string;
  readonly token: string;
  readonly projectId: string;
  readonly operation: Operation;
  readonly slow: boolean;
}

interface FeedResult {
  readonly data?: { readonly statusChanges: { readonly cursor: string; readonly change: unknown } } | null;
  readonly errors?: readonly { readonly message: string }[];
}

const retries = 20;

export class Client {
  readonly plan: ClientPlan;
  readonly log = new ClientLog();
  /** Sockets opened after the first one. */
  reconnects = 0;
  fault: string | undefined;
  readonly #cursors: CursorSealer;
  readonly #client: WsClient;
  #socket: WebSocket | undefined;
  #paused = false;

  constructor(plan: ClientPlan, cursors: CursorSealer) {
    this.plan = plan;
    this.#cursors = cursors;
    const opened = (socket: WebSocket): void => {
      if (this.#socket !== undefined) this.reconnects += 1;
      this.#socket = socket;
      socket.once('open', () => {
        if (this.#paused) socket.pause();
      });
    };
    this.#client = createClient({
      url: plan.url,
      webSocketImpl: class extends WebSocket {
        constructor(url: string, protocols: string[]) {
          super(url, protocols);
          opened(this);
        }
      },
      connectionParams: { authorization: `Bearer ${plan.token}` },
      retryAttempts: retries,
      shouldRetry: () => true,
    });
  }

  /** Resolves with the first item. From then on, no event may be missing. */
  start(): Promise<void> {
    const { query, filter } = this.plan.operation;
    // The library sends this same object again when it reconnects, and the object then contains the newest cursor.
    const variables: Record<string, unknown> = { ...filter };
    return new Promise((resolve, reject) => {
      const failed = (fault: unknown): void => {
        this.fault ??= fault instanceof Error ? fault.message : JSON.stringify(fault);
        reject(new Error(`a client failed: ${this.fault}`));
      };
      this.#client.subscribe<NonNullable<FeedResult['data']>>(
        { query, variables },
        {
          next: ({ data, errors }) => {
            const nowMs = monotonicMs();
            if (data == null || errors !== undefined) return failed(errors ?? 'an event without data');
            const { cursor, change } = data.statusChanges;
            const seq = openCursor(this.#cursors, cursor)?.seq;
            if (seq === undefined) return failed(`not a cursor: ${cursor}`);
            variables.after = cursor;
            this.log.add(seq, change !== null, nowMs);
            resolve();
          },
          error: failed,
          complete: () => failed('the stream was completed'),
        },
      );
    });
  }

  pause(): void {
    this.#paused = true;
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.pause();
  }

  resume(): void {
    this.#paused = false;
    this.#socket?.resume();
  }
}
