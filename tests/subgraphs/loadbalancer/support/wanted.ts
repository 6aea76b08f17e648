// Parts and nodes as the control plane wants them, for tests of the host.
import { readSpec } from '../../../../platform/graph/described/spec.ts';
import { newUuid } from '../../../../platform/values/ids.ts';
import type { JsonObject } from '../../../../platform/values/json.ts';
import type { PartName } from '../../../../subgraphs/loadbalancer/spec/part-kind.ts';
import { partKinds } from '../../../../subgraphs/loadbalancer/spec/parts.ts';
import type { WantedNode, WantedPart } from '../../../../subgraphs/loadbalancer/wire/wanted-node.ts';
import { testHistory } from '../../../support/stores/histories.ts';

export function part(kind: PartName, parentId: string, given: JsonObject): WantedPart {
  const read = readSpec(partKinds[kind], given);
  if (!read.ok) throw new Error(`${kind}: ${JSON.stringify(read.faults)}`);
  return { id: newUuid(), kind, parentId, spec: read.spec, drainUntil: null };
}

export function wantedNode(
  balancerId: string,
  parts: readonly WantedPart[],
  certificates: WantedNode['certificates'] = [],
): WantedNode {
  return {
    id: newUuid(),
    name: 'web-1',
    history: testHistory,
    generation: 1,
    loadBalancer: { id: balancerId, name: 'web', generation: 1 },
    state: 'RUN',
    address: '127.0.0.1',
    managementAddress: '127.0.0.1',
    subnet: null,
    floating: null,
    size: { connections: 1000, threads: 1 },
    cookieKey: 'secret of the load balancer',
    parts,
    certificates,
  };
}
