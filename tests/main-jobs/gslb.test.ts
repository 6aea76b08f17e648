// A name that follows the healthy endpoints, with three sites, their checkers and two name servers of the lab. The test queries it with dig,
// as resolvers do.
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { runProgram } from '../../embedded/run-program.ts';
import { waitFor } from '../support/machine/temporary-folder.ts';
import { describeWithProduct, type Product, runningProduct } from './support/product.ts';

interface Flip {
  readonly verdictBefore: string | null;
  readonly verdictAfter: string | null;
  readonly member: { readonly name: string };
  readonly ballots: readonly { readonly count: string; readonly verdict: string }[];
}

const name = `shop-${randomUUID().slice(0, 8)}`;
const fqdn = `${name}.gslb.lab.test`;

describeWithProduct('a GSLB', () => {
  let product: Product;
  let at: Readonly<Record<string, string>>;
  let id: string | undefined;
  beforeAll(async () => {
    product = await runningProduct();
    at = await product.part('sites');
    id = await create(product, at);
  });
  afterAll(async () => {
    await product.lab('plug', 'eu-web');
    if (id !== undefined) await product.change('gslbDelete', { id }, '');
  });

  async function answeredByBoth(expected: readonly string[]): Promise<void> {
    const wanted = expected.map((site) => at[site]).sort();
    for (const server of [at.NS1, at.NS2])
      await waitFor(`${expected} from ${server}`, async () => {
        const words = [`@${server}`, '-p', at.DNS_PORT ?? '', '+short', '+time=2', '+tries=1', fqdn];
        return (await runProgram('dig', words)).stdout.trim().split('\n').sort().join() === wanted.join();
      }).catch(async (error: Error) => {
        throw new Error(`${error.message}. ${await reasons()}`);
      });
  }

  /** The reasons for the current answer. */
  async function reasons(): Promise<string> {
    const lines = [
      ['gslbs', 'show', fqdn],
      ['gslbs', 'explain', fqdn],
      ['gslbs', 'history', fqdn],
      ['machines', 'list'],
    ];
    const shown = await Promise.all(lines.map((line) => product.tidegate(...line).catch(String)));
    return shown.join('\n');
  }

  async function verdictsOnEu(): Promise<readonly Flip[]> {
    const text = await product.tidegate('gslbs', 'history', fqdn, '--limit', '1000', '--json');
    return (JSON.parse(text) as Flip[]).filter(
      ({ member, verdictBefore, verdictAfter }) => member.name === 'eu' && verdictBefore !== verdictAfter,
    );
  }

  test('an endpoint dies, and both name servers omit it; it returns, and so does its answer; the history shows both', async () => {
    await answeredByBoth(['EU', 'US', 'AP']);
    await product.lab('kill', 'eu-web');
    await answeredByBoth(['US', 'AP']);
    const [died] = await verdictsOnEu();
    expect(died?.verdictAfter).toBe('DOWN');
    const votes = died?.ballots.filter(({ count, verdict }) => count === 'COUNTED' && verdict === 'DOWN');
    expect(votes?.length).toBeGreaterThanOrEqual(2);
    await product.lab('plug', 'eu-web');
    await answeredByBoth(['EU', 'US', 'AP']);
    expect((await verdictsOnEu()).slice(0, 2).map(({ verdictAfter }) => verdictAfter)).toEqual(['UP', 'DOWN']);
    expect(await product.tidegate('cmp-objects', 'show', `tenant/${fqdn}`)).toContain(fqdn);
  });
});

async function create(product: Product, at: Readonly<Record<string, string>>): Promise<string> {
  const make = async (mutation: string, field: string, input: object) =>
    (await product.change<Record<string, { id: string }>>(mutation, input, `${field} { id }`))[field]?.id ?? '';
  const { gslbFlavors: flavors } = await product.ask<{ gslbFlavors: { nodes: { id: string; name: string }[] } }>(
    '{ gslbFlavors { nodes { id name } } }',
  );
  // Slower than an operator would choose, because a checker on a busy machine must not see a timeout.
  const times = { intervalMs: 2_000, timeoutMs: 2_000, fall: 1, rise: 1 };
  const check = { name, checkType: 'HTTP', parameters: { http: { path: '/health' } }, ...times };
  const monitorId = await make('gslbMonitorCreate', 'gslbMonitor', check);
  const poolId = await make('gslbPoolCreate', 'gslbPool', {
    name,
    failback: { mode: 'DELAYED', delayMs: 1_000 },
  });
  await make('gslbPoolMonitorAttach', 'gslbMonitor', { monitorId, target: { poolId } });
  for (const site of ['eu', 'us', 'ap']) {
    const address = { addresses: [at[site.toUpperCase()]], servicePort: Number(at.WEB_PORT) };
    await make('gslbPoolMemberCreate', 'gslbPoolMember', { poolId, name: site, ...address });
  }
  const flavorId = flavors.nodes.find((flavor) => flavor.name === 'lab')?.id;
  const cmpObject = { type: 'tenant', externalId: fqdn };
  return make('gslbCreate', 'gslb', { fqdn, flavorId, poolIds: [poolId], ttlSeconds: 5, cmpObject });
}
