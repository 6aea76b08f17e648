// Addresses that a vantage point may dial: allowed by the egress policies of the checker and the installation, and by the blocks
// of the vantage point.
import { isInBlock, withoutMapping } from '../../../../platform/net/address-block.ts';
import { type EgressDenial, type EgressPolicy, egressFrom } from '../../../../platform/net/egress.ts';
import type { Grant } from '../../wire/checker-wire.ts';

type VantageRules = Pick<Grant, 'allowedBlocks' | 'deniedBlocks' | 'egress'>;

export class VantagePolicy implements EgressPolicy {
  readonly #own: EgressPolicy;
  #installation: EgressPolicy | undefined;
  #blocks: Pick<VantageRules, 'allowedBlocks' | 'deniedBlocks'> = { allowedBlocks: [], deniedBlocks: [] };

  constructor(own: EgressPolicy) {
    this.#own = own;
  }

  /** Throws when a rule of the installation's policy is malformed. */
  use({ egress, allowedBlocks, deniedBlocks }: VantageRules): void {
    this.#installation = egress === undefined ? undefined : egressFrom(egress);
    this.#blocks = { allowedBlocks, deniedBlocks };
  }

  get rules(): EgressPolicy['rules'] {
    return this.#own.rules;
  }

  /** Policy for beacons. The vantage point's blocks apply to targets only. */
  get beyondBlocks(): EgressPolicy {
    return { rules: this.rules, denial: (address, port) => this.#policyDenial(address, port) };
  }

  denial(address: string, port: number): EgressDenial | undefined {
    const denied = this.#policyDenial(address, port);
    if (denied !== undefined) return denied;
    const { allowedBlocks, deniedBlocks } = this.#blocks;
    if (allowedBlocks.length === 0 && deniedBlocks.length === 0) return undefined;
    // The kernel dials the IPv4 address that is mapped into IPv6.
    const plain = withoutMapping(address);
    const deny = (why: string) => ({ address, port, reason: `connections to ${address} ${why}` });
    const against = deniedBlocks.find((block) => isInBlock(plain, block));
    if (against !== undefined) return deny(`are denied by the vantage point: they are in its denied block ${against}`);
    if (allowedBlocks.length > 0 && !allowedBlocks.some((block) => isInBlock(plain, block)))
      return deny('are denied by the vantage point: they are in none of its allowed blocks');
    return undefined;
  }

  #policyDenial(address: string, port: number): EgressDenial | undefined {
    return this.#own.denial(address, port) ?? this.#installation?.denial(address, port);
  }
}
