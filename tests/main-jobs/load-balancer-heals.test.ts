// A load balancer from its creation to an answer at its URL, and a node that is killed while a client sends requests.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { waitFor } from '../support/machine/temporary-folder.ts';
import { LoadBalancer } from './support/load-balancer.ts';
import { describeWithProduct, type Product, runningProduct } from './support/product.ts';

describeWithProduct('a load balancer', () => {
  let product: Product;
  let balancer: LoadBalancer;
  beforeAll(async () => {
    product = await runningProduct();
    balancer = new LoadBalancer(product, 'heals');
  });
  afterAll(() => balancer.delete());

  test('one command creates a URL that all members answer', async () => {
    const { WEB1, WEB2, WEB3, WEB_PORT } = await product.part('balancers');
    const members = [WEB1, WEB2, WEB3].flatMap((host) => ['--member', `${host}:${WEB_PORT}`]);
    const words = ['--http', '80', ...members, '--check', 'http:/', '--nodes', '2..2', '--cmp', 'tenant/heals'];
    const printed = await product.tidegate('loadbalancers', 'create', balancer.name, ...words);
    expect(printed).toContain(balancer.url);
    await balancer.serves(2);
    const answers = await balancer.answers(12);
    expect([...new Set(answers)].sort()).toEqual(['web1', 'web2', 'web3']);
    await waitFor('its CMP object to have it', async () =>
      (await product.tidegate('cmp-objects', 'show', 'tenant/heals').catch(() => '')).includes(balancer.url),
    );
  });

  test('a node is killed: a client that tries the next address sees no failure, and the node is replaced', async () => {
    const [node] = (await balancer.read()).nodes;
    const asking = balancer.keepAsking();
    let answers: readonly string[] = [];
    try {
      await product.lab('unplug', node?.name ?? '');
      await waitFor('another node in its place', async () => {
        const { nodes } = await balancer.read();
        const serving = nodes.filter(({ nodeState }) => nodeState === 'SERVING');
        return serving.length === 2 && !serving.some(({ name }) => name === node?.name);
      });
      await waitFor('its address to be out of the name', async () => {
        const addresses = await balancer.addresses();
        return addresses.length === 2 && !addresses.includes(node?.address ?? '');
      });
      await waitFor('the client to have asked often', () => asking.answers().length > 5);
    } finally {
      // The requests end before the node returns. The node found all members down while it was cut off, so it answers 503 until its next checks.
      answers = await asking.stop();
      await product.lab('plug', node?.name ?? '');
    }
    expect(answers.filter((each) => !/^web\d$/.test(each))).toEqual([]);
  });
});
