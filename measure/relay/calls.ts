// The measured calls, one per wire, which create a new object for a new CMP object each time, so that every call writes
// everything that a call can write: an address for a set of an nftables firewall, a named address for a FortiGate.
import { randomBytes } from 'node:crypto';
import type { JsonObject } from '../../subgraphs/relay/drivers/driver.ts';
import { notRefused } from '../graph-client.ts';

export const wires = ['ssh', 'https'] as const;
export type Wire = (typeof wires)[number];

interface CallKind {
  readonly driver: string;
  readonly operation: string;
  readonly document: string;
  /** Fields of the typed mutation, besides the common ones. */
  fields(name: string, address: string): JsonObject;
  /** Arguments of the driver's operation. */
  arguments(name: string, address: string): JsonObject;
}

export const callKinds: Readonly<Record<Wire, CallKind>> = {
  ssh: {
    driver: 'linux-nftables',
    operation: 'setElement.add',
    document: documentOf('firewallAddressSetElementAdd', 'FirewallAddressSetElementAddInput'),
    fields: (_name, address) => ({ set: 'blocked', address }),
    arguments: (_name, address) => ({ family: 'inet', table: 'filter', set: 'blocked', address }),
  },
  https: {
    driver: 'fortios',
    operation: 'address.create',
    document: documentOf('firewallAddressCreate', 'FirewallAddressCreateInput'),
    fields: (name, address) => ({ name, content: { address } }),
    arguments: (name, address) => ({ vdom: 'root', name, address }),
  },
};

function documentOf(mutation: string, input: string): string {
  return `mutation ($input: ${input}!) {
    call: ${mutation}(input: $input) {
      operation { id state deviceError { code } }
      userErrors { code message }
      commit { token }
    }
  }`;
}

export interface CallData {
  readonly call: {
    readonly operation: {
      readonly id: string;
      readonly state: string;
      readonly deviceError: { readonly code: string } | null;
    } | null;
    readonly userErrors: readonly { readonly code: string; readonly message: string }[];
    readonly commit: { readonly token: string } | null;
  };
}

/** Throws unless the device executed the call. */
export function checkSucceeded({ call }: CallData): void {
  const { operation, commit } = notRefused(call);
  if (operation?.state === 'SUCCEEDED' && commit !== null) return;
  throw new Error(`the call is ${operation?.state ?? 'none'} ${operation?.deviceError?.code ?? ''}`);
}

/** Makes calls that differ from those of any maker with another first byte. */
export class CallMaker {
  readonly wire: Wire;
  readonly #firstByte: number;
  readonly #run = randomBytes(6).toString('hex');
  #made = 0;

  constructor(wire: Wire, firstByte: number) {
    this.wire = wire;
    this.#firstByte = firstByte;
  }

  get document(): string {
    return callKinds[this.wire].document;
  }

  /** Input of the next call's mutation. */
  input(backend: string): object {
    const { name, address } = this.#next();
    const cmpObject = { namespace: 'bench', type: 'tenant', externalId: name };
    const fields = callKinds[this.wire].fields(name, address);
    return { idempotencyKey: name, backend: { name: backend }, cmpObject, ...fields };
  }

  /** Arguments of the next call's operation at the driver. */
  arguments(): JsonObject {
    const { name, address } = this.#next();
    return callKinds[this.wire].arguments(name, address);
  }

  #next(): { readonly name: string; readonly address: string } {
    this.#made += 1;
    const address = [this.#firstByte, (this.#made >> 16) & 255, (this.#made >> 8) & 255, this.#made & 255].join('.');
    return { name: `${this.#run}-${address}`, address };
  }
}
