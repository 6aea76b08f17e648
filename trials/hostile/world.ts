// Two projects: alpha, in which ordinary users work, and beta, from which alpha is attacked. All of alpha's names contain a mark, and
// everything that nobody may read contains another mark.
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buildClientSchema, type GraphQLSchema, getIntrospectionQuery, type IntrospectionQuery } from 'graphql';
import { GraphClient } from '../../measure/graph-client.ts';
import { firewallName } from '../../measure/lab-firewall.ts';
import type { WholeSystem } from '../../measure/whole-system.ts';
import { decodeId, encodeId } from '../../platform/values/ids.ts';
import { Caller } from './caller.ts';
import type { Decoys } from './decoys.ts';

export interface World {
  readonly system: WholeSystem;
  readonly schema: GraphQLSchema;
  readonly decoys: Decoys;
  /** A mark in the names of alpha's users, objects and texts. */
  readonly mark: string;
  /** A mark in everything that nobody may read. */
  readonly secretMark: string;
  readonly alphaId: string;
  readonly betaId: string;
  /** Global ids of alpha's objects: those that attackers know, and those that must stay hidden from them. */
  readonly knownIds: readonly string[];
  readonly hiddenIds: readonly string[];
  readonly betaIds: readonly string[];
  /** The backend of alpha whose secrets an insider wants. */
  readonly prizeId: string;
  /** Names and passwords. */
  readonly logins: Readonly<Record<'owner' | 'viewer' | 'insider' | 'oscar' | 'mallory', Login>>;
  readonly betaToken: string;
  /** Cursors that belong to alpha's users. */
  readonly alphaCursors: readonly string[];
  /** Data of alpha that no attack may change, as one text. */
  untouchable(): Promise<string>;
  close(): Promise<void>;
}

interface Login {
  readonly name: string;
  readonly password: string;
}

interface Made {
  readonly userErrors: readonly { readonly message: string }[];
}

const mutation = (name: string, type: string, selection: string) =>
  `mutation ($input: ${type}!) { made: ${name}(input: $input) { ${selection} userErrors { message } } }`;

export async function makeWorld(system: WholeSystem, folder: string, decoys: Decoys): Promise<World> {
  const [mark, secretMark] = [`zq${randomBytes(6).toString('hex')}`, `zx${randomBytes(6).toString('hex')}`];
  const client = new GraphClient(system.url, 4);
  const make = async <Entity>(token: string, name: string, selection: string, input: object): Promise<Entity> => {
    const type = `${name.charAt(0).toUpperCase()}${name.slice(1)}Input`;
    const { made } = await client.ask<{ made: Entity & Made }>(mutation(name, type, selection), { input }, token);
    if (made.userErrors[0] !== undefined) throw new Error(`${name}: ${made.userErrors[0].message}`);
    return made;
  };
  const logIn = async (login: Login): Promise<string> => {
    const { made } = await client.ask<{ made: { accessToken: string } }>(
      mutation('login', 'LoginInput', 'accessToken'),
      { input: login },
    );
    return made.accessToken;
  };

  const admin = await logIn({
    name: 'admin',
    password: (await readFile(join(folder, 'admin.password'), 'utf8')).trim(),
  });
  const introspection = await client.ask<IntrospectionQuery>(getIntrospectionQuery(), {}, admin);
  const alphaId = encodeId('Project', system.projectId);
  const { project: beta } = await make<{ project: { id: string } }>(admin, 'projectCreate', 'project { id }', {
    name: 'beta',
  });
  await make(admin, 'projectUpdate', 'project { id }', { id: alphaId, description: `${mark} description` });
  const person = async (name: string, projectId: string, role: string): Promise<Login> => {
    const password = `${secretMark} password of ${name}`;
    const { user } = await make<{ user: { id: string } }>(admin, 'userCreate', 'user { id }', { name, password });
    await make(admin, 'membershipSet', 'membership { role }', { projectId, userId: user.id, role });
    return { name, password };
  };
  const logins = {
    // A user whose name is known to attackers, who guess the password.
    owner: await person('alpha-owner', alphaId, 'OPERATOR'),
    viewer: await person(`${mark}-viewer`, alphaId, 'VIEWER'),
    insider: await person('insider', alphaId, 'OPERATOR'),
    oscar: await person('oscar', beta.id, 'OPERATOR'),
    mallory: await person('mallory', beta.id, 'VIEWER'),
  };
  const owner = await logIn(logins.owner);
  const prize = await make<{ backend: { id: string } }>(owner, 'backendCreate', 'backend { id }', {
    ...{ name: `${mark}-prize`, driver: 'fortios', host: decoys.allowed.host, port: decoys.allowed.closedPort },
    credentials: { username: 'cmp', apiToken: `${secretMark}token` },
    labels: [{ name: 'rack', value: `${mark}-rack` }],
  });
  for (const number of [1, 2, 3])
    await make(owner, 'firewallRuleCreate', 'operation { id state }', {
      ...{ idempotencyKey: `${mark}-${number}`, backend: { name: firewallName }, action: 'DROP' },
      ...{ name: `${mark}-rule-${number}`, source: { address: `10.66.0.${number}` } },
      cmpObject: { namespace: 'hostile', type: 'rule', externalId: `${mark}-${number}` },
    });
  const made = { alphaId, betaId: beta.id };
  await make(owner, 'apiTokenCreate', 'apiToken { id }', { projectId: alphaId, name: `${mark}-token`, role: 'VIEWER' });
  const oscar = await logIn(logins.oscar);
  const { secret: betaToken } = await make<{ secret: string }>(oscar, 'apiTokenCreate', 'secret', {
    ...{ projectId: beta.id, name: 'beta-token', role: 'OPERATOR' },
  });
  const seen = await readEverything(client, owner, alphaId);
  const cursors = [...seen.matchAll(/"(?:endCursor|cursor|after)":"([^"]+)"/g)].flatMap(([, cursor]) => cursor ?? []);
  const ids = idsIn(seen);
  const reader = system.token;
  return {
    ...made,
    ...{ system, decoys, mark, secretMark, logins, betaToken, prizeId: prize.backend.id },
    schema: buildClientSchema(introspection),
    knownIds: ids.filter((_, at) => at % 2 === 0),
    hiddenIds: ids.filter((_, at) => at % 2 === 1),
    betaIds: idsIn(await readEverything(client, oscar, beta.id)),
    alphaCursors: cursors,
    untouchable: async () => {
      const [backends, people] = [
        await client.ask<{ backends: { nodes: { id: string }[] } }>(untouchable.backends, { id: alphaId }, reader),
        await client.ask<object>(untouchable.people, { id: alphaId }, admin),
      ];
      // The insider may change parts of the prize, for example accept its first certificate.
      const others = backends.backends.nodes.filter(({ id }) => id !== prize.backend.id);
      return JSON.stringify([others, people]);
    },
    close: () => client.close(),
  };
}

// Leaves out the version of a backend, which its health checks change too.
const untouchable = {
  backends:
    'query ($id: ID) { backends(projectId: $id) { nodes { id name host port hostKeySha256 labels { name value } } } }',
  people:
    'query ($id: ID!) { project(id: $id) { id version name description members { nodes { role user { id name admin } } } } }',
};

async function readEverything(client: GraphClient, token: string, id: string): Promise<string> {
  const page = 'pageInfo { endCursor }';
  const query = `query ($id: ID!) {
    project(id: $id) { id members { nodes { user { id } } } }
    backends(projectId: $id) { nodes { id } ${page} }
    mappings(projectId: $id) { nodes { id cmpObject { id } } ${page} }
    relayOperations(projectId: $id) { nodes { id } ${page} }
    apiTokens(projectId: $id) { nodes { id } ${page} }
    statusHistory(projectId: $id) { nodes { id } ${page} }
    auditEntries(projectId: $id) { nodes { id } ${page} }
    relayMappingChanges(projectId: $id) { after }
    statusCursor }`;
  const data = await client.ask<{ statusCursor: string }>(query, { id }, token);
  return JSON.stringify({ ...data, statusCursor: undefined, cursor: data.statusCursor });
}

function idsIn(text: string): readonly string[] {
  return [...new Set([...text.matchAll(/"id":"([^"]+)"/g)].flatMap(([, id]) => id ?? []))].filter(
    (id) => decodeId(id) !== undefined,
  );
}

/** A caller that has logged in. Throws if the login is refused. */
export async function loggedIn(world: World, login: Login, at: Pick<Caller, 'address' | 'seesAlpha'>): Promise<Caller> {
  const caller = new Caller({ ...at, name: login.name, url: world.system.url });
  await logInAgain(caller, login);
  return caller;
}

export async function logInAgain(caller: Caller, login: Login): Promise<void> {
  const query = mutation('login', 'LoginInput', 'accessToken');
  const { answers } = await caller.ask(query, { input: login }, { withoutToken: true });
  const made = answers[0]?.data?.made as ({ readonly accessToken: string | null } & Made) | null | undefined;
  if (made?.accessToken == null)
    throw new Error(`${caller.name} can't log in: ${made?.userErrors[0]?.message ?? answers[0]?.errors?.[0]?.message}`);
  caller.token = made.accessToken;
}
