// A server without a schema that records the input of each mutation, and has an object for each ID. Other tests check
// that documents are valid.
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { registry } from '../../../generated/kinds/registry.ts';
import { decodeId } from '../../../platform/values/ids.ts';
import { idOfSample } from './samples.ts';

interface Asked {
  readonly query: string;
  readonly variables: { readonly id?: string; readonly input?: Readonly<Record<string, unknown>> };
}

export class NotingServer {
  readonly #http: Server;
  /** The input of the last mutation. */
  sent: Readonly<Record<string, unknown>> | undefined;

  private constructor() {
    this.#http = createServer(async (request, response) => {
      let text = '';
      for await (const part of request) text += String(part);
      response.end(JSON.stringify({ data: this.#answer(JSON.parse(text) as Asked) }));
    });
  }

  static async start(): Promise<NotingServer> {
    const server = new NotingServer();
    server.#http.listen({ host: '127.0.0.1', port: 0 });
    await once(server.#http, 'listening');
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#http.address() as AddressInfo).port}/graphql`;
  }

  async stop(): Promise<void> {
    this.#http.closeAllConnections();
    await new Promise((resolve) => this.#http.close(resolve));
  }

  #answer({ query, variables }: Asked): object {
    const fields = [...query.matchAll(/^\s{2,}(\w+)(?:: (\w+))?\(/gm)].map(([, name = '', field = name]) => ({
      name,
      field,
    }));
    if (/^\s*mutation/.test(query)) {
      this.sent = variables.input;
      const refused = [{ code: 'FORBIDDEN', message: 'noted', field: [], retry: 'NEVER' }];
      return { [fields[0]?.name ?? '']: { commit: null, userErrors: refused } };
    }
    const ofObject = /\bfound: node\(/.test(query) ? { found: objectOf(variables.id ?? '') } : {};
    const answers = fields.map(({ name, field }) => [
      name,
      field.endsWith('s') ? pageOf(field) : objectOf(variables.id ?? ''),
    ]);
    return { ...Object.fromEntries(answers), ...ofObject };
  }
}

/** Only access keys are looked up in their list. */
function pageOf(field: string): object {
  const nodes = field === 'objectAccessKeys' ? [objectOf(idOfSample('ObjectAccessKey'))] : [];
  return { nodes, pageInfo: { hasNextPage: false, endCursor: null } };
}

/** An object of any type. */
function objectOf(id: string): object {
  const type = decodeId(id)?.type ?? '';
  const link = registry.kinds[type]?.parent;
  return {
    ...{ __typename: type, id, version: 1, name: 'web', fqdn: 'web.example.net', host: '192.0.2.1', port: 80 },
    project: { __typename: 'Project', id: idOfSample('Project'), name: 'web' },
    ...(link === undefined ? {} : { [link.link]: { __typename: link.kind, id: idOfSample(link.kind), name: 'web' } }),
  };
}
