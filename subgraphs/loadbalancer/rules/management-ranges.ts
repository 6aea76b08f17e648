// Default blocks from which hosts may give nodes their management addresses: private networks, and a part of the loopback network.
export const managementRanges: readonly string[] = [
  ...['127.64.0.0/10', '10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10', 'fc00::/7'],
];
