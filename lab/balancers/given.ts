// Data that the device `balancers` gets from the control plane.
import { z } from 'zod';
import { GivenFile, givenCredential, givenPort } from '../given-file.ts';

const shape = z.object({
  /** On the loopback: the GraphQL endpoint, the listener for hosts, and the DNS server. */
  ports: z.object({ endpoint: givenPort, link: givenPort, dns: givenPort }),
  /** As in plan.ts. */
  hosts: z.tuple([givenCredential, givenCredential]),
});

export type Given = z.output<typeof shape>;

export const balancersGiven = new GivenFile('balancers', shape);
