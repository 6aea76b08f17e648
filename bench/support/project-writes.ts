// Changes of projects through the gateway: the simplest durable mutation, with which others are compared.
import { type GraphClient, type MutationAnswer, notRefused } from '../../measure/graph-client.ts';

/** An administrator changes as many projects as there are clients, each time to a new value. */
export async function projectWrites(
  client: GraphClient,
  password: string,
  projects: number,
): Promise<() => Promise<void>> {
  const logIn =
    'mutation ($input: LoginInput!) { done: login(input: $input) { accessToken userErrors { code message } } }';
  const create =
    'mutation ($input: ProjectCreateInput!) { done: projectCreate(input: $input) { project { id } userErrors { code message } } }';
  const update =
    'mutation ($input: ProjectUpdateInput!) { done: projectUpdate(input: $input) { project { id version } commit { token } userErrors { code message } } }';
  type LoginAnswer = MutationAnswer & { readonly accessToken: string };
  const login = await client.ask<{ done: LoginAnswer }>(logIn, { input: { name: 'admin', password } });
  const { accessToken } = notRefused(login.done);
  type ProjectAnswer = MutationAnswer & { readonly project: { readonly id: string } | null };
  const write = async (query: string, input: object): Promise<string> => {
    const { done } = await client.ask<{ done: ProjectAnswer }>(query, { input }, accessToken);
    const { project } = notRefused(done);
    if (project === null) throw new Error('a write returned no project');
    return project.id;
  };
  const ids: string[] = [];
  for (let index = 0; index < projects; index += 1) ids.push(await write(create, { name: `bench-${index}` }));
  // A project is used by one client at a time, so contention for row locks is not measured.
  let change = 0;
  return async () => {
    const id = ids.shift();
    if (id === undefined) throw new Error('there are more clients than projects');
    change += 1;
    await write(update, { id, description: `change ${change}`, idempotencyKey: `change-${change}` });
    ids.push(id);
  };
}
