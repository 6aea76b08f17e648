// Kinds and fields in words for people.
import { type Kind, kebab } from './kind.ts';

/** Words that people write in their own way. */
const spellings: Readonly<Record<string, string>> = {
  ...{ api: 'API', alpn: 'ALPN', ca: 'CA', cidr: 'CIDR', cidrs: 'CIDRs', cmp: 'CMP', cname: 'CNAME', dhcp: 'DHCP' },
  ...{ dns: 'DNS', fqdn: 'domain name', grpc: 'gRPC', gslb: 'GSLB', gslbs: 'GSLBs', hsts: 'HSTS', http: 'HTTP' },
  ...{
    https: 'HTTPS',
    id: 'ID',
    ids: 'IDs',
    ip: 'IP',
    ipv4: 'IPv4',
    ipv6: 'IPv6',
    km: '(km)',
    l7: 'L7',
    lbaas: 'LBaaS',
  },
  ...{ l7policies: 'L7 policies', l7policy: 'L7 policy', l7rule: 'L7 rule', l7rules: 'L7 rules', ms: '(ms)' },
  ...{ loadbalancer: 'load balancer', loadbalancers: 'load balancers', neutron: 'Neutron', powerdns: 'PowerDNS' },
  ...{
    rfc2136: 'RFC 2136',
    s3: 'S3',
    seconds: '(s)',
    sha256: 'SHA-256',
    ssh: 'SSH',
    tcp: 'TCP',
    tls: 'TLS',
    ttl: 'TTL',
  },
  ...{ udp: 'UDP', url: 'URL', urls: 'URLs', vlan: 'VLAN', vlans: 'VLANs', vrf: 'VRF' },
};

/** Names that read better as other words. */
const phrases: Readonly<Record<string, string>> = {
  allowedCidrs: 'allowed networks (CIDR)',
  localAs: 'local AS number',
  remoteAs: 'remote AS number',
};

/** `GSLB pool`. */
export function wordsOf({ singular }: Kind): string {
  return spelled(singular);
}

/** `GSLB pools`. */
export function pluralOf({ noun }: Kind): string {
  return spelled(noun);
}

/** `minTtlSeconds`: min TTL (s). */
export function phraseOf(name: string): string {
  return phrases[name] ?? spelled(kebab(name));
}

/** `minTtlSeconds`: Min TTL (s). */
export function titleOf(name: string): string {
  const words = phraseOf(name);
  return words.startsWith('gRPC') ? words : `${words.charAt(0).toUpperCase()}${words.slice(1)}`;
}

function spelled(name: string): string {
  return name
    .split(/[- ]/)
    .map((word) => spellings[word] ?? word)
    .join(' ');
}
