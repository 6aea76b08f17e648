// Options shared by the verbs about machines.
import { readFile } from 'node:fs/promises';
import type { MachineRole } from '../../../generated/cli/graphql.ts';
import { isLoopback } from '../../../platform/net/address-block.ts';
import { withGraphPath } from '../../endpoint.ts';
import { CommandFailure, UsageError } from '../../failures.ts';
import { giving, neededText, text } from '../../option.ts';

export const role = giving(
  ['machineRole'],
  neededText(
    'ROLE',
    'Its role: gateway, the name of a subgraph, a role of a subgraph, or subgraph for one of another team.',
  ),
);

/** The graph's word for a role, for example OBJECT_STORAGE. The server refuses unknown ones. */
export function roleOf(word: string): MachineRole {
  return word.toUpperCase().replaceAll('-', '_') as MachineRole;
}

/** The word of the settings, for example object-storage. */
export function roleWord(machineRole: MachineRole): string {
  return machineRole.toLowerCase().replaceAll('_', '-');
}

/** Destination of the credentials. */
export const credentialOptions = {
  folder: neededText('DIR', 'Folder for the credentials, which is named in the setting internal.machineFolder.'),
  'endpoint-ca': text('FILE', "Certificate authority (PEM) of the endpoint; default: the system's."),
} as const;

/** Credentials are sent to this URL. Without encryption it must be on this host. Throws UsageError. */
export function endpointOf(address: string, option = '--url'): URL {
  const url = URL.parse(address);
  if (url === null || !/^https?:$/.test(url.protocol))
    throw new UsageError(`${option}: '${address}' is not an http or https URL`);
  if (url.protocol === 'http:' && !isLoopback(url.hostname))
    throw new UsageError(`${option}: '${address}' would send credentials unencrypted: use https`);
  return withGraphPath(url);
}

/** PEM. Undefined if the option was not given. */
export async function endpointCa(path: string | undefined): Promise<string | undefined> {
  if (path === undefined) return undefined;
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new CommandFailure(`${path} can't be read: ${(error as NodeJS.ErrnoException).code ?? String(error)}`);
  }
}
