// Names of namespaces and interfaces. A namespace is named after the host's folder and the node. An interface has at most 15 characters
// (IFNAMSIZ), so its name is a hash of these, and its alias is the node's name.
import { createHash } from 'node:crypto';

export class NetnsNames {
  /** Identifies the installation: others on the same machine have other folders. */
  readonly #host: string;

  /** `folder`: real path of the host's folder. */
  constructor(folder: string) {
    this.#host = hashOf(folder, 5);
  }

  /** The namespace of the subnets' bridges: from a subnet no address of the machine can be reached there. */
  get switch(): string {
    return `tg-${this.#host}`;
  }

  namespace(node: string): string {
    return `${this.switch}-${node}`;
  }

  /** The node that has the namespace. Undefined if it is not a node of this host. */
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

  /**
   * Address of the node's own end. It depends on the IP address, because others cache the mapping for a while, even when another node gets
   * the IP address.
   */
  macOf(address: string): string {
    return macOf(`${this.#host} address ${address}`);
  }

  /** Address of a bridge. Without it the bridge would use that of any of its ports. */
  bridgeMac(leg: string): string {
    return macOf(`${this.#host} bridge ${leg}`);
  }

  subnetBridge(vni: number): string {
    return `b${vni}`;
  }

  tunnel(vni: number): string {
    return `x${vni}`;
  }

  /** Undefined if it is not the bridge of a subnet. */
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

/** A locally administered address (IEEE 802, section 8.2.2). */
function macOf(text: string): string {
  const bytes = createHash('sha256').update(text).digest().subarray(0, 5);
  return ['02', ...[...bytes].map((byte) => byte.toString(16).padStart(2, '0'))].join(':');
}

/** Lower-case letters and digits. */
function hashOf(text: string, length: number): string {
  const number = createHash('sha256').update(text).digest().readBigUInt64BE();
  return number.toString(36).slice(-length).padStart(length, '0');
}
