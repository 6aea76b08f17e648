// Sites as a device: three with a web server and a checker each, two name servers and a PowerDNS. As root each site and each name server is a network
// namespace. Without root all of them are processes on the loopback network.
import { sitesGiven } from '../sites/given.ts';
import { endLeftOver, Sites } from '../sites/sites.ts';
import { leftOfJoining, startJoining } from './joining.ts';

export const startSites = startJoining({
  programs: ['/usr/sbin/nginx', '/usr/sbin/pdns_server'],
  rootPrograms: ['/usr/sbin/nft', '/usr/bin/nsenter', '/usr/bin/unshare'],
  given: sitesGiven,
  make: (options) => new Sites(options),
});

export const leftOfSites = leftOfJoining({ end: endLeftOver });
