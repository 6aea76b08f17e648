// Access with a project's token, with another project's token, without a token, and with a wrong password.
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { ask } from '../bin/support/up-process.ts';
import { describeWithProduct, type Product, runningProduct } from './support/product.ts';

interface Login {
  readonly accessToken: string | null;
  readonly userErrors: readonly { readonly code: string; readonly retryAfterMs: number | null }[];
}

const loginQuery = `mutation ($input: LoginInput!) {
  login(input: $input) { accessToken userErrors { code retryAfterMs } } }`;
const createQuery = `mutation ($input: LoadBalancerCreateInput!) {
  loadBalancerCreate(input: $input) { loadBalancer { id } userErrors { code } } }`;
const deleteQuery = `mutation ($input: LoadBalancerDeleteInput!) {
  loadBalancerDelete(input: $input) { deletedId userErrors { code } } }`;
/** Login attempts per minute for one name from one network. */
const allowed = 10;

describeWithProduct('access', () => {
  let product: Product;
  let administrator: string;
  /** A load balancer of the project `default`. */
  let own: string;
  const name = `own-${randomUUID().slice(0, 8)}`;
  beforeAll(async () => {
    product = await runningProduct();
    administrator = (await logIn('admin', product.password)).accessToken ?? '';
    const fields = 'loadBalancer { id }';
    own = (await product.change<{ loadBalancer: { id: string } }>('loadBalancerCreate', { name }, fields)).loadBalancer
      .id;
  });

  afterAll(() => product.change('loadBalancerDelete', { id: own }, ''));

  async function logIn(user: string, password: string): Promise<Login> {
    const input = { name: user, password };
    return (await ask<{ login: Login }>(product.url, undefined, loginQuery, { input })).login;
  }

  async function administer<Payload>(mutation: string, input: object, fields: string): Promise<Payload> {
    const type = `${mutation.charAt(0).toUpperCase()}${mutation.slice(1)}Input`;
    const query = `mutation ($input: ${type}!) { done: ${mutation}(input: $input) { ${fields} userErrors { code } } }`;
    const { done } = await ask<{ done: Payload & { userErrors: object[] } }>(product.url, administrator, query, {
      input,
    });
    expect([mutation, done.userErrors]).toEqual([mutation, []]);
    return done;
  }

  test("another project's token sees nothing of the load balancer and changes nothing", async () => {
    const made = await administer<{ project: { id: string } }>(
      'projectCreate',
      { name: `other-${name}` },
      'project { id }',
    );
    const input = { projectId: made.project.id, name: 'test', role: 'OPERATOR' };
    const { secret } = await administer<{ secret: string }>('apiTokenCreate', input, 'secret');
    const read = `query ($id: ID!) { loadBalancer(id: $id) { name } loadBalancers { nodes { name } } backends { nodes { name } }
      me { projects { project { name } } } }`;
    const nothing = {
      ...{ loadBalancer: null, loadBalancers: { nodes: [] }, backends: { nodes: [] } },
      me: { projects: [{ project: { name: `other-${name}` } }] },
    };
    expect(await ask(product.url, secret, read, { id: own })).toEqual(nothing);
    expect(await ask(product.url, secret, deleteQuery, { input: { id: own } })).toEqual({
      loadBalancerDelete: { deletedId: null, userErrors: [{ code: 'NOT_FOUND' }] },
    });
    const there = await product.ask('query ($id: ID!) { loadBalancer(id: $id) { name } }', { id: own });
    expect(there).toEqual({ loadBalancer: { name } });
  });

  test('without a token, nothing can be seen or changed', async () => {
    for (const query of ['{ loadBalancers { nodes { name } } }', '{ backends { nodes { name } } }'])
      await expect(ask(product.url, undefined, query)).rejects.toThrow('UNAUTHENTICATED');
    const input = { name: `nobody-${name}` };
    await expect(ask(product.url, undefined, createQuery, { input })).rejects.toThrow('UNAUTHENTICATED');
    const there = await product.ask('query ($names: [String!]) { loadBalancers(names: $names) { nodes { name } } }', {
      names: [input.name, name],
    });
    expect(there).toEqual({ loadBalancers: { nodes: [{ name }] } });
  });

  test('a wrong password is slow and counted: after ten attempts the name must wait, whatever the password', async () => {
    const [user, password] = [`user-${name}`, randomUUID()];
    await administer('userCreate', { name: user, password }, 'user { id }');
    const attempts = Array.from({ length: allowed }, async () => {
      const beganMs = performance.now();
      const { accessToken, userErrors } = await logIn(user, 'wrong');
      expect([accessToken, userErrors]).toMatchObject([null, [{ code: 'BAD_CREDENTIALS' }]]);
      return performance.now() - beganMs;
    });
    // A request without key derivation takes a few milliseconds. A request with key derivation is never that fast.
    expect(Math.min(...(await Promise.all(attempts)))).toBeGreaterThan(20);
    const [refused] = (await logIn(user, password)).userErrors;
    expect(refused?.code).toBe('RATE_LIMITED');
    expect(refused?.retryAfterMs).toBeGreaterThan(0);
  });
});
