// needs: processes
import { LoopbackProvider } from '../../../../../../subgraphs/loadbalancer/agents/lbhost/providers/loopback.ts';
import { wantedNode } from '../../../support/wanted.ts';
import { providerContract } from './contract.ts';

providerContract({
  open: () => new LoopbackProvider(),
  node: (name, index) => ({
    ...wantedNode('b', []),
    name,
    address: `127.88.1.${index + 2}`,
    managementAddress: `127.88.2.${index + 2}`,
  }),
  foreign: () => ({ ...wantedNode('b', []), name: 'foreign', address: '192.0.2.1', managementAddress: '127.88.2.2' }),
});
