// The object-storage role in a process with its own settings. Controllers connect to it by mutual TLS only.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { createLogger } from '../../../../platform/log/log.ts';
import { controllerRole } from '../../../../subgraphs/object-storage/wire/controller-wire.ts';
import { freePort } from '../../../support/machine/free-port.ts';
import { temporaryFolder, waitFor } from '../../../support/machine/temporary-folder.ts';
import { testAuthority, testMachine } from '../../../support/product/machines.ts';
import { type RunningSystem, runningSystem } from '../../../support/product/running-system.ts';
import { ScriptedController } from '../support/scripted-controller.ts';

const roles = 'gateway,system,object-storage';
const linkPort = 'objectStorage.linkPort';

/** Creates a cluster as an administrator, through the gateway. */
async function createCluster({ url, folder }: RunningSystem, name: string): Promise<void> {
  const ask = async (query: string, input: object, bearer?: string) => {
    const headers = { 'content-type': 'application/json', ...(bearer && { authorization: `Bearer ${bearer}` }) };
    const response = await fetch(url, {
      method: 'POST',
      headers,
      body: JSON.stringify({ query, variables: { input } }),
    });
    return (await response.json()) as { readonly data: { readonly it: Readonly<Record<string, unknown>> } };
  };
  const password = (await readFile(join(folder, 'accounts', 'admin.password'), 'utf8')).trim();
  const login = 'mutation ($input: LoginInput!) { it: login(input: $input) { accessToken } }';
  const { data } = await ask(login, { name: 'admin', password });
  const create = `mutation ($input: ObjectClusterCreateInput!) { it: objectClusterCreate(input: $input) { userErrors { message } } }`;
  const made = await ask(create, { name }, String(data.it.accessToken));
  expect(made).toMatchObject({ data: { it: { userErrors: [] } } });
}

test('a process without a certificate does not listen for controllers', async () => {
  await expect(runningSystem({ settings: { roles, [linkPort]: '0' } })).rejects.toThrow(linkPort);
});

test("a controller connects to a process with one, and gets the administrator's desired state", async () => {
  const log = createLogger({ level: 'silent', pretty: false });
  const folder = await temporaryFolder();
  const authority = await testAuthority();
  const tls = await testMachine(authority, 'object-storage', 'control-plane', log);
  const files = { cert: tls.cert, key: tls.key, ca: tls.ca };
  for (const [name, text] of Object.entries(files))
    await writeFile(join(folder.path, `${name}.pem`), String(text), { mode: 0o600 });
  const port = await freePort();
  const system = await runningSystem({
    settings: {
      ...{ roles, [linkPort]: String(port) },
      ...Object.fromEntries(
        Object.keys(files).map((name) => [`internal.tls.${name}File`, join(folder.path, `${name}.pem`)]),
      ),
    },
  });
  const north = new ScriptedController(await testMachine(authority, controllerRole, 'north', log), port, log);
  try {
    await createCluster(system, 'north');
    north.start();
    await waitFor('it to have all', () => north.wholes > 0);
    expect([...north.documents.keys()].sort()).toEqual(['clusters', 'keys', 'options', 'ring/0']);
    expect(north.documents.get('clusters')?.body).toMatchObject({ clusters: [{ name: 'north', number: 0 }] });
  } finally {
    await north.stop();
    await system.stop();
    await folder.remove();
  }
});
