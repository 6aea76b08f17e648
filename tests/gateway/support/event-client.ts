// A client of GraphQL over SSE, based on fetch.
import { until } from '../../support/machine/temporary-folder.ts';

interface Opening {
  readonly query?: string;
  readonly variables?: Record<string, unknown>;
  /** If empty, no token is sent. */
  readonly token?: string;
  readonly method?: 'GET' | 'POST';
  readonly headers?: Record<string, string>;
  /** If true, the client reads nothing until `resume`. */
  readonly paused?: boolean;
}

interface ReceivedEvent {
  readonly event: string;
  readonly id: string | undefined;
  // biome-ignore lint/suspicious/noExplicitAny: results are looked into freely
  readonly data: any;
}

export class EventClient {
  readonly events: ReceivedEvent[] = [];
  /** The number of comments after the first one. */
  heartbeats = -1;
  /** Whether the answer has ended. */
  done = false;
  /** Everything received. */
  text = '';
  readonly response: Response;
  readonly #abort: AbortController;
  resume: () => void = () => {};

  private constructor(response: Response, abort: AbortController, paused: boolean) {
    this.response = response;
    this.#abort = abort;
    const go = new Promise<void>((resolve) => {
      this.resume = resolve;
    });
    if (!paused) this.resume();
    void go.then(() => this.#read()).catch(() => undefined);
  }

  static async open(url: string, opening: Opening): Promise<EventClient> {
    const { query = stream, variables, token = 'token-ann', method = 'POST', headers = {}, paused = false } = opening;
    const search = new URLSearchParams({ query, variables: JSON.stringify(variables ?? {}) });
    const abort = new AbortController();
    const response = await fetch(`${url}/graphql${method === 'GET' ? `?${search}` : ''}`, {
      method,
      headers: {
        accept: 'text/event-stream',
        ...(token === '' ? {} : { authorization: `Bearer ${token}` }),
        ...(method === 'GET' ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      signal: abort.signal,
      ...(method === 'GET' ? {} : { body: JSON.stringify({ query, variables }) }),
    });
    return new EventClient(response, abort, paused);
  }

  /** Opens a subscription, and waits for its first item. */
  static async begun(url: string, opening: Opening = {}): Promise<EventClient> {
    const client = await EventClient.open(url, opening);
    await until(() => client.results.length > 0);
    return client;
  }

  /** The data of `next` events. */
  // biome-ignore lint/suspicious/noExplicitAny: results are looked into freely
  get results(): any[] {
    return this.events.filter(({ event }) => event === 'next').map(({ data }) => data);
  }

  /** Ids of the things received so far, without checkpoints. */
  get ids(): string[] {
    return this.results.flatMap(({ data }) => {
      const item = Object.values(data ?? {})[0] as { thing?: { id: string } | null } | undefined;
      return item?.thing == null ? [] : [item.thing.id];
    });
  }

  /** Disconnects. */
  cancel(): void {
    this.#abort.abort();
  }

  async #read(): Promise<void> {
    let rest = '';
    try {
      for await (const piece of (this.response.body ?? new ReadableStream()).pipeThrough(new TextDecoderStream())) {
        this.text += piece;
        const blocks = (rest + piece).split('\n\n');
        rest = blocks.pop() ?? '';
        for (const block of blocks) this.#take(block.split('\n'));
      }
    } finally {
      this.done = true;
    }
  }

  #take(lines: readonly string[]): void {
    if (lines.length === 1 && lines[0]?.startsWith(':')) {
      this.heartbeats += 1;
      return;
    }
    const field = (name: string) =>
      lines
        .find((line) => line.startsWith(`${name}:`))
        ?.slice(name.length + 1)
        .trim();
    const data = field('data') ?? '';
    this.events.push({
      event: field('event') ?? 'message',
      id: field('id'),
      data: data === '' ? '' : JSON.parse(data),
    });
  }
}

export const stream = 'subscription { thingChanges { cursor thing { id name price } } }';
