// Which addresses members may have: those that the egress policy allows, and those of the load balancer's own subnet, which is a network
// apart. The networks of the hosts themselves are never allowed. A host name is checked at each resolution, by the host.
import { isIP } from 'node:net';
import type { InputCheck } from '../../../platform/input.ts';
import { isInBlock, withoutMapping } from '../../../platform/net/address-block.ts';
import type { EgressPolicy } from '../../../platform/net/egress.ts';
import type { PartKind, PartSpec } from './part-kind.ts';

/** The networks around a load balancer. */
export interface Networks {
  /** Management and public ranges of the hosts. */
  readonly ofHosts: readonly string[];
  /** The subnet in which each node has an address of its own; null: nodes are in the network of their host. */
  readonly subnet: string | null;
}

export class MemberAddresses {
  readonly #egress: EgressPolicy;

  constructor(egress: EgressPolicy) {
    this.#egress = egress;
  }

  /** Adds a fault for each address that is not allowed. `at`: the path of the member in the input. */
  check(check: InputCheck, { name }: PartKind, spec: PartSpec, networks: Networks, at: readonly string[] = []): void {
    if (name !== 'Member') return;
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
