// Checks addresses of members: allowed are those that pass the egress policy, and those of the load balancer's own subnet, which is a
// separate network. The networks of the hosts are never allowed. A host name is checked by the host at each resolution.
import { isIP } from 'node:net';
import type { InputCheck } from '../../../platform/edge/input.ts';
import { isInBlock, withoutMapping } from '../../../platform/net/address-block.ts';
import type { EgressPolicy } from '../../../platform/net/egress.ts';
import type { PartKind, PartSpec } from './part-kind.ts';

/** The networks around a load balancer. */
export interface Networks {
  /** Management and public ranges of the hosts. */
  readonly ofHosts: readonly string[];
  /** The subnet in which each node has its own address. Null if nodes are in the network of their host. */
  readonly subnet: string | null;
}

export class MemberAddresses {
  readonly #egress: EgressPolicy;

  constructor(egress: EgressPolicy) {
    this.#egress = egress;
  }

  /** Adds a fault for each address that is not allowed. `at`: path of the member in the input. */
  check(check: InputCheck, { name }: PartKind, spec: PartSpec, networks: Networks, at: readonly string[] = []): void {
    if (name !== 'PoolMember') return;
    const { port, monitorPort } = spec;
    const dialled = [
      ['host', spec.host, port],
      ['monitorHost', spec.monitorHost ?? (monitorPort === null ? null : spec.host), monitorPort ?? port],
    ] as const;
    for (const [field, host, dialledPort] of dialled) {
      const denial = typeof host === 'string' ? this.#denial(host, Number(dialledPort), networks) : undefined;
      if (denial === undefined) continue;
      const named = field === 'monitorHost' && spec.monitorHost === null ? 'monitorPort' : field;
      check.fault([...at, named].join('.'), denial, 'EGRESS_DENIED');
    }
  }

  #denial(host: string, port: number, { ofHosts, subnet }: Networks): string | undefined {
    if (isIP(host) === 0) return undefined;
    const address = withoutMapping(host);
    if (ofHosts.some((block) => isInBlock(address, block)))
      return `connections to ${host} are denied: it is in a network of the load balancer hosts`;
    if (subnet !== null && isInBlock(address, subnet)) return undefined;
    return this.#egress.denial(host, port)?.reason;
  }
}
