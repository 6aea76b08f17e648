// keepalived's configuration on one of two data hosts.

import { fileURLToPath } from 'node:url';

export interface KeepalivedOptions {
  readonly me: string;
  /** With the prefix length: `192.0.2.10/24`. */
  readonly address: string;
  readonly device: string;
  /** This host's own address, and the other data hosts'. */
  readonly source: string;
  readonly peers: readonly string[];
  /** VRRP router id, 1 to 255. The same at all hosts of the pair. */
  readonly routerId: number;
  /** Folder of the files that the scripts read and write. */
  readonly folder: string;
  /** Whether only root can change the scripts. keepalived would leave out others, also the one that asks for the lease, and so must not check them. */
  readonly areScriptsSafe: boolean;
}

export const refusedFile = 'refused';
export const leaseFile = 'lease';
export const stateFile = 'state';
/** The rules of `end-connections.sh`, which answer with resets for a second: a host that gets the address back removes them. */
export const leavingTable = 'tidegate_leaving';
export const script = (name: 'end-connections' | 'hold' | 'lease-lasts' | 'notify'): string =>
  fileURLToPath(new URL(`./${name}.sh`, import.meta.url));

/** A client or a router that missed the first announcements learns the new host this soon, and not when its own entry expires. */
const announceEverySeconds = 5;

/**
 * VRRP version 3 (RFC 5798) to the peers' own addresses. There is no election: only the host whose agent has the lead may have the address.
 * keepalived watches a file that the agent writes, and a script that fails when the agent has stopped writing it. Until the agent has
 * written, both refuse the address.
 */
export function keepalivedConfiguration(options: KeepalivedOptions): string {
  const { me, address, device, source, peers, routerId, folder, areScriptsSafe } = options;
  // The instance has the address family of the hosts' own addresses. A virtual address of the other family is excluded from its packets.
  // The packets still need an address, so they get an unused link-local one.
  const isOther = address.includes(':') !== source.includes(':');
  const ofLink = source.includes(':') ? `fe80::7467:${routerId}/128` : `169.254.116.${routerId}/32`;
  const alone = `  virtual_ipaddress {\n    ${ofLink} dev ${device}\n  }\n`;
  return `global_defs {
  router_id ${me}
  vrrp_version 3
${areScriptsSafe ? '  enable_script_security\n' : ''}  script_user root
  max_auto_priority 20
}
track_file refused {
  file "${folder}/${refusedFile}"
  weight 0
}
vrrp_script lease {
  script "'${script('lease-lasts')}' '${folder}' '${address}'"
  interval 1
  timeout 1
  rise 1
  fall 1
  init_fail
}
vrrp_instance tidegate {
  state BACKUP
  interface ${device}
  virtual_router_id ${routerId}
  priority 254
  advert_int 0.1
  garp_master_refresh ${announceEverySeconds}
  garp_master_refresh_repeat 1
  unicast_src_ip ${source}
  unicast_peer {
${peers.map((each) => `    ${each}\n`).join('')}  }
${isOther ? alone : ''}  ${isOther ? 'virtual_ipaddress_excluded' : 'virtual_ipaddress'} {
    ${address} dev ${device}
  }
  track_file {
    refused
  }
  track_script {
    lease
  }
  notify "'${script('notify')}' '${folder}'"
}
`;
}
