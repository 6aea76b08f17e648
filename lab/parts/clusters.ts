// Clusters of object storage as a part: three that are linked and one that stands ready, each in a network namespace with databases, a disk folder
// and a process of its own.
import { Clusters, endLeftOver, removeLeftOver } from '../clusters/clusters.ts';
import { clustersGiven } from '../clusters/given.ts';
import { leftOfJoining, startJoining } from './joining.ts';

export const startClusters = startJoining({
  programs: ['/usr/sbin/nft', '/usr/bin/nsenter'],
  given: clustersGiven,
  make: (options) => new Clusters(options),
});

export const leftOfClusters = leftOfJoining({ end: endLeftOver, remove: removeLeftOver });
