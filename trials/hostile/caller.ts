// A caller of the gateway, with its own address on this machine.
import { Agent, request } from 'undici';

export interface Exchange {
  /** Everything sent, and everything received. */
  readonly asked: string;
  readonly answered: string;
  /** The GraphQL answers among the received data. */
  readonly answers: readonly GraphAnswer[];
}

export interface GraphAnswer {
  readonly data?: Readonly<Record<string, unknown>> | null;
  readonly errors?: readonly { readonly message: string; readonly extensions?: { readonly code?: string } }[];
}

export interface HttpMessage {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE' | 'OPTIONS';
  /** Default: the gateway's endpoint. */
  readonly origin?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  readonly withoutToken?: boolean;
}

const deadlineMs = 30_000;

export class Caller {
  readonly name: string;
  readonly address: string;
  readonly url: string;
  /** Whether it may see alpha's objects. */
  readonly seesAlpha: boolean;
  token: string | undefined;
  readonly #agent: Agent;

  constructor(options: {
    readonly name: string;
    readonly address: string;
    readonly url: string;
    readonly seesAlpha: boolean;
    readonly token?: string | undefined;
  }) {
    this.name = options.name;
    this.address = options.address;
    this.url = options.url;
    this.seesAlpha = options.seesAlpha;
    this.token = options.token;
    this.#agent = new Agent({ localAddress: options.address, connections: 32 });
  }

  /** A GraphQL operation. */
  ask(
    query: string,
    variables: object = {},
    extra: Pick<HttpMessage, 'headers' | 'withoutToken'> = {},
  ): Promise<Exchange> {
    return this.send({ ...extra, body: JSON.stringify({ query, variables }) });
  }

  async send(message: HttpMessage): Promise<Exchange> {
    const { method = 'POST', origin = this.url, path = '/graphql', headers = {}, body, withoutToken = false } = message;
    const asked = `${method} ${path} ${JSON.stringify(headers)} ${body?.toString() ?? ''}`;
    const response = await request(`${origin}${path}`, {
      dispatcher: this.#agent,
      method,
      headers: {
        'content-type': 'application/json',
        ...(this.token === undefined || withoutToken ? {} : { authorization: `Bearer ${this.token}` }),
        ...headers,
      },
      body: body ?? null,
      signal: AbortSignal.timeout(deadlineMs),
    });
    const text = await response.body.text();
    return { asked, answered: `${JSON.stringify(response.headers)} ${text}`, answers: answersIn([text]) };
  }

  close(): Promise<void> {
    return this.#agent.destroy();
  }
}

/** The texts that are GraphQL answers. */
export function answersIn(texts: readonly string[]): readonly GraphAnswer[] {
  return texts.flatMap((text) => {
    try {
      const answer = JSON.parse(text) as GraphAnswer | null;
      return answer !== null && typeof answer === 'object' && ('data' in answer || 'errors' in answer) ? [answer] : [];
    } catch {
      return [];
    }
  });
}
