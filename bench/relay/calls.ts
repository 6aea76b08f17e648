// The relayed call that is measured: an address for a set of the firewall, each time a new one for a new CMP object, so that
// every call writes all that a call can write.
import { randomBytes } from 'node:crypto';
import { notRefused } from '../support/graph-client.ts';

export const document = `mutation ($input: FirewallAddressSetElementAddInput!) {
  call: firewallAddressSetElementAdd(input: $input) {
    operation { id state }
    userErrors { code message }
    commit { token }
  }
}`;

export interface CallData {
  readonly call: {
    readonly operation: { readonly id: string; readonly state: string } | null;
    readonly userErrors: readonly { readonly code: string; readonly message: string }[];
    readonly commit: { readonly token: string } | null;
  };
}

/** Throws for any answer but a call that the device carried out. */
export function checkSucceeded({ call }: CallData): void {
  const { operation, commit } = notRefused(call);
  if (operation?.state !== 'SUCCEEDED' || commit === null) throw new Error(`the call is ${operation?.state ?? 'none'}`);
}

/** Calls that no other maker, with another first byte, makes. */
export class CallMaker {
  readonly #firstByte: number;
  readonly #run = randomBytes(6).toString('hex');
  #made = 0;

  constructor(firstByte: number) {
    this.#firstByte = firstByte;
  }

  address(): string {
    this.#made += 1;
    return [this.#firstByte, (this.#made >> 16) & 255, (this.#made >> 8) & 255, this.#made & 255].join('.');
  }

  input(backend: string): object {
    const address = this.address();
    const name = `${this.#run}-${address}`;
    const cmpObject = { namespace: 'bench', type: 'tenant', externalId: name };
    return { idempotencyKey: name, backend: { name: backend }, cmpObject, set: 'blocked', address };
  }
}
