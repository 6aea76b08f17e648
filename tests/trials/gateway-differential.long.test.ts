// The gateway's executor against one schema that holds all the data, with another seed in each run.
import { expect, test } from '@jest/globals';
import { runGatewayDifferential } from '../../trials/gateway-differential.ts';

const seed = Number(process.env.SEED ?? Date.now() % 1_000_000_000);

test(`500 random operations have no difference (seed ${seed})`, async () => {
  const { different, forged, findings } = await runGatewayDifferential({ seed, cases: 500 });
  expect({ different, forged, findings }).toEqual({ different: 0, forged: 0, findings: [] });
}, 300_000);
