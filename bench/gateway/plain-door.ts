// A subgraph over HTTP for a gateway without signatures: the same schema, cache of documents and execution as the usual endpoint,
// without its proof of identity. It only listens on loopback.
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Logger } from 'pino';
import { executeOnSchema } from '../../platform/graph/execution.ts';
import { GraphqlDocumentCache } from '../../platform/graph/graphql-document-cache.ts';
import { parseJson, readBody } from '../../platform/graph/http-body.ts';
import type { Subgraph } from '../../platform/graph/subgraph.ts';
import { newUuid } from '../../platform/values/ids.ts';

interface Body {
  readonly query: string;
  readonly variables?: Record<string, unknown> | null;
  readonly operationName?: string | null;
}

const maxBodyBytes = 8 * 1024 * 1024;

/** Listens on a free port and returns its URL. It ends with the process. */
export async function openPlainDoor(subgraph: Subgraph, log: Logger): Promise<string> {
  const documents = new GraphqlDocumentCache(subgraph.schema);
  const answer = async (request: IncomingMessage): Promise<unknown> => {
    const { query, variables, operationName } = parseJson(await readBody(request, maxBodyBytes)) as Body;
    const document = documents.get(query);
    if (!('kind' in document)) return { errors: document };
    return executeOnSchema(
      subgraph.schema,
      {
        document,
        variables: variables ?? undefined,
        operationName: operationName ?? undefined,
        context: { identity: null, requestId: newUuid(), loaders: new Map() },
      },
      log,
    );
  };
  const server = createServer({ keepAliveTimeout: 65_000 }, (request, response) => {
    answer(request).then(
      (result) => {
        const text = JSON.stringify(result);
        const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) };
        response.writeHead(200, headers).end(text);
      },
      (error: unknown) => response.writeHead(500).end(String(error)),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
