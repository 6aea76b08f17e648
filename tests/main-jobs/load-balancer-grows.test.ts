// A load balancer whose number of nodes follows the load. The policy has its shortest times, so that the test waits for decisions and not for
// pauses.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { waitFor } from '../support/machine/temporary-folder.ts';
import { LoadBalancer } from './support/load-balancer.ts';
import { describeWithProduct, type Product, runningProduct } from './support/product.ts';

describeWithProduct('a load balancer', () => {
  let product: Product;
  let balancer: LoadBalancer;
  beforeAll(async () => {
    product = await runningProduct();
    const { WEB1, WEB_PORT } = await product.part('balancers');
    balancer = new LoadBalancer(product, 'grows');
    const autoscaling = {
      // One client on a busy machine is enough load.
      ...{ requestsPerNode: 1, targetPercent: 50, periodMs: 5_000 },
      ...{ warmUpMs: 0, cooldownMs: 0, downWindowMs: 0 },
    };
    const pools = [{ name: 'web', memberProtocol: 'HTTP', members: [{ host: WEB1, port: Number(WEB_PORT) }] }];
    const listeners = [{ protocol: 'HTTP', port: 80, defaultPool: 'web' }];
    const input = { name: balancer.name, minNodes: 1, maxNodes: 2, pools, listeners, autoscaling };
    await product.change('loadBalancerCreate', input, '');
    await balancer.serves(1);
  });
  afterAll(() => balancer.delete());

  test('grows under load, and shrinks after it', async () => {
    const asking = balancer.keepAsking();
    try {
      await balancer.serves(2);
    } finally {
      await asking.stop();
    }
    await balancer.serves(1);
    const decisions = await waitFor('both decisions', async () => {
      const found = (await balancer.decisions()).filter(({ fromNodes, toNodes }) => fromNodes !== toNodes);
      return found.length >= 2 && found;
    });
    expect(decisions.map(({ fromNodes, toNodes }) => [fromNodes, toNodes])).toEqual([
      [2, 1],
      [1, 2],
    ]);
    for (const { reason } of decisions) expect(reason).not.toBe('');
  });
});
