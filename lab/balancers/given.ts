// Data that the device `balancers` gets from the control plane.
import { z } from 'zod';
import { GivenFile, givenCredential, givenPort } from '../given-file.ts';

const shape = z.object({
  /** Loopback ports: the GraphQL endpoint, the listener for hosts, and the DNS server. */
  ports: z.object({ endpoint: givenPort, link: givenPort, dns: givenPort }),
  /** In the order of plan.ts. */
  hosts: z.tuple([givenCredential, givenCredential]),
});

export type Given = z.output<typeof shape>;

export const balancersGiven = new GivenFile('balancers', shape);
