// A subgraph of another team. With and without it, the gateways have two graphs to alternate between.
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

interface OutsideOptions {
  /** With the settings files of the gateways. */
  readonly folder: string;
  readonly gateways: readonly { readonly name: string; readonly url: string }[];
  /** Of an administrator. */
  readonly token: () => Promise<string>;
}

const sdl = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])
type Project @key(fields: "id") { id: ID! rack: String }
`;

export class OutsideSubgraph {
  readonly #options: OutsideOptions;
  readonly #server = createServer((_request, response) => response.end('{"data":{"__typename":"Query"}}'));
  swaps = 0;

  constructor(options: OutsideOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    await writeFile(join(this.#options.folder, 'outside.graphql'), sdl);
  }

  /** Gives each gateway the other graph. Throws if one refuses it. */
  async swap(): Promise<void> {
    const { folder, gateways, token } = this.#options;
    const { port } = this.#server.address() as AddressInfo;
    const isThere = this.swaps % 2 === 0;
    const subgraphs = { racks: { urls: [`http://127.0.0.1:${port}`], sdl: join(folder, 'outside.graphql') } };
    for (const { name, url } of gateways) {
      const file = join(folder, `${name}.json`);
      const { subgraphs: _before, ...settings } = JSON.parse(await readFile(file, 'utf8')) as Record<string, unknown>;
      await writeFile(file, JSON.stringify({ ...settings, ...(isThere ? { subgraphs } : {}) }));
      const headers = { authorization: `Bearer ${await token()}` };
      const response = await fetch(`${url}/graphql/reload`, { method: 'POST', headers });
      const { data, errors } = (await response.json()) as { data?: { changed: boolean }; errors?: unknown };
      if (data?.changed !== true) throw new Error(`${name} did not reload: ${JSON.stringify(errors ?? data)}`);
    }
    this.swaps += 1;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}
