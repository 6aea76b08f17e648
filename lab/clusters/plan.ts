// Who is in the part `clusters`, and its addresses: one /24 of 198.19.0.0/16.

export const clusterNames = ['north', 'south', 'east', 'west'] as const;
export type ClusterName = (typeof clusterNames)[number];

/** Added at the centre with the part. The last one stands ready for a person to add. */
export const linkedNames = ['north', 'south', 'east'] as const satisfies readonly ClusterName[];

/** Of the process of each cluster. */
export const clusterRoles = ['objectcontroller', 'objectresolver', 'objectserver'] as const;
export type ClusterRole = (typeof clusterRoles)[number];

export const peerPort = 9_443;
export const controllerPort = 9_444;
export const resolverPort = 9_445;
export const s3Port = 9_000;

export interface ClusterPlan {
  readonly name: ClusterName;
  readonly address: string;
}

export interface Plan {
  /** The first 24 bits, as `198.19.7`. */
  readonly net: string;
  /** This machine's own address, at which it has the control plane for them. */
  readonly machine: string;
  readonly clusters: readonly ClusterPlan[];
}

export function planOf(net: string): Plan {
  return {
    net,
    machine: `${net}.1`,
    clusters: clusterNames.map((name, index) => ({ name, address: `${net}.${21 + index}` })),
  };
}

/** Where servers and controllers of other clusters, and users, reach a cluster. */
export function urlsOf(address: string) {
  return {
    peer: `https://${address}:${peerPort}`,
    controller: `https://${address}:${controllerPort}`,
    s3: `http://${address}:${s3Port}`,
  };
}
