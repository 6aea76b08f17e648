// The lab's own requests to Keystone and Neutron, independent of everything under test (Identity API v3, Networking API v2).

import type { HttpCall, HttpReply } from '../../platform/net/http.ts';
import { logInAtKeystone } from '../../platform/openstack/keystone.ts';
import type { JsonValue } from '../../platform/values/json.ts';
import type { KeystoneAccount } from './settings.ts';

const TIMEOUT_MS = 20_000;

interface ServiceReply {
  readonly status: number;
  readonly body: Record<string, Record<string, unknown>>;
}

export async function ask(
  url: string,
  method: HttpCall['method'],
  options: { readonly token?: string; readonly body?: JsonValue } = {},
): Promise<ServiceReply> {
  const { token, body } = options;
  const { origin, pathname, search } = new URL(url);
  const headers = token === undefined ? {} : { 'x-auth-token': token };
  const call = { kind: 'http', method, origin, path: pathname + search, headers } as const;
  const reply = await exchange(body === undefined ? call : { ...call, body });
  return { status: reply.status, body: reply.body === '' ? {} : (JSON.parse(reply.body) as ServiceReply['body']) };
}

/** Like `ask`, but throws if the service refuses. */
export async function demand(...args: Parameters<typeof ask>): Promise<ServiceReply> {
  const reply = await ask(...args);
  if (reply.status < 300) return reply;
  throw new Error(`${args[1]} ${args[0]} got status ${reply.status}: ${JSON.stringify(reply.body)}`);
}

/** A token for the account's project. */
export async function tokenFor(keystoneUrl: string, account: KeystoneAccount): Promise<string> {
  const login = await logInAtKeystone(exchange, { ...account, authUrl: `${keystoneUrl}/v3` });
  if (!login.ok) throw new Error(login.message);
  return login.headers['x-auth-token'] ?? '';
}

/** A project and a user who is its member. */
export async function makeAccount(keystoneUrl: string, token: string, account: KeystoneAccount): Promise<void> {
  const post = (path: string, body: JsonValue) => demand(`${keystoneUrl}/v3/${path}`, 'POST', { token, body });
  const made = await post('projects', { project: { name: account.project, domain_id: 'default' } });
  const { username: name, password } = account;
  const user = await post('users', { user: { name, password, domain_id: 'default' } });
  const { body } = await demand(`${keystoneUrl}/v3/roles?name=member`, 'GET', { token });
  const [role] = body.roles as unknown as { id: string }[];
  const path = `projects/${String(made.body.project?.id)}/users/${String(user.body.user?.id)}/roles/${role?.id}`;
  await demand(`${keystoneUrl}/v3/${path}`, 'PUT', { token });
}

/** Identity API v3, Update user. */
export async function setPassword(keystoneUrl: string, token: string, account: KeystoneAccount): Promise<void> {
  const { username, password } = account;
  const { body } = await demand(`${keystoneUrl}/v3/users?name=${username}`, 'GET', { token });
  const [user] = body.users as unknown as { id: string }[];
  await demand(`${keystoneUrl}/v3/users/${user?.id}`, 'PATCH', { token, body: { user: { password } } });
}

async function exchange({ origin = '', path, method, headers, body }: HttpCall): Promise<HttpReply> {
  const reply = await fetch(origin + path, {
    method,
    headers: { ...headers, 'content-type': 'application/json' },
    signal: AbortSignal.timeout(TIMEOUT_MS),
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await reply.text();
  return {
    kind: 'http',
    status: reply.status,
    headers: Object.fromEntries(reply.headers),
    body: text,
    truncated: false,
  };
}
