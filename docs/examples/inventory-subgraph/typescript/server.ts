// The inventory in TypeScript: node server.ts PUBLIC_KEYS_FILE PORT STORE_FILE [MACHINE_FILE]. With the file of a machine, it sends status
// events of its racks.
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import { buildSubgraphSchema } from '@apollo/subgraph';
import { GraphQLError, graphql, parse } from 'graphql';
import { sendEvents } from './events.ts';
import { allows, type Claims, IdentityError, IdentityVerifier } from './identity.ts';
import { type Rack, Store } from './store.ts';

const [keysFile = 'public.keys', port = '4200', storeFile = 'inventory.json', machineFile] = process.argv.slice(2);
const identities = new IdentityVerifier(keysFile, 'inventory');
const store = new Store(storeFile);

const rackOf = (id: string) => store.racks.find((rack) => rack.id === id);

/** What the caller may not see does not exist for the caller. */
const visible = (rack: Rack | undefined, { identity }: Claims) =>
  rack !== undefined && allows(identity, rack.projectId, 'VIEWER') ? rack : null;

const resolvers = {
  Query: { rack: (_: unknown, { id }: { id: string }, claims: Claims) => visible(rackOf(id), claims) },
  Mutation: {
    rackInstall(_: unknown, { input }: { input: Omit<Rack, 'id' | 'installedAt'> }, { identity }: Claims): Rack {
      if (!allows(identity, input.projectId, 'MEMBER'))
        throw new GraphQLError('Only members of the project may put up a rack.', { extensions: { code: 'FORBIDDEN' } });
      if (input.units < 1 || input.units > 60)
        throw new GraphQLError(`A rack has 1 to 60 units, not ${input.units}.`, {
          extensions: { code: 'INVALID_INPUT' },
        });
      const id = Buffer.from(`Rack:${randomUUID()}`).toString('base64url');
      const rack = { ...input, id, installedAt: new Date().toISOString() };
      store.add(rack, { projectId: rack.projectId, subjectId: id, kind: 'state', from: null, to: 'INSTALLED' });
      return rack;
    },
  },
  Rack: {
    __resolveReference: ({ id }: { id: string }, claims: Claims) => visible(rackOf(id), claims),
    project: ({ projectId }: Rack) => ({ __typename: 'Project', id: projectId }),
  },
  Project: {
    racks: ({ id }: { id: string }, _: unknown, claims: Claims) =>
      store.racks.filter((rack) => rack.projectId === id && visible(rack, claims) !== null),
  },
  CmpObject: {
    // Tidegate's id of a CMP object is base64url of CmpObject:["namespace","type","external id"].
    rack({ id }: { id: string }, _: unknown, claims: Claims) {
      const [, type, externalId] = JSON.parse(Buffer.from(id, 'base64url').toString().slice('CmpObject:'.length));
      const found = store.racks.find(({ name }) => type === 'rack' && name === externalId);
      return visible(found, claims);
    },
  },
};

const typeDefs = parse(readFileSync(new URL('../inventory.graphql', import.meta.url), 'utf8'));
// biome-ignore lint/suspicious/noExplicitAny: The resolvers' types are those of this file.
const schema = buildSubgraphSchema([{ typeDefs, resolvers: resolvers as any }]);

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > 8 * 1024 * 1024) throw new IdentityError('the body is too long');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

async function answer(request: IncomingMessage): Promise<readonly [number, unknown]> {
  // The gateway asks whether the subgraph is there.
  if (request.method === 'GET' && request.url === '/health/live') return [200, { live: true }];
  if (request.method !== 'POST' || request.url !== '/graphql') return [404, { error: 'No such path.' }];
  try {
    const body = await bodyOf(request);
    const header = request.headers['x-tidegate-identity'];
    const claims = identities.verify(typeof header === 'string' ? header : undefined, body);
    const { query, variables, operationName } = JSON.parse(body.toString());
    const asked = { source: query, variableValues: variables, operationName };
    return [200, await graphql({ schema, ...asked, contextValue: claims })];
  } catch (error) {
    if (error instanceof IdentityError) return [401, { error: error.message }];
    return [400, { error: 'Not a GraphQL request.' }];
  }
}

createServer((request, response) => {
  answer(request).then(([status, content]) => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(content));
  });
}).listen(Number(port), '127.0.0.1', () => process.stdout.write('ready\n'));

if (machineFile !== undefined) void sendEvents(store, machineFile);
