// Registers the lab's firewall through the gateway, with the limits of a trial or benchmark.
import { readFile } from 'node:fs/promises';
import type { RunningLab } from '../lab/lab.ts';

export interface FirewallLimits {
  readonly deadlineMs?: number;
  readonly concurrency?: number;
  readonly queueLimit?: number;
}

interface FirewallOptions {
  readonly url: string;
  readonly token: string;
  readonly lab: RunningLab;
  readonly limits: FirewallLimits;
}

export const firewallName = 'lab-firewall';

const requestDeadlineMs = 15_000;
const document =
  'mutation ($input: BackendCreateInput!) { made: backendCreate(input: $input) { userErrors { code message } } }';

export async function registerFirewall({ url, token, lab, limits }: FirewallOptions): Promise<void> {
  const { host, port, username, privateKeyPath, hostKeySha256 } = lab.firewall;
  const credentials = { username, privateKey: await readFile(privateKeyPath, 'utf8') };
  const input = {
    ...{ name: firewallName, driver: 'linux-nftables', site: 'lab', allowInit: true },
    ...{ host, port, hostKeySha256, credentials, limits },
  };
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify({ query: document, variables: { input } }),
    signal: AbortSignal.timeout(requestDeadlineMs),
  });
  const { data, errors } = (await response.json()) as {
    data?: { made: { userErrors: { code: string; message: string }[] } } | null;
    errors?: { message: string }[];
  };
  const fault = errors?.[0]?.message ?? data?.made.userErrors[0]?.message;
  if (fault !== undefined || data == null) throw new Error(`the lab's firewall could not be registered: ${fault}`);
}
