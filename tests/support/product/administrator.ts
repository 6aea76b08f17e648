// The first administrator of a system in this process, with queries and changes through its graph.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunningSystem } from './running-system.ts';

type Answer<Data> = { readonly data?: Data | null; readonly errors?: unknown };

export class Administrator {
  readonly #url: string;
  readonly name = 'admin';
  readonly password: string;
  /** Valid for a while. */
  readonly token: string;

  private constructor(url: string, password: string, token: string) {
    [this.#url, this.password, this.token] = [url, password, token];
  }

  static async of(system: RunningSystem): Promise<Administrator> {
    const password = (await readFile(join(system.folder, 'accounts', 'admin.password'), 'utf8')).trim();
    const query = 'mutation ($input: LoginInput!) { login(input: $input) { accessToken } }';
    const input = { name: 'admin', password };
    const { login } = await askAt<{ login: { accessToken: string } }>(system.url, undefined, query, { input });
    return new Administrator(system.url, password, login.accessToken);
  }

  /** `token`: that of another account. */
  ask<Data>(query: string, variables: object = {}, token = this.token): Promise<Data> {
    return askAt(this.#url, token, query, variables);
  }

  /** Throws if the change is refused. `fields`: those of the payload. */
  async change<Payload>(mutation: string, input: object, fields = '', token = this.token): Promise<Payload> {
    const type = `${mutation.charAt(0).toUpperCase()}${mutation.slice(1)}Input`;
    const query = `mutation ($input: ${type}!) { done: ${mutation}(input: $input) { ${fields} userErrors { code message field } } }`;
    const { done } = await this.ask<{ done: Payload & { userErrors: readonly object[] } }>(query, { input }, token);
    if (done.userErrors.length > 0) throw new Error(`${mutation} is refused: ${JSON.stringify(done.userErrors)}`);
    return done;
  }
}

async function askAt<Data>(url: string, token: string | undefined, query: string, variables: object): Promise<Data> {
  const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...authorization },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = (await response.json()) as Answer<Data>;
  if (data === undefined || data === null || errors !== undefined) throw new Error(JSON.stringify(errors));
  return data;
}
