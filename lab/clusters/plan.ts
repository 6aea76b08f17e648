// The members of the device `clusters` and their addresses: one /24 of 198.19.0.0/16.

export const clusterNames = ['north', 'south', 'east', 'west'] as const;
export type ClusterName = (typeof clusterNames)[number];

/** Added to the control plane with the device. The last cluster is ready for a person to add. */
export const linkedNames = ['north', 'south', 'east'] as const satisfies readonly ClusterName[];

/** Roles of each cluster's process. */
export const clusterRoles = ['objectcontroller', 'objectresolver', 'objectserver'] as const;

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
  /** This machine's own address, at which the control plane is reachable for them. */
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

/** URLs of a cluster for users and for servers and controllers of other clusters. */
export function urlsOf(address: string) {
  return {
    peer: `https://${address}:${peerPort}`,
    controller: `https://${address}:${controllerPort}`,
    s3: `http://${address}:${s3Port}`,
  };
}
