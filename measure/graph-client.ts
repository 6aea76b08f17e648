// GraphQL over HTTP like a CMP: kept-alive connections and a bearer token.
import { Pool } from 'undici';

const requestDeadlineMs = 60_000;

/** Sends a request as a certain user. Throws for anything but an answer without errors. */
export type Ask = <Data>(query: string, variables: object) => Promise<Data>;

export class GraphClient {
  readonly #pool: Pool;

  constructor(url: string, connections: number) {
    this.#pool = new Pool(new URL(url).origin, { connections });
  }

  /** Throws for anything but an answer without errors. */
  async ask<Data>(query: string, variables: object, token?: string): Promise<Data> {
    const response = await this.#pool.request({
      path: '/graphql',
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json',
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
      body: JSON.stringify({ query, variables }),
      signal: AbortSignal.timeout(requestDeadlineMs),
    });
    const answer = (await response.body.json()) as { data?: Data | null; errors?: unknown };
    if (answer.data == null || answer.errors !== undefined)
      throw new Error(`HTTP ${response.statusCode}: ${JSON.stringify(answer.errors).slice(0, 500)}`);
    return answer.data;
  }

  /** As a token's bearer. */
  as(token: string): Ask {
    return (query, variables) => this.ask(query, variables, token);
  }

  close(): Promise<void> {
    return this.#pool.destroy();
  }
}

export interface MutationAnswer {
  readonly userErrors: readonly { readonly code: string; readonly message: string }[];
}

/** Throws if the mutation was refused. */
export function notRefused<Answer extends MutationAnswer>(answer: Answer): Answer {
  const [refusal] = answer.userErrors;
  if (refusal !== undefined) throw new Error(`refused: ${refusal.code}: ${refusal.message}`);
  return answer;
}
