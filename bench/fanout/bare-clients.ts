// The parent's side of the clients without a library.
import { Child } from '../../measure/child.ts';

/** One socket with one token, and a subscription for each set of variables. */
export interface BareSocket {
  readonly token: string;
  readonly subscriptions: readonly Readonly<Record<string, unknown>>[];
}

export type BareOrder =
  | {
      readonly do: 'start';
      readonly url: string;
      readonly query: string;
      readonly sockets: readonly BareSocket[];
      /** The streams begin at a cursor, so `start` does not wait for their first item. */
      readonly isPast?: boolean | undefined;
      /** Whether the age of each event is measured when it arrives. */
      readonly timed?: boolean | undefined;
    }
  /** Waits until every subscription has received this many events in total. False if they do not arrive. */
  | { readonly do: 'wait'; readonly events: number; readonly withinMs: number }
  | { readonly do: 'tell' }
  | { readonly do: 'stop' };

export interface BareFollowed {
  /** Over all subscriptions. */
  readonly changes: number;
  /** The newest cursor of a checkpoint. */
  readonly cursor: string;
  /** The time from `changedAt` to the arrival, if measured. */
  readonly agesMs: readonly number[];
}

type Start = Omit<BareOrder & { do: 'start' }, 'do'>;

const askDeadlineMs = 120_000;
const drainMs = 60_000;

/** They run in separate processes, which end with the stack. */
export class BareClients {
  readonly #children: readonly Child[];

  constructor(stack: AsyncDisposableStack, processes = 1) {
    this.#children = Array.from({ length: processes }, () => {
      const child = new Child(new URL('./bare-clients-process.ts', import.meta.url));
      stack.defer(() => child.stop());
      return child;
    });
  }

  /** Resolves when every stream has begun. */
  async start({ sockets, ...wanted }: Start): Promise<void> {
    const count = this.#children.length;
    await this.#askAll<void>((index) => ({
      do: 'start',
      ...wanted,
      sockets: sockets.filter((_, number) => number % count === index),
    }));
  }

  /** Throws if a client still lacks events after a minute. */
  async all(events: number): Promise<void> {
    const came = await this.#askAll<boolean>(() => ({ do: 'wait', events, withinMs: drainMs }));
    if (!came.every(Boolean)) throw new Error(`${events} events did not come to all subscriptions`);
  }

  async tell(): Promise<BareFollowed> {
    const told = await this.#askAll<BareFollowed>(() => ({ do: 'tell' }));
    return {
      changes: told.reduce((sum, { changes }) => sum + changes, 0),
      cursor: told[0]?.cursor ?? '',
      agesMs: told.flatMap(({ agesMs }) => agesMs),
    };
  }

  /** Closes the sockets, which can be started again. */
  async stop(): Promise<void> {
    await this.#askAll<void>(() => ({ do: 'stop' }));
  }

  #askAll<Reply>(order: (index: number) => BareOrder): Promise<Reply[]> {
    return Promise.all(this.#children.map((child, index) => child.ask<Reply>(order(index), askDeadlineMs)));
  }
}
