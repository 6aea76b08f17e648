// Data that the device `clusters` gets from the control plane.
import { z } from 'zod';
import { GivenFile, givenCredential, givenPort } from '../given-file.ts';
import { clusterNames, clusterRoles } from './plan.ts';

const shape = z.object({
  /** Loopback ports: the GraphQL endpoint, and the listener for controllers. */
  ports: z.object({ endpoint: givenPort, link: givenPort }),
  machines: z.record(z.enum(clusterNames), z.record(z.enum(clusterRoles), givenCredential)),
});

export type Given = z.output<typeof shape>;

export const clustersGiven = new GivenFile('clusters', shape);
