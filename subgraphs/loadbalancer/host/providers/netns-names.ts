// Names of namespaces and interfaces. Namespaces are named after the host's folder and the node; an interface has at most 15
// characters (IFNAMSIZ), so that it is named after their hashes, and the node's name is its alias.
import { createHash } from 'node:crypto';

export class NetnsNames {
  /** Identifies the installation: others on the same machine have other folders. */
  readonly #host: string;

  /** `folder`: the host's own, as its real path. */
  constructor(folder: string) {
    this.#host = hashOf(folder, 5);
  }

  /** The namespace of the bridges of subnets: in it no address of the machine can be reached from a subnet. */
  get switch(): string {
    return `tg-${this.#host}`;
  }

  namespace(node: string): string {
    return `${this.switch}-${node}`;
  }

  /** The node that has the namespace; undefined: it is not one of a node of this host. */
  nodeOf(namespace: string): string | undefined {
    const prefix = `${this.switch}-`;
    return namespace.startsWith(prefix) ? namespace.slice(prefix.length) : undefined;
  }

  bridge(leg: 'public' | 'management'): string {
    return `tg${this.#host}-${leg.slice(0, 3)}`;
  }

  /** The host's end of a node's leg. */
  port(node: string, leg: 'public' | 'management' | 'subnet'): string {
    return `tg${this.#host}${leg.charAt(0)}${hashOf(node, 7)}`;
  }

  /** Of the node's own end: others remember it for an address for a while, also when another node has that address by then. */
  macOf(address: string): string {
    return macOf(`${this.#host} address ${address}`);
  }

  /** Of a bridge: else it would be that of any of its ports. */
  bridgeMac(leg: string): string {
    return macOf(`${this.#host} bridge ${leg}`);
  }

  subnetBridge(vni: number): string {
    return `b${vni}`;
  }

  tunnel(vni: number): string {
    return `x${vni}`;
  }

  /** Undefined: not the bridge of a subnet. */
  vniOf(bridge: string): number | undefined {
    return /^b\d+$/.test(bridge) ? Number(bridge.slice(1)) : undefined;
  }
}

export function aliasOf(node: string): string {
  return `tidegate:${node}`;
}

/** The node whose interface has the alias. */
export function nodeOfAlias(alias: string): string | undefined {
  const [, node] = /^tidegate:(.+)$/.exec(alias) ?? [];
  return node;
}

/** A locally administered one (IEEE 802, section 8.2.2). */
function macOf(text: string): string {
  const bytes = createHash('sha256').update(text).digest().subarray(0, 5);
  return ['02', ...[...bytes].map((byte) => byte.toString(16).padStart(2, '0'))].join(':');
}

/** Lower-case letters and digits. */
function hashOf(text: string, length: number): string {
  const number = createHash('sha256').update(text).digest().readBigUInt64BE();
  return number.toString(36).slice(-length).padStart(length, '0');
}
