// The lab's backends are found among any number of other backends.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { LabBackends } from '../../lab/control-plane/backends.ts';
import { type RunningSystem, runningSystem } from '../support/product/running-system.ts';

let system: RunningSystem;

beforeAll(async () => {
  system = await runningSystem();
}, 60_000);
afterAll(() => system.stop());

async function ask<Data>(query: string, variables: object): Promise<Data> {
  const response = await fetch(system.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${system.token}` },
    body: JSON.stringify({ query, variables }),
  });
  return ((await response.json()) as { data: Data }).data;
}

test('a start finds it among more backends than fit on one page, and updates its port', async () => {
  const backends = new LabBackends({
    running: system.process,
    token: system.token,
    signal: AbortSignal.timeout(60_000),
  });
  const register = (port: number) =>
    backends.register('firewall', {
      ...{ driver: 'linux-nftables', host: '192.0.2.10', port, hostKeySha256: `SHA256:${'A'.repeat(43)}` },
      credentials: { username: 'relay', privateKey: 'a private key of the lab' },
    });
  await register(22);
  const create = 'mutation ($input: BackendCreateInput!) { backendCreate(input: $input) { userErrors { message } } }';
  // By name all of them come before `lab-firewall`.
  for (let number = 0; number < 101; number += 1) {
    const input = {
      ...{ name: `a-${number}`, driver: 'linux-nftables', host: '192.0.2.11', port: 1_000 + number },
      credentials: { username: 'x', password: 'x' },
    };
    expect(await ask(create, { input })).toEqual({ backendCreate: { userErrors: [] } });
  }
  await register(2222);
  const query = 'query ($name: String!) { backends(names: [$name]) { nodes { name port } } }';
  expect(await ask(query, { name: 'lab-firewall' })).toEqual({
    backends: { nodes: [{ name: 'lab-firewall', port: 2222 }] },
  });
  expect(await ask(query, { name: 'lab-firewal' })).toEqual({ backends: { nodes: [] } });
  const version = async () =>
    ask<{ backends: { nodes: { version: number }[] } }>(
      'query ($name: String!) { backends(names: [$name]) { nodes { version } } }',
      {
        name: 'lab-firewall',
      },
    );
  const before = await version();
  await register(2222);
  expect(await version()).toEqual(before);
}, 60_000);
