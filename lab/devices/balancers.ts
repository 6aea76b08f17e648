// Load balancer hosts as a device: two with the role lbhost, three web servers, and a client whose resolver is the lab's DNS server. As root
// each is a network namespace; without root all but the client are processes on the loopback network.
import { Balancers, endLeftOver, removeOutside } from '../balancers/balancers.ts';
import { balancersGiven } from '../balancers/given.ts';
import { leftOfJoining, startJoining } from './joining.ts';

export const startBalancers = startJoining({
  programs: ['/usr/sbin/haproxy', '/usr/sbin/nginx'],
  rootPrograms: ['/usr/sbin/keepalived', '/usr/sbin/nft', '/usr/bin/nsenter', '/usr/bin/unshare'],
  given: balancersGiven,
  make: (options) => new Balancers(options),
});

export const leftOfBalancers = leftOfJoining({ end: endLeftOver, remove: removeOutside });
