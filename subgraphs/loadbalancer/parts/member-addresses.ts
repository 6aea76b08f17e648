// Which addresses members may have: those that the egress policy allows. A host name is checked again at each resolution, by the host.
import { isIP } from 'node:net';
import type { InputCheck } from '../../../platform/input.ts';
import type { EgressPolicy } from '../../../platform/net/egress.ts';
import type { PartKind, PartSpec } from './part-kind.ts';

export class MemberAddresses {
  readonly #egress: EgressPolicy;

  constructor(egress: EgressPolicy) {
    this.#egress = egress;
  }

  /** Adds a fault for each address that is not allowed. `at`: the path of the member in the input. */
  check(check: InputCheck, { name }: PartKind, spec: PartSpec, at: readonly string[] = []): void {
    if (name !== 'Member') return;
    const { port, monitorPort } = spec;
    const dialled = [
      ['host', spec.host, port],
      ['monitorHost', spec.monitorHost, monitorPort ?? port],
    ] as const;
    for (const [field, host, dialledPort] of dialled) {
      if (typeof host !== 'string' || isIP(host) === 0) continue;
      const denial = this.#egress.denial(host, Number(dialledPort));
      if (denial !== undefined) check.fault([...at, field].join('.'), denial.reason, 'EGRESS_DENIED');
    }
  }
}
