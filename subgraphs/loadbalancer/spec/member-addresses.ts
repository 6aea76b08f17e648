// Checks addresses of members. An address is allowed if it passes the egress policy. The policy applies to the load balancer's subnet too,
// because nodes reach it through the network of their host, like every other address. The networks of the hosts are never allowed. A host
// name is checked by the host at each resolution.
import { isIP } from 'node:net';
import type { InputCheck } from '../../../platform/input/input.ts';
import { isInBlock, withoutMapping } from '../../../platform/net/address-block.ts';
import type { EgressPolicy } from '../../../platform/net/egress.ts';
import type { PartKind, PartSpec } from './part-kind.ts';

export class MemberAddresses {
  readonly #egress: EgressPolicy;

  constructor(egress: EgressPolicy) {
    this.#egress = egress;
  }

  /** Adds a fault for each address that is not allowed. `ofHosts`: ranges of the hosts. `at`: path of the member in the input. */
  check(
    check: InputCheck,
    { name }: PartKind,
    spec: PartSpec,
    ofHosts: readonly string[],
    at: readonly string[] = [],
  ): void {
    if (name !== 'PoolMember') return;
    const { port, monitorPort } = spec;
    const dialled = [
      ['host', spec.host, port],
      ['monitorHost', spec.monitorHost ?? (monitorPort === null ? null : spec.host), monitorPort ?? port],
    ] as const;
    for (const [field, host, dialledPort] of dialled) {
      const denial = typeof host === 'string' ? this.#denial(host, Number(dialledPort), ofHosts) : undefined;
      if (denial === undefined) continue;
      const named = field === 'monitorHost' && spec.monitorHost === null ? 'monitorPort' : field;
      check.fault([...at, named].join('.'), denial, 'EGRESS_DENIED');
    }
  }

  #denial(host: string, port: number, ofHosts: readonly string[]): string | undefined {
    if (isIP(host) === 0) return undefined;
    const address = withoutMapping(host);
    if (ofHosts.some((block) => isInBlock(address, block)))
      return `connections to ${host} are denied: it is in a network of the load balancer hosts`;
    return this.#egress.denial(host, port)?.reason;
  }
}
