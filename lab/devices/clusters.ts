// Object storage clusters as a device: three that are linked and one that is ready to be added, each in a network namespace with its own
// databases, disk folder and process.
import { Clusters, endLeftOver, removeLeftOver } from '../clusters/clusters.ts';
import { clustersGiven } from '../clusters/given.ts';
import { leftOfJoining, startJoining } from './joining.ts';

export const startClusters = startJoining({
  programs: ['/usr/sbin/nft', '/usr/bin/nsenter'],
  given: clustersGiven,
  make: (options) => new Clusters(options),
});

export const leftOfClusters = leftOfJoining({ end: endLeftOver, remove: removeLeftOver });
