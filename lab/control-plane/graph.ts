// The lab's requests to the graph, like those of any client.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

export interface GraphCaller {
  /** URL of the endpoint, without a path. */
  readonly url: string | undefined;
  /** Absent if it belongs to nobody. */
  readonly token?: string;
  readonly signal: AbortSignal;
}

/** A mutation was refused. */
export class GraphRefusal extends Error {
  override readonly name = 'GraphRefusal';
  readonly code: string;

  constructor(mutation: string, { code, message }: UserError) {
    super(`${mutation} of the lab: ${code}: ${message}`);
    this.code = code;
  }
}

interface UserError {
  readonly code: string;
  readonly message: string;
}

const deadlineMs = 15_000;

export async function askGraph<Data>(
  { url, token, signal }: GraphCaller,
  query: string,
  variables: object,
): Promise<Data> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify({ query, variables }),
    signal: AbortSignal.any([signal, AbortSignal.timeout(deadlineMs)]),
  });
  const answer = (await response.json()) as { data?: Data; errors?: { message: string }[] };
  if (answer.data === undefined || answer.errors !== undefined)
    throw new Error(`the lab's request: ${JSON.stringify(answer.errors)}`);
  return answer.data;
}

/** `fields`: fields of the payload to read. Throws GraphRefusal. */
export async function changeGraph<Payload>(
  caller: GraphCaller,
  mutation: string,
  input: object,
  fields = '',
): Promise<Payload> {
  const inputType = `${mutation.charAt(0).toUpperCase()}${mutation.slice(1)}Input`;
  const query = `mutation ($input: ${inputType}!) { ${mutation}(input: $input) { ${fields} userErrors { code message } } }`;
  const data = await askGraph<Record<string, Payload & { readonly userErrors: readonly UserError[] }>>(caller, query, {
    input,
  });
  const payload = data[mutation];
  if (payload === undefined) throw new Error(`${mutation} of the lab had no answer`);
  const [refusal] = payload.userErrors;
  if (refusal !== undefined) throw new GraphRefusal(mutation, refusal);
  return payload;
}

/** Logs in with the administrator's password from the data folder. Throws if the password has changed. */
export async function administrator(caller: GraphCaller, dataPath: string): Promise<GraphCaller> {
  const password = (await readFile(join(dataPath, 'admin.password'), 'utf8')).trim();
  const input = { name: 'admin', password };
  const { accessToken } = await changeGraph<{ accessToken: string }>(caller, 'login', input, 'accessToken');
  return { ...caller, token: accessToken };
}
