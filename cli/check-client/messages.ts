// Parses requests and writes answers for the check's parts.
import type { IncomingMessage } from 'node:http';
import { GraphQLError } from 'graphql';
import type { PlayedGraph } from './played-graph.ts';
import type { RowWorld } from './row-world.ts';

export interface Played {
  readonly graph: PlayedGraph;
  readonly world: RowWorld;
  /** An address of another origin, which notes its visitors. */
  readonly elsewhere: string;
}

const mostBytes = 1024 * 1024;

export function errorOf(code: string, message: string, more: object = {}) {
  return { data: null, errors: [{ message, extensions: { code, ...more } }] };
}

export function bearerOf({
  headers,
}: {
  readonly headers: { readonly authorization?: string | undefined };
}): string | undefined {
  return /^Bearer (.+)$/i.exec(headers.authorization ?? '')?.[1];
}

/** A JSON body. Throws if it is too large or not an object. */
export async function bodyOf(request: IncomingMessage): Promise<object> {
  let text = '';
  request.setEncoding('utf8');
  for await (const part of request as AsyncIterable<string>) {
    text += part;
    if (text.length > mostBytes) throw new GraphQLError(`A request has at most ${mostBytes} bytes.`);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new GraphQLError('The body of a request is JSON.');
  }
  if (typeof value !== 'object' || value === null) throw new GraphQLError('The body of a request is a JSON object.');
  return value;
}
