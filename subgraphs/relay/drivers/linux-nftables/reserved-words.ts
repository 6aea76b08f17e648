// Words of nft's own language that its text form does not accept as names of sets and chains. Its JSON form does, but a ruleset
// saved as text could then not be loaded again, so new objects can't have such names. Found by trying every word of nft(8),
// libnftables-json(5) and the library with nft 1.0.6.

import type { ArgumentFault } from '../driver.ts';

const reservedWords = new Set(
  `
accept add ah all and arp auto-merge bridge cgroup chain comment comp constant continue counter cpu create ct
day dccp define delete describe device devices dnat drop dst dup dynamic ecn element elements esp ether exists
expires exthdr fib flags flow flowtable flush frag fwd gc-interval get goto handle hbh hook hour ibriport
ibrname icmp icmpv6 igmp iif iifgroup iifname iiftype include index inet insert interval ip ip6 ipsec jhash jump
limit list ll log lt map mark masquerade meta meter mh missing monitor netdev nftrace nh not notrack numgen
obriport obrname offload oif oifgroup oifname oiftype or osf pkttype policy position priority queue quota random
redefine redirect reject rename replace reset return rt rt0 rt2 rtclassid rule ruleset sctp secmark set size
skgid skuid snat socket srh symhash synproxy table tcp th time timeout tproxy type typeof udp udplite undefine
update vlan vmap xt
  `
    .trim()
    .split(/\s+/),
);

export function reservedWordFaults(field: string, name: string): readonly ArgumentFault[] {
  if (!reservedWords.has(name)) return [];
  return [{ path: [field], message: `is a reserved word of nftables; choose another name, for example ${name}-1` }];
}
