// Nodes as plain processes on addresses of the loopback network, without privileges and without isolation: for evaluation.
import { createServer } from 'node:net';
import type { WantedNode } from '../../../wire/wanted-node.ts';
import type { NodePlace, NodeProvider } from './provider.ts';

export class LoopbackProvider implements NodeProvider {
  readonly name = 'LOOPBACK';

  async make({ address, managementAddress, floating }: WantedNode): Promise<NodePlace> {
    if (floating !== null) throw new Error('an address that two nodes share needs the provider netns');
    for (const each of new Set([address, managementAddress])) await probe(each);
    return { wrapper: [] };
  }

  async remove(): Promise<void> {
    // Only processes exist, and their runner ends them.
  }

  async list(): Promise<readonly string[]> {
    return [];
  }
}

/** Rejects if the address does not belong to this host. */
function probe(address: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error) => reject(new Error(`${address} is not an address of this host: ${error.message}`)));
    server.listen(0, address, () => server.close(() => resolve()));
  });
}
