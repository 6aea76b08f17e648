// Data that the device `sites` gets from the control plane.
import { z } from 'zod';
import { GivenFile, givenCredential, givenPort } from '../given-file.ts';
import { nameServerNames, siteNames } from './plan.ts';

const shape = z.object({
  /** Loopback ports: the GraphQL endpoint, and the listeners for checkers and name servers. */
  ports: z.object({ endpoint: givenPort, checkers: givenPort, nameServers: givenPort }),
  checkers: z.record(z.enum(siteNames), givenCredential),
  nameServers: z.record(z.enum(nameServerNames), givenCredential),
});

export type Given = z.output<typeof shape>;

export const sitesGiven = new GivenFile('sites', shape);
