// The lab's own requests to Keystone and Neutron, independent of everything under test (Identity API v3, Networking API v2).

import type { KeystoneAccount } from './settings.ts';

const TIMEOUT_MS = 20_000;

export interface ServiceReply {
  readonly status: number;
  readonly token: string | undefined;
  readonly body: Record<string, Record<string, unknown>>;
}

export async function ask(
  url: string,
  method: string,
  options: { readonly token?: string; readonly body?: unknown } = {},
): Promise<ServiceReply> {
  const { token, body } = options;
  const reply = await fetch(url, {
    method,
    headers: { 'content-type': 'application/json', ...(token === undefined ? {} : { 'x-auth-token': token }) },
    signal: AbortSignal.timeout(TIMEOUT_MS),
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await reply.text();
  return {
    status: reply.status,
    token: reply.headers.get('x-subject-token') ?? undefined,
    body: text === '' ? {} : (JSON.parse(text) as ServiceReply['body']),
  };
}

/** Like `ask`; throws if the service refuses. */
export async function demand(...args: Parameters<typeof ask>): Promise<ServiceReply> {
  const reply = await ask(...args);
  if (reply.status < 300) return reply;
  throw new Error(`${args[1]} ${args[0]} got status ${reply.status}: ${JSON.stringify(reply.body)}`);
}

/** A token for the account's project. */
export async function tokenFor(keystoneUrl: string, { username, password, project }: KeystoneAccount): Promise<string> {
  const domain = { id: 'default' };
  const identity = { methods: ['password'], password: { user: { name: username, domain, password } } };
  const body = { auth: { identity, scope: { project: { name: project, domain } } } };
  const { token } = await demand(`${keystoneUrl}/v3/auth/tokens`, 'POST', { body });
  if (token === undefined) throw new Error('Keystone issued no token.');
  return token;
}

/** A project and a user who is its member. */
export async function makeAccount(keystoneUrl: string, token: string, account: KeystoneAccount): Promise<void> {
  const post = (path: string, body: unknown) => demand(`${keystoneUrl}/v3/${path}`, 'POST', { token, body });
  const made = await post('projects', { project: { name: account.project, domain_id: 'default' } });
  const { username: name, password } = account;
  const user = await post('users', { user: { name, password, domain_id: 'default' } });
  const { body } = await demand(`${keystoneUrl}/v3/roles?name=member`, 'GET', { token });
  const [role] = body.roles as unknown as { id: string }[];
  const path = `projects/${String(made.body.project?.id)}/users/${String(user.body.user?.id)}/roles/${role?.id}`;
  await demand(`${keystoneUrl}/v3/${path}`, 'PUT', { token });
}
