// `tidegate backends`: what calls are relayed to.
import { randomUUID } from 'node:crypto';
import { type Action, type ActionContext, runAction } from '../actions.ts';
import { clientOptions, readSecretFile } from '../client/client-options.ts';
import { backendId, projectId } from '../client/find.ts';
import { readPages } from '../client/pages.ts';
import { type Command, CommandFailure, UsageError } from '../command.ts';
import { importBackends, importOptions } from './import.ts';

interface Backend {
  readonly id: string;
  readonly name: string;
  readonly family: string;
  readonly ordinal: number;
  readonly driver: string;
  readonly site: string | null;
  readonly host: string;
  readonly port: number;
  readonly provisioningStatus: string;
  readonly operatingStatus: string;
  readonly hostKeySha256: string | null;
  readonly labels: readonly { readonly name: string; readonly value: string }[];
  readonly circuit: { readonly state: string; readonly reason: string | null };
  readonly queue: { readonly waiting: number; readonly inFlight: number; readonly holder: string | null };
  readonly health: {
    readonly checkedAt: string | null;
    readonly latencyMs: number | null;
    readonly softwareVersion: string | null;
    readonly message: string | null;
  };
}

const fields = `id name family ordinal driver site host port provisioningStatus operatingStatus hostKeySha256
  labels { name value } circuit { state reason } queue { waiting inFlight holder }
  health { checkedAt latencyMs softwareVersion message }`;
const errors = 'userErrors { code message field }';

const listDocument = `query ($projectId: ID, $first: Int, $after: String) {
  backends(projectId: $projectId, first: $first, after: $after) {
    nodes { ${fields} } pageInfo { hasNextPage endCursor }
  }
}`;

const list: Action = {
  takes: [],
  async run({ client, args, printer, json }) {
    const project = args.text('project');
    const variables = project === undefined ? {} : { projectId: await projectId(client, project) };
    const found: Backend[] = [];
    for await (const backend of readPages<Backend>(client, listDocument, variables)) found.push(backend);
    if (json) return printer.json(found);
    const head = ['NAME', 'DRIVER', 'ADDRESS', 'SITE', 'PROVISIONING', 'OPERATING', 'CIRCUIT', 'WAITING', 'IN FLIGHT'];
    const rows = found.map((each) => [
      each.name,
      each.driver,
      `${each.host}:${each.port}`,
      each.site ?? '-',
      each.provisioningStatus,
      each.operatingStatus,
      each.circuit.state,
      String(each.queue.waiting),
      String(each.queue.inFlight),
    ]);
    return printer.table(head, rows);
  },
};

const show: Action = {
  takes: ['NAME'],
  async run(context) {
    const id = await backendId(context.client, context.names[0] ?? '');
    const { backend } = await context.client.query<{ backend: Backend | null }>(
      `query ($id: ID!) { backend(id: $id) { ${fields} } }`,
      { id },
    );
    if (backend === null) throw new CommandFailure(`there is no backend '${context.names[0]}'`);
    await printBackend(context, backend);
  },
};

const create: Action = {
  takes: ['NAME'],
  async run(context) {
    const { client, args, names } = context;
    const project = args.text('project');
    const keyFile = args.text('private-key-file');
    const passwordFile = args.text('backend-password-file');
    if ((keyFile === undefined) === (passwordFile === undefined)) {
      throw new UsageError('one of --private-key-file and --backend-password-file is needed');
    }
    const credentials = {
      username: args.requiredText('username'),
      ...(keyFile === undefined ? {} : { privateKey: `${await readSecretFile(keyFile)}\n` }),
      ...(passwordFile === undefined ? {} : { password: await readSecretFile(passwordFile) }),
    };
    const input = {
      idempotencyKey: randomUUID(),
      name: names[0],
      driver: args.requiredText('driver'),
      host: args.requiredText('host'),
      labels: args.texts('label').map(parseLabel),
      allowInit: args.flag('allow-init'),
      credentials,
      ...optional('site', args.text('site')),
      ...optional('port', args.integer('port', { min: 1, max: 65_535 })),
      ...optional('hostKeySha256', args.text('host-key')),
      ...optional('projectId', project === undefined ? undefined : await projectId(client, project)),
    };
    const payload = await client.mutate<{ backend: Backend }>(
      `mutation ($input: BackendCreateInput!) { backendCreate(input: $input) { backend { ${fields} } ${errors} } }`,
      input,
    );
    await printBackend(context, payload.backend);
  },
};

const remove: Action = {
  takes: ['NAME'],
  async run({ client, args, names, printer, json }) {
    const id = await backendId(client, names[0] ?? '');
    await client.mutate(`mutation ($input: BackendDeleteInput!) { backendDelete(input: $input) { ${errors} } }`, {
      id,
      orphanMappings: args.flag('orphan-mappings'),
      idempotencyKey: randomUUID(),
    });
    if (json) await printer.json({ id, deleted: true });
    else await printer.line(`${names[0]} is deleted`);
  },
};

const hostKey: Action = {
  takes: ['NAME', 'SHA256:…'],
  async run(context) {
    const { client, names } = context;
    const id = await backendId(client, names[0] ?? '');
    const payload = await client.mutate<{ backend: Backend }>(
      `mutation ($input: BackendHostKeyAcceptInput!) {
        backendHostKeyAccept(input: $input) { backend { ${fields} } ${errors} }
      }`,
      { id, hostKeySha256: names[1], idempotencyKey: randomUUID() },
    );
    await printBackend(context, payload.backend);
  },
};

export const backends: Command = {
  name: 'backends',
  usage: `backends list [--project PROJECT]
    backends show NAME
    backends create NAME --driver DRIVER --host HOST --username USER --private-key-file FILE --host-key SHA256:…
    backends import FILE [--project PROJECT] [--dry-run] [--renew-credentials]
    backends host-key NAME SHA256:…
    backends delete NAME [--orphan-mappings]`,
  options: {
    project: { value: 'PROJECT', help: 'A project, by name or id.' },
    driver: { value: 'DRIVER', help: 'create: for example linux-nftables.' },
    host: { value: 'HOST', help: 'create: name or address.' },
    port: { value: 'PORT', help: "create: if not the driver's usual one." },
    site: { value: 'SITE', help: 'create: where it stands.' },
    label: { value: 'NAME=VALUE', help: 'create: to choose it by; may be repeated.', multiple: true },
    username: { value: 'USER', help: 'create: account on the backend.' },
    'private-key-file': { value: 'FILE', help: 'create: OpenSSH private key.' },
    'backend-password-file': { value: 'FILE', help: 'create: file with the password of the account.' },
    'host-key': { value: 'SHA256:…', help: 'create: the host key to accept, as ssh-keygen -lf prints it.' },
    'allow-init': { help: 'create: allow INIT operations.' },
    ...importOptions,
    'orphan-mappings': { help: 'delete: although CMP objects live on it; their mappings become orphans.' },
    ...clientOptions,
  },
  run: (context) =>
    runAction(backends, { list, show, create, import: importBackends, 'host-key': hostKey, delete: remove }, context),
};

async function printBackend({ printer, json }: ActionContext, backend: Backend): Promise<void> {
  if (json) return printer.json(backend);
  return printer.pairs([
    ['Name', backend.name],
    ['Id', backend.id],
    ['Family', `${backend.family} ${backend.ordinal}`],
    ['Driver', backend.driver],
    ['Address', `${backend.host}:${backend.port}`],
    ['Site', backend.site],
    ['Labels', backend.labels.map((label) => `${label.name}=${label.value}`).join(', ')],
    ['Host key', backend.hostKeySha256 ?? 'none accepted: no call can be made'],
    ['Provisioning', backend.provisioningStatus],
    ['Operating', backend.operatingStatus],
    ['Software', backend.health.softwareVersion],
    ['Checked', backend.health.checkedAt],
    ['Latency (ms)', backend.health.latencyMs],
    ['Health', backend.health.message],
    ['Circuit', backend.circuit.state],
    ['Circuit reason', backend.circuit.reason],
    ['Queue', `${backend.queue.waiting} waiting, ${backend.queue.inFlight} in flight`],
    ['Held by', backend.queue.holder],
  ]);
}

function parseLabel(text: string): { name: string; value: string } {
  const equals = text.indexOf('=');
  if (equals < 1) throw new UsageError(`--label takes NAME=VALUE, not '${text}'`);
  return { name: text.slice(0, equals), value: text.slice(equals + 1) };
}

function optional<Value>(name: string, value: Value | undefined): Record<string, Value> {
  return value === undefined ? {} : { [name]: value };
}
