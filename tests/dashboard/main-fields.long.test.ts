// Every kind of the registry is created in Chromium with only its main fields: "Advanced" stays closed. The created
// objects work: a load balancer serves, a container holds an object, a user logs in, a token is valid, a name has an
// answer.
// needs: dashboard, haproxy
import { readFile, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Browser, Locator, Page } from 'playwright-core';
import { request } from 'undici';
import { makingVerb } from '../../dashboard/src/forms/form-address.ts';
import { newLink } from '../../dashboard/src/forms/links.ts';
import { registry } from '../../generated/kinds/registry.ts';
import { makeCertificate } from '../../platform/net/certificates.ts';
import type { InputField, Kind } from '../../schema/kinds/kind.ts';
import type { FlagSystem } from '../cli/commands/flags/flag-system.ts';
import { patience } from '../support/machine/patience.ts';
import { waitFor } from '../support/machine/temporary-folder.ts';
import { launchBrowser, login, openPage, untilLive, type Watched } from './support/browser.ts';
import { ServingSystem } from './support/serving-system.ts';

const password = 'correct horse battery staple';
let serving: ServingSystem;
let system: FlagSystem;
let browser: Browser;
let watched: Watched;
let page: Page;
let origin: string;
/** IDs of the created objects, and secrets that were shown once, by kind. */
const made = new Map<string, string>();
const secrets = new Map<string, string>();

beforeAll(async () => {
  serving = await ServingSystem.start();
  ({ system } = serving);
  browser = await launchBrowser();
  ({ origin } = new URL(system.url));
  watched = await openPage(browser, origin);
  ({ page } = watched);
  await login(page, { url: origin }, { user: serving.user }, '/form');
}, 180_000 * patience);

afterAll(async () => {
  await browser?.close();
  await serving?.stop();
}, 60_000 * patience);

/** A field of the form by its path in the input. */
const at = (path: string): Locator => page.locator(`xpath=//*[substring-after(@id, '-')='${path}']`);

/** A path with its value, or the name of a button. */
type Step = readonly [path: string, value: string] | string;

const steps: Readonly<Record<string, () => readonly Step[] | Promise<readonly Step[]>>> = {
  User: () => [['password', password]],
  Backend: () => [
    ...([
      ['driver', 'fortios'],
      ['host', system.gate.host],
      ['port', String(system.gate.https.port)],
    ] as const),
    ...([
      ['credentials-username', 'admin'],
      ['credentials-password', 'secret'],
    ] as const),
  ],
  ProjectSubnet: () => [['cidr', '10.9.0.0/24']],
  TlsCertificate: async () => {
    const { cert, key } = await makeCertificate({ commonName: 'web.test', names: ['web.test'] });
    return [
      ['chain', cert],
      ['privateKey', key],
    ];
  },
  LoadBalancer: () => [['pools-0-members-0-host', system.member]],
  PoolMember: () => memberAt(''),
  PoolHealthMonitor: () => [['monitorType', 'TCP']],
  Listener: () => [['port', '8081']],
  L7Rule: () => [
    ['ruleType', 'PATH'],
    ['value', '/admin'],
  ],
  AutoscalingPolicy: () => [['policy-requestsPerNode', '100']],
  LoadBalancerQuota: () => [['limit', '50']],
  DnsZone: () => [
    ...([
      'Add right',
      ['rights-0-suffix', 'main.test'],
      'Add allow',
      ['rights-0-allows-0', 'OUTSIDE_PROJECT'],
    ] as const),
    ['name', 'main.test'],
  ],
  GslbVantagePoint: () => [
    ['region', 'eu'],
    ['latitude', '50'],
    ['longitude', '8'],
  ],
  GslbPoolMember: () => [['addresses', '192.0.2.7']],
  Gslb: () => [
    ['fqdn', 'shop.main.test'],
    ['pools-0-members-0-name', 'east'],
    ['pools-0-members-0-addresses', '192.0.2.8'],
  ],
  ObjectOption: () => [['replicas', '1']],
  AlertChannel: () => [
    ['target-which', 'webhook'],
    ['target-webhook-url', 'https://127.0.0.1:9/hook'],
  ],
};

function memberAt(before: string): readonly Step[] {
  const [host = '', port = ''] = system.member.split(':');
  return [
    [`${before}host`, host],
    [`${before}port`, port],
  ];
}

const proofs: Readonly<Record<string, () => Promise<void>>> = {
  User: async () => expect(await serving.tokenOf({ name: 'main-user', password })).not.toBe(''),
  ApiToken: async () => {
    const { me } = await system.ask<{ me: object }>('{ me { name } }', {}, secrets.get('ApiToken'));
    expect(me).toEqual({ name: expect.any(String) });
  },
  LoadBalancer: async () => {
    const address = await serving.servingAddress(made.get('LoadBalancer') ?? '');
    const answered = await request(`http://${address}:80/`);
    expect([answered.statusCode, await answered.body.text()]).toEqual([200, 'of the member']);
  },
  Gslb: async () => {
    const explained = await waitFor('an answer', async () =>
      serving.tidegate('gslbs explain shop.main.test --record A --json'),
    );
    expect(explained).toContain('192.0.2.8');
  },
  ObjectContainer: async () => {
    const place = `--data ${system.path('cli')}`;
    const [file, copy] = [system.path('cat.jpg'), system.path('copy.jpg')];
    await writeFile(file, 'of a cat');
    const logIn = `login --cluster ${serving.s3Url} --project main-project ${place}`;
    const own = secrets.get('ApiToken');
    await waitFor('logins to work', async () => (await serving.tidegate(logIn, own).catch(() => '')) !== '');
    const object = 'main-objectcontainer/cat.jpg';
    await serving.tidegate(`objects create ${object} ${file} ${place}`);
    await serving.tidegate(`objects download ${object} ${copy} ${place}`);
    expect(await readFile(copy, 'utf8')).toBe('of a cat');
  },
};

/** From then on a cluster without machines takes part in rings, so nothing more can be stored. */
const last = ['ObjectCluster', 'ObjectOption'];
const kinds = Object.values(registry.kinds)
  .filter((kind) => makingVerb(kind) !== undefined)
  .toSorted((one, other) => last.indexOf(one.type) - last.indexOf(other.type));

/** References to objects of earlier tests. A user comes from the page of that object. */
function presetsOf(fields: readonly InputField[]): Readonly<Record<string, string | undefined>> {
  const known = fields.filter(({ refersTo, list }) => refersTo !== undefined && list !== true);
  const needed = known.filter(({ name, required }) => required === true || name === 'projectId');
  return Object.fromEntries(needed.map(({ name, refersTo = '' }) => [name, made.get(refersTo)]));
}

async function fill({ type }: Kind, fields: readonly InputField[]): Promise<void> {
  const given = (await steps[type]?.()) ?? [];
  const paths = new Set(given.map((step) => step[0]));
  const usual = fields
    .filter(({ name, required, refersTo }) => required === true && refersTo === undefined && !paths.has(name))
    .flatMap(({ name, type: of }): readonly Step[] => {
      const [word] = Object.keys(registry.enums[of] ?? {});
      if (word !== undefined) return [[name, word]];
      return name === 'name' ? [[name, `main-${type.toLowerCase()}`]] : [];
    });
  for (const step of [...usual, ...given]) {
    if (typeof step === 'string') {
      await page.getByRole('button', { name: step, exact: true }).click();
      continue;
    }
    const [path, value] = step;
    const element = at(path).first();
    await element.waitFor();
    if ((await element.evaluate((node) => node.tagName)) === 'SELECT') await element.selectOption(value);
    else await element.fill(value);
  }
}

test.each(kinds)(
  '$type',
  async (kind) => {
    const verb = makingVerb(kind) ?? '';
    const fields = registry.inputs[kind.actions[verb]?.input ?? '']?.fields ?? [];
    await page.goto(`${origin}${newLink(kind.type, presetsOf(fields))}`);
    await untilLive(page);
    await fill(kind, fields);
    expect(await page.locator('details.advanced[open]').count()).toBe(0);
    await page.locator('.kind-form button[type="submit"]').click();
    const done = page.locator('#form-title[role="status"]');
    await done.or(page.locator('.failures, .kind-form > .warning, .fault:not(:empty)')).first().waitFor();
    const faults = await page.locator('.failures, .fault:not(:empty)').allTextContents();
    expect(faults).toEqual([]);
    await done.waitFor();
    const change = page.getByRole('link', { name: 'Change it' });
    const address = (await change.count()) === 0 ? '' : await change.getAttribute('href');
    const id = new URLSearchParams((address ?? '').split('?')[1]).get('id');
    if (id !== null) made.set(kind.type, id);
    const secret = page.locator('[data-secret]').first();
    if ((await secret.count()) > 0) secrets.set(kind.type, (await secret.textContent()) ?? '');
    await proofs[kind.type]?.();
    expect(watched.errors).toEqual([]);
  },
  90_000 * patience,
);
