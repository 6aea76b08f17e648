// `tidegate login URL`: a context, with a session of a user or with an API token.
import { graphql } from '../../generated/cli/index.ts';
import { askOnTerminal } from '../ask-terminal.ts';
import { ContextStore, type StoredCredential } from '../contexts.ts';
import { givenToken, loginDocument } from '../credential.ts';
import { endpointUrl, readSecretFile, refusePlain } from '../endpoint.ts';
import { CommandFailure, UsageError } from '../failures.ts';
import { GraphClient } from '../graph-client.ts';
import type { Values } from '../option.ts';
import { printerOf } from '../printer.ts';
import { sessionOf } from '../stored-credential.ts';
import type { Call } from '../verb.ts';
import type { loginOptions } from './options.ts';

const meDocument = graphql(`
  query LoginMe { me { name admin projects { role project { name } } } }
`);

type Given = Values<typeof loginOptions>;

export async function logInAt(
  address: string,
  given: Given,
  call: Pick<Call, 'stdout' | 'signal' | 'env' | 'output'>,
): Promise<void> {
  const url = endpointUrl(address, 'URL');
  const name = given.as ?? url.host.replaceAll(/[^A-Za-z0-9._-]/g, '-').replace(/^-+/, '');
  const store = new ContextStore(call.env);
  store.refuseBadName(name);
  refusePlain(url, given.insecure);
  const credential = await credentialAt(url, given, call.signal);
  const client = new GraphClient({
    ...{ url, signal: call.signal },
    credential: givenToken('token' in credential ? credential.token : credential.accessToken),
  });
  try {
    const { me } = await client.query(meDocument, {});
    const file = await store.write({
      ...{ name, url: url.href, user: me.name, credential },
      ...(given.insecure ? { insecure: true } : {}),
    });
    if (!given['keep-chosen']) await store.choose(name);
    const printer = printerOf(call);
    const chosen = (await store.chosenName()) === name;
    if (given.json) return printer.json({ name, url: url.href, user: me.name, chosen, file });
    const projects = me.projects.map(({ role, project }) => `${project.name} (${role})`).join(', ');
    const rights = me.admin ? 'as an administrator' : `for ${projects === '' ? 'no project' : projects}`;
    return printer.line(
      `${me.name} is logged in at ${url.origin}, ${rights}; context ${name}${chosen ? ', which is chosen' : ''}`,
    );
  } finally {
    await client.close();
  }
}

async function credentialAt(url: URL, given: Given, signal: AbortSignal): Promise<StoredCredential> {
  const { user, 'token-file': tokenFile, 'password-file': passwordFile } = given;
  if (tokenFile !== undefined) {
    if (user !== undefined) throw new UsageError('give only one of --user and --token-file');
    const token = await readSecretFile(tokenFile);
    if (token === '') throw new CommandFailure(`${tokenFile} is empty`);
    return { token };
  }
  if (user === undefined && passwordFile !== undefined) throw new UsageError('--password-file needs --user');
  const asked = await askOnTerminal(
    [
      ...(user === undefined ? [{ text: `Name at ${url.origin}: `, isSecret: false }] : []),
      ...(passwordFile === undefined ? [{ text: 'Password: ', isSecret: true }] : []),
    ],
    'give --user and --password-file, or --token-file',
    signal,
  );
  const name = user ?? asked.shift() ?? '';
  const password = passwordFile === undefined ? (asked.shift() ?? '') : await readSecretFile(passwordFile);
  const anonymous = new GraphClient({ url, credential: undefined, signal });
  try {
    return sessionOf(await anonymous.mutate(loginDocument, { name, password }));
  } finally {
    await anonymous.close();
  }
}
