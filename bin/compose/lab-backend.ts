// Registers the lab's firewall as the backend `lab-firewall`, through the graph like any other, and updates it if the lab's
// address or keys have changed since the last start.
import type { DescribedLab } from '../../lab/described-lab.ts';
import type { RunningProcess } from './process.ts';

export interface LabBackendOptions {
  readonly running: RunningProcess;
  readonly lab: DescribedLab;
  /** An operator's API token. */
  readonly token: string;
  readonly signal: AbortSignal;
}

interface KnownBackend {
  readonly id: string;
  readonly host: string;
  readonly port: number;
  readonly hostKeySha256: string | null;
}

const name = 'lab-firewall';
const deadlineMs = 15_000;

export async function registerLabFirewall(options: LabBackendOptions): Promise<void> {
  const { host, port, username, privateKey, hostKeySha256 } = options.lab.firewall;
  const credentials = { username, privateKey };
  // A name is unique in the token's project.
  const { backends } = await ask<{ backends: { nodes: KnownBackend[] } }>(
    options,
    'query ($name: String!) { backends(name: $name) { nodes { id host port hostKeySha256 } } }',
    { name },
  );
  const [known] = backends.nodes;
  if (known === undefined) {
    const input = {
      name,
      driver: 'linux-nftables',
      site: 'lab',
      labels: [{ name: 'lab', value: 'true' }],
      host,
      port,
      hostKeySha256,
      allowInit: true,
      credentials,
    };
    await change(options, 'backendCreate', 'BackendCreateInput', input);
    return;
  }
  if (known.host !== host || known.port !== port || known.hostKeySha256 !== hostKeySha256) {
    const input = { id: known.id, host, port, hostKeySha256, credentials };
    await change(options, 'backendUpdate', 'BackendUpdateInput', input);
  }
}

async function change(options: LabBackendOptions, mutation: string, inputType: string, input: object): Promise<void> {
  const data = await ask<Record<string, { userErrors: { code: string; message: string }[] }>>(
    options,
    `mutation ($input: ${inputType}!) { ${mutation}(input: $input) { userErrors { code message } } }`,
    { input },
  );
  const refusal = data[mutation]?.userErrors[0];
  if (refusal !== undefined)
    throw new Error(`the lab's firewall could not be registered: ${refusal.code}: ${refusal.message}`);
}

async function ask<Data>(options: LabBackendOptions, query: string, variables: object): Promise<Data> {
  const response = await fetch(`${options.running.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${options.token}` },
    body: JSON.stringify({ query, variables }),
    signal: AbortSignal.any([options.signal, AbortSignal.timeout(deadlineMs)]),
  });
  const answer = (await response.json()) as { data?: Data; errors?: { message: string }[] };
  if (answer.data === undefined || answer.errors !== undefined)
    throw new Error(`the lab's firewall could not be registered: ${JSON.stringify(answer.errors)}`);
  return answer.data;
}
